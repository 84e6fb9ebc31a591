"""Requests of machines for their next certificate, until somebody who holds the authority answers."""
