"""PostgreSQL as a child of its node: found, rendered, started, watched, promoted, stopped.

`control.py` is the interface everybody else calls; `process.py` is the real thing and `memory.py`
the fake, both under one contract suite. Nothing here knows why a node starts or promotes: that is
the table.
"""
