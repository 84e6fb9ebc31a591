"""The page of explain: the answer of the node whose business it is, what is against it, what to
do.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import structs

from clients.__main__ import mpower
from clients.ops.asking import Heard
from clients.ops.explain import Answer, Explained, Guard, Judged, judged, page
from clients.ops.seen import Seen
from clients.ops.silence import nobody
from protocols import peer

UNMET = Guard("HEARD", False, "b was heard 9.0 s ago", "it is heard", "Bring b back.")
MET = Guard("FIT", True, "settings fit", "nothing against", "")
A = Explained(
    "a",
    "b",
    "PRIMARY_SOLO",
    "why",
    Answer(True, "a is open."),
    Answer(False, "b is not in sync: b was heard 9.0 s ago.", [UNMET, MET]),
    Answer(False, "a is the primary by record; b says.", counts=False),
)
B = Explained(
    "b",
    "a",
    "STANDBY_SYNC",
    "why",
    Answer(False, "b is not open.", [UNMET], counts=False),
    Answer(True, "b is in sync by record.", counts=False),
    Answer(True, "b is ready.", [MET, Guard("SILENT", False, "a lives", "silence", "")]),
)


def test_each_question_is_answered_by_whose_business_it_is() -> None:
    assert [(one.node, one.yes) for one in judged([A, B])] == [
        ("a", True),
        ("a", False),
        ("b", True),
    ]


def test_who_has_not_heard_that_it_was_succeeded_is_not_asked() -> None:
    old = structs.replace(A, sync=Answer(True, "Two copies."), known=(1, 14))
    new = structs.replace(A, node="b", open=Answer(False, "b is not open."), known=(1, 16))
    assert [(one.node, one.yes) for one in judged([old, new])][:2] == [("b", False), ("b", False)]


def test_what_a_silent_node_would_say_is_not_known() -> None:
    _, _, failover = judged([A])
    assert failover == Judged(
        "failover",
        False,
        "",
        "Not known: b, which could say, does not answer. a is the primary by record; b says.",
    )


def test_the_page_shows_what_is_against_and_what_to_do_and_nothing_else() -> None:
    text = page(judged([A, B]), [])
    assert "Is it open for payments?  YES" in text
    assert "  - b was heard 9.0 s ago (needed: it is heard)\n    do: Bring b back." in text
    assert "settings fit" not in text
    assert "a lives" not in text, "that the primary lives is nothing to mend"


def test_every_condition_is_shown_on_request() -> None:
    text = page(judged([A, B]), ["b: no answer"], every=True)
    assert "+ settings fit" in text
    assert text.endswith("\nb: no answer")


@pytest.mark.parametrize(
    ("nodes", "code"), [([A, B], 0), ([A], 0), ([B], 4), ([], 3)], ids=["both", "a", "b", "none"]
)
def test_it_ends_as_status_does_whatever_it_had_to_explain(
    nodes: list[Explained], code: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [peer.Answer(1, ok=True, data=msgspec.json.encode(one).decode()) for one in nodes]
    heard = [Heard(f"h:{n}", one) for n, one in enumerate(said)]
    seen = Seen([], None, {}, {"h:9": "no answer within 1 s"}, 0.0)
    monkeypatch.setattr("clients.ops.explain.on_reactor", lambda *_: (seen, heard))
    done = CliRunner().invoke(mpower, ["--settings", str(home), "cluster", "explain"])
    assert done.exit_code == code, done.output


def test_papers_that_do_not_belong_together_are_named(home: Path, tmp_path: Path) -> None:
    board = Path(shutil.copytree(home, tmp_path / "board"))
    key = board / "pki" / "ops-ops1.key"
    key.chmod(0o600)
    key.write_bytes((board / "pki" / "counter-C001.key").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "clients", "--settings", str(board), "cluster", "explain"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"{key} and {board}/pki/ca.crt do not belong together, or one is damaged" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("why", "told"),
    [("no answer within 1 s", "Nobody answered."), ("certificate verify failed", "another board")],
)
def test_who_cannot_be_trusted_is_not_called_silent(why: str, told: str) -> None:
    assert told in nobody({"h:1": "Connection refused", "h:2": why})
