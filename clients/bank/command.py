"""``mpower bank``: post a collection scroll with the bank's own certificate; nobody signs in.

A scroll is read and checked whole before anything is sent, then posted in parts whose keys come
from the bank and the part's content: posting the same file again, also after a cut in the middle or
a refusal, posts only what is missing. This file must not know the format (scroll.py) nor how the
link works.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from clients.asking import Asking, reach, submit_file
from clients.bank.scroll import Scroll, parse_scroll, parts
from clients.columns import FileRefused
from clients.door import Ended, Exit, answer, json_option, talk
from protocols.values import rupees


class Result(Struct, frozen=True):
    """What became of a scroll: lines and paise matched and in suspense, and how many parts stood
    there already.
    """

    scroll: str
    parts: int
    already: int
    matched: int = 0
    matched_paise: int = 0
    suspense: int = 0
    suspense_paise: int = 0


HELP: Final = """\
Post a bank's scroll of payments.

\b
The file, CSV:
  H,<bank>,<scroll>,<value date>
  D,<reference>,<consumer>,<amount>,<date>      one line a payment
  T,<count>,<total>

\b
Example:
  mpower bank post scroll.csv
"""


@click.group(help=HELP)
def bank() -> None:
    """Group the bank's verbs."""


@bank.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only read and check the file.")
@json_option
def post(file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Post the scroll FILE. Posting the same file again changes nothing and says so."""
    try:
        scroll = parse_scroll(file.read_bytes())
    except FileRefused as refused:
        raise Ended(Exit.REFUSED, f"{file}:\n{refused}\nNothing was posted.") from refused
    total = rupees(scroll.total_paise)
    if dry_run:
        answer(
            {
                "scroll": scroll.name,
                "lines": len(scroll.lines),
                "total_paise": scroll.total_paise,
                "dry_run": True,
            },
            f"{len(scroll.lines):,} payments of {total}: the scroll is right."
            " Nothing was posted (dry run).",
            as_json=as_json,
        )
        return
    result = reach(lambda link: post_scroll(link, scroll), "bank", scroll.bank)
    data = {name: getattr(result, name) for name in result.__struct_fields__}
    answer(data, said(result), as_json=as_json)


async def post_scroll(link: Asking, scroll: Scroll) -> Result:
    """Post a scroll part by part; a part that stood there already counts with its first answer."""
    cut = parts(scroll)
    sums = dict.fromkeys(("matched", "matched_paise", "suspense", "suspense_paise"), 0)
    already = 0
    for part in cut:
        scope = f"bank scroll {scroll.bank}"
        got = await submit_file(link, "banking.post", part, scope, part.part)
        already += got.replay
        for name in sums:
            sums[name] += getattr(got.body, name)
        talk(f"{part.part} of {len(cut)} parts")
    return Result(scroll.name, len(cut), already, **sums)


def said(result: Result) -> str:
    """Say the result as people read it: ``matched 9,981 · suspense 19``."""
    text = f"matched {result.matched:,} · suspense {result.suspense:,}"
    if result.already == result.parts:
        return f"{text} · already posted, nothing was posted twice"
    if result.already:
        return f"{text} · {result.already} of {result.parts} parts were already posted"
    return text
