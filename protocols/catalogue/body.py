"""The base of all request and reply bodies: frozen, compact on the wire, nothing unknown
accepted.
"""

from msgspec import Struct


class Body(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A request or reply body; fields travel in their declared order, so new ones are only appended
    with a default.
    """


class Nothing(Body, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A body without content: ``[]``."""
