"""What leaves the counters for the bank: slips, in transit, realised."""
