"""A whole board on one machine, to try and to break. Starts, stops and talks to processes; knows no
server code.
"""
