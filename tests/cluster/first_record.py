"""A record to test with: the first of cluster demo, made by node a."""

from cluster.record import first

FIRST = first("demo", "7000000000000000001", "a", "op-1")
