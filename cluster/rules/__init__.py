"""The rows of the failover table, by phase; ``cluster.machine`` puts them together."""
