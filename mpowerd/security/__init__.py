"""People, their sessions, the counters they sit at."""
