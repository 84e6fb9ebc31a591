"""The ops port: health codes, metrics and events of one node over HTTP, for probes and people."""
