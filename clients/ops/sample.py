"""An invented board: consumers that nobody is, from a seed; the same seed gives the same bytes
everywhere.

Names are composed of syllables and follow no person; mobiles begin with 00000, which no operator
assigns; numbers are consecutive. Most people owe the current bill, some owe arrears with surcharge,
a few owe nothing. This file must not know the cluster.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from typing import Final

from clients.ops.consumer_file import COLUMNS, HEAD_OFFICE

FIRST_NUMBER: Final = 1_000_000_001
ONSETS: Final = ("Bha", "Che", "Dho", "Gi", "Jha", "Ku", "Lo", "Mi", "Nau", "Pra", "Ri", "Su", "Ta")
MIDDLES: Final = ("bi", "da", "lo", "mu", "na", "ra", "shi", "te", "vo", "ya")
ENDS: Final = ("d", "k", "l", "m", "n", "r", "sh", "t", "v", "")
STREETS: Final = (
    "Lamp Row",
    "Copper Lane",
    "Turbine Street",
    "Meter Bazaar",
    "Fuse Gali",
    "Coil Road",
)
CATEGORIES: Final = {"DS-1": 70, "DS-2": 12, "NDS-1": 12, "LTIS": 3, "AGR": 3}
"""Categories with their share in a hundred."""


def sample_consumers(count: int, seed: int, offices: Sequence[str] = (HEAD_OFFICE,)) -> bytes:
    """Write a consumer file (UTF-8 CSV with office and total) of ``count`` invented consumers,
    spread over ``offices``.
    """
    chance = random.Random(seed)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, "office", "total"])
    for n in range(count):
        heads = _dues(chance)
        writer.writerow(
            [
                FIRST_NUMBER + n,
                f"{_word(chance)} {_word(chance)}",
                f"{chance.randint(1, 400)} {chance.choice(STREETS)}, Ward {chance.randint(1, 60)}",
                chance.choices(list(CATEGORIES), list(CATEGORIES.values()))[0],
                f"MT{n + 1:08d}",
                f"00000{chance.randint(0, 99_999):05d}",
                f"{chance.randint(1, 10)}.{chance.choice((0, 5))}",
                *(_rupees(paise) for paise in heads),
                offices[n % len(offices)],
                _rupees(sum(heads)),
            ]
        )
    return out.getvalue().encode()


def _word(chance: random.Random) -> str:
    middle = "".join(chance.choice(MIDDLES) for _ in range(chance.randint(1, 2)))
    return chance.choice(ONSETS) + middle + chance.choice(ENDS)


def _dues(chance: random.Random) -> list[int]:
    """LPSC, arrears, current, fixed, duty in paise."""
    kind = chance.random()
    if kind < 0.05:
        return [0, 0, 0, 0, 0]
    current = chance.randint(150_00, 4_000_00)
    fixed = chance.choice((40_00, 75_00, 120_00))
    arrears = chance.randint(200_00, 20_000_00) if kind > 0.75 else 0
    return [arrears * 15 // 1000, arrears, current, fixed, current * 6 // 100]


def _rupees(paise: int) -> str:
    return f"{paise // 100}.{paise % 100:02d}"
