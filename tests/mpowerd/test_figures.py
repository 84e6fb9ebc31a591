"""The daemon's figures: each outcome counted once under the right name, and all in the manual."""

import re

from msgspec import Raw
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mpowerd.figures import Figures
from mpowerd.outcomes import Outcome
from protocols.messages import Refusal, Reply
from protocols.refusals import SENTENCES, Refused
from tests.house.sources import HOUSE, texts

PRESENT = {
    "terminals": {"counter": 3, "bank": 0},
    "turned_away": {"connections in total": 2},
    "strangers": {"revoked": 3},
    "doors_open": True,
    "sessions": 2,
    "payments_waiting": 5,
}
DECLARED = re.compile(r"""f?"(?:mpower_|\{PREFIX\})([a-z_]+)\"""")
GAUGES = re.compile(r"""(?:_gauge|_one_of)\(\s*f?"(?:\{name\})?([a-z_]+)\"""")


def read(figures: Figures) -> dict[str, float]:
    text = generate_latest(figures.registry).decode()
    return {
        f"{one.name}{sorted(one.labels.values())}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_payments_are_counted_by_what_became_of_them() -> None:
    figures = Figures()
    figures.show(lambda: PRESENT)
    figures.paid(Outcome(b"r", None, replay=False))
    figures.paid(Outcome(b"r", None, replay=False))
    figures.paid(Outcome(b"r", None, replay=True))
    figures.paid(Outcome(None, ("NO_DAY", "s"), replay=False))
    figures.paid(Refused("BUSY"))
    figures.answered(Refusal(1, "BUSY", "s", False, 1, False))
    figures.answered(Refusal(1, "NEVER_DECLARED", "s", False, 1, False))
    figures.answered(Reply(1, Raw(b"\x90"), False))
    seen = read(figures)
    assert seen["mpower_payments_acknowledged_total[]"] == 2
    assert seen["mpower_payments_replayed_total[]"] == 1
    assert seen["mpower_refusals_total['BUSY']"] == 1
    assert seen["mpower_replies_total[]"] == 1
    assert seen["mpower_terminals['counter']"] == 3
    assert seen["mpower_handshakes_refused_total['revoked']"] == 3
    assert seen["mpower_payments_waiting[]"] == 5
    assert sum(name.startswith("mpower_refusals_total[") for name in seen) == len(SENTENCES)


def test_every_figure_stands_in_the_manual() -> None:
    manual = (HOUSE / "docs" / "operator" / "ops-port.md").read_text()
    named = set(re.findall(r"`mpower_([a-z_]+)`", manual))
    source = "".join(text for path, text in texts(".py") if path.endswith("figures.py"))
    declared = set(DECLARED.findall(source)) | set(GAUGES.findall(source))
    declared |= {"peer_beat_age_seconds", "arbiter_beat_age_seconds"}
    declared |= {"doors_open", "sessions", "payments_waiting"}
    declared -= {"_beat_age_seconds", ""}
    assert declared == named
