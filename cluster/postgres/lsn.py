"""WAL positions as plain integers.

PostgreSQL writes a position as two hexadecimal halves, `16/B374D848`; everything in this house
compares positions, so they are ints (bytes since the beginning of the WAL) from the moment they are
read.
"""

from typing import Final

_HALF_BITS: Final = 32
_HALF_MASK: Final = (1 << _HALF_BITS) - 1
_HALF_DIGITS: Final = 8


def parse_lsn(text: str) -> int:
    """The position in bytes of `X/Y`; ValueError names the text when it is not a position."""
    high, slash, low = text.partition("/")
    if not slash or not _is_half(high) or not _is_half(low):
        message = f"{text!r} is not a WAL position (two hexadecimal numbers, like 16/B374D848)"
        raise ValueError(message)
    return (int(high, 16) << _HALF_BITS) | int(low, 16)


def format_lsn(position: int) -> str:
    """`X/Y` for a position in bytes, as PostgreSQL prints it."""
    return f"{position >> _HALF_BITS:X}/{position & _HALF_MASK:X}"


def _is_half(text: str) -> bool:
    return 0 < len(text) <= _HALF_DIGITS and all(c in "0123456789abcdefABCDEF" for c in text)
