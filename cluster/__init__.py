"""Who is primary. Knows nothing of electricity: a table, a record, a heartbeat, an arbiter, one
PostgreSQL.
"""
