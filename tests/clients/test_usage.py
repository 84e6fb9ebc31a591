"""A command typed wrong is answered with what is meant and a line that can be typed."""

import click.testing
import pytest

from clients.__main__ import mpower


def said(*words: str) -> str:
    done = click.testing.CliRunner().invoke(mpower, words, prog_name="mpower")
    assert done.exit_code == 2, done.output
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("demo kil a", "There is no 'mpower demo kil'. Did you mean 'kill'?"),
        ("demo xyzzy", "There is no 'mpower demo xyzzy'. There are: drill, freeze, heal, kill,"),
        ("demo kill", "'mpower demo kill' needs WHO (one of primary, standby, a, b, witness)."),
        ("demo kill", "Type, for example: mpower demo kill primary"),
        ("demo kill primry", "'primry' is not one of 'primary', 'standby', 'a', 'b', 'witness'."),
        ("demo kill primry", "Did you mean 'primary'?"),
        ("demo kill xyzzy", "WHO: 'xyzzy' is not one of 'primary',"),
        ("demo load x", "PER_SECOND is a whole number, 0 to 2000:"),
        ("demo load", "Type, for example: mpower demo load 100"),
        ("demo run", "Type, for example: mpower demo run -- mpower cluster status"),
        ("demo --json kill a", "What 'kill' takes: "),
        ("demo --keep /", "/ is there already. Give it a new name."),
        ("demo --keep /nowhere/x", "/nowhere does not exist. Name a folder in one that you may"),
        ("cluster reinit", "needs NODE. Type, for example: mpower cluster reinit b --dry-run"),
        ("cluster maintenance", "needs NODE. Type, for example: mpower cluster maintenance b on"),
        (
            "cluster strict",
            "needs SWITCH (one of on, off). Type, for example: mpower",
        ),
        ("cluster handover", "'mpower cluster handover' needs --reason ("),
        ("cluster bootstrap", "Type, for example: mpower cluster bootstrap --admin asha"),
        ("cluster config edit", "mpower cluster config edit cluster.timers.takeover_ms=3000"),
        ("monitor --onc", "There is no option --onc. Did you mean '--once'?"),
        ("monitor --xyzzy", "There is no option --xyzzy. There are: --once, --plain, --json"),
    ],
)
def test_it_is_said_what_to_type(typed: str, told: str) -> None:
    assert told in said(*typed.split())


def test_a_group_alone_is_explained_and_no_error() -> None:
    done = click.testing.CliRunner().invoke(mpower, ["cluster"], prog_name="mpower")
    assert "Commands:" in done.output
    assert "Error" not in done.output
