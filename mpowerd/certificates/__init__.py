"""Machines' requests for their next certificate, until whoever holds the authority answers."""
