"""Where the protocol meets Twisted, for everybody: TLS contexts, frames on a stream, the clock, the
asyncio bridge.
"""
