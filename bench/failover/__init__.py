"""Failover beside other people's: the same strikes on all, the longest wait of a writer."""
