"""What is said on the wire. Pure: knows neither sockets, clocks nor databases (but for
``shell``).
"""
