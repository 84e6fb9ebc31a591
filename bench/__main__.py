"""``python -m bench [--only NAME…]``: measure, print a JSON line a figure (standard output) and the
tables behind them (standard error).

A name is a figure's, or the part before its point: ``payments``, ``failover.killed``. Exit code 1
if a figure could not be had.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any, Final

from bench.figures import Figure, line, tell

BENCHES: Final = {
    "payments.full_stack": ("bench.payments", "full_stack"),
    "failover.killed": ("bench.failover", "killed"),
    "failover.silent": ("bench.failover", "silent"),
    "failover.daemon": ("bench.failover", "daemon"),
    "wan.payment_bytes": ("bench.wan", "payment_bytes"),
    "wan.first_payment": ("bench.wan", "first_payment"),
}
"""Each figure: the module and the function that measures it; imported when it is asked for."""


def chosen(only: Iterable[str]) -> list[str]:
    """Give the figures these names mean, in their order; all for none. ValueError names a wrong
    one.
    """
    wanted = list(only)
    for name in wanted:
        if not any(_means(name, one) for one in BENCHES):
            raise ValueError(f"there is no figure '{name}'; there are: {', '.join(BENCHES)}")
    return [one for one in BENCHES if not wanted or any(_means(name, one) for name in wanted)]


def _means(name: str, figure: str) -> bool:
    return name in {figure, figure.partition(".")[0]}


def measured(name: str) -> Figure | None:
    """Measure one figure; None, with the reason on standard error, if it could not be had."""
    module, function = BENCHES[name]
    tell(f"\n== {name}")
    measure: Callable[[], Figure] = getattr(importlib.import_module(module), function)
    try:
        return measure()
    except Exception:  # noqa: BLE001 - the other figures are measured all the same
        tell(traceback.format_exc())
        return None


def main() -> int:
    """Measure what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", nargs="+", action="extend", default=[], metavar="NAME")
    said = parser.parse_args()
    try:
        names = chosen(said.only)
    except ValueError as wrong:
        parser.error(str(wrong))
    signal.signal(signal.SIGTERM, _end)  # so that what was started is stopped as well
    failed = 0
    for name in names:
        figure = measured(name)
        if figure is None:
            failed += 1
        else:
            print(line(figure), flush=True)
    return 1 if failed else 0


def _end(_number: int, _frame: Any) -> None:
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
