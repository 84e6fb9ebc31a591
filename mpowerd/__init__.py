"""The daemon: server, dispatch, database, one room per domain. Rooms meet only through views and
operations.
"""
