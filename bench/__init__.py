"""The benchmarks: each prints JSON lines and a table."""
