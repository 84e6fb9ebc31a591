"""A list of which one answer holds only a page, asked for whole.

A page says by its ``mark`` where the next one begins, '' at the end; this is the one place that
goes on. This file must not know any operation.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from clients.asking import Asking


async def all_pages(link: Asking, operation: str, body: Any, rows: str) -> Any:
    """Ask page after page; the answer is the first page with the ``rows`` of all."""
    got = await link.ask(operation, body)
    found = list(getattr(got, rows))
    while got.mark:
        got = await link.ask(operation, replace(body, mark=got.mark))
        found += getattr(got, rows)
    return replace(got, **{rows: found})
