"""``python -m bench [--only NAME…] [--runs N] [--peers NAME…]``: measure, print a JSON line a
figure (standard output) and the tables behind them (standard error).

A name is a figure's, or the part before its point: ``payments``, ``failover.killed``. Runs and
peers are for the failover figures; ``--peers none`` measures ours alone. Exit code 1 if a figure of
ours could not be had.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from bench.attackers import KINDS
from bench.figures import Figure, Options, line, tell

FAMILY: Final = "bench.failover.contest"
"""Figures that are measured together, because systems take turns."""
IDLE: Final = "bench.idle"
BENCHES: Final = {
    "payments.full_stack": ("bench.payments", "full_stack"),
    "payments.grown": ("bench.grown", "grown"),
    "enquiry.p99": ("bench.enquiry", "p99"),
    "failover.killed": (FAMILY, "measured"),
    "failover.daemon": (FAMILY, "measured"),
    "failover.silent": (FAMILY, "measured"),
    "failover.frozen": (FAMILY, "measured"),
    "failover.link_cut": (FAMILY, "measured"),
    "failover.switchover": (FAMILY, "measured"),
    "failover.silent_fast": ("bench.failover.alone", "silent_fast"),
    "failover.sync_entry": ("bench.failover.alone", "sync_entry"),
    "node.idle": (IDLE, "measured"),
    "node.memory": (IDLE, "measured"),
    "witness.memory": (IDLE, "measured"),
    **dict.fromkeys(
        (f"abuse.{kind}" for kind in (*KINDS, "wait")),
        ("bench.abuse", "measured"),
    ),
    "wan.payment_bytes": ("bench.wan", "payment_bytes"),
    "wan.first_payment": ("bench.wan", "first_payment"),
}
"""Each figure: the module and the function that measures it, imported when it is asked for; a
function may want the ``names`` it is asked for and the ``options``.
"""
NONE: Final = "none"


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


def errands(names: Sequence[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Give what is to be called, in order: module, function and the figures it is called for."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in names:
        found.setdefault(BENCHES[name], []).append(name)
    return [(*place, tuple(figures)) for place, figures in found.items()]


def measured(module: str, function: str, names: tuple[str, ...], options: Options) -> list[Figure]:
    """Measure these figures; those that could not be had are missing, the reason is on standard
    error.
    """
    tell(f"\n== {' '.join(names)}")
    measure: Callable[..., Figure | list[Figure]] = getattr(
        importlib.import_module(module), function
    )
    try:
        wants = {"names": names, "options": options}
        asked = inspect.signature(measure).parameters
        found = measure(**{name: wants[name] for name in asked})
    except Exception:  # noqa: BLE001 - the other figures are measured all the same
        tell(traceback.format_exc())
        return []
    return found if isinstance(found, list) else [found]


def peers(said: Iterable[str]) -> tuple[str, ...]:
    """Give the peers these words mean: all for none, nobody for ``none``; ValueError names a wrong
    one.
    """
    wanted, there = tuple(said), Options().peers
    for name in wanted:
        if name not in {*there, NONE}:
            raise ValueError(f"there is no peer '{name}'; there are: {', '.join(there)}, {NONE}")
    return tuple(one for one in there if not wanted or one in wanted)


def main() -> int:
    """Measure what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", nargs="+", action="extend", default=[], metavar="NAME")
    parser.add_argument("--runs", type=int, default=Options().runs, metavar="N")
    parser.add_argument("--peers", nargs="+", action="extend", default=[], metavar="NAME")
    said = parser.parse_args()
    try:
        names, options = chosen(said.only), Options(max(1, said.runs), peers(said.peers))
    except ValueError as wrong:
        parser.error(str(wrong))
    signal.signal(signal.SIGTERM, _end)  # so that what was started is stopped as well
    missing = set(names)
    for module, function, wanted in errands(names):
        for figure in measured(module, function, wanted, options):
            missing.discard(figure.bench)
            print(line(figure), flush=True)
    return 1 if missing else 0


def _end(_number: int, _frame: Any) -> None:
    sys.exit(143)


if __name__ == "__main__":
    sys.exit(main())
