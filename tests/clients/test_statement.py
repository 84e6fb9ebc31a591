"""Who stands for a risk types the cluster's name; anything else does nothing, and says so."""

import click
import pytest
from click.testing import CliRunner, Result

from clients.ops.statement import be_sure


def asked(typed: str, confirm: str | None = None) -> Result:
    @click.command()
    def act() -> None:
        be_sure("board", ["It must hold."], confirm)
        click.echo("done")

    return CliRunner().invoke(act, input=typed)


@pytest.mark.parametrize(("typed", "confirm"), [("board\n", None), ("", "board")])
def test_the_name_itself_is_believed(typed: str, confirm: str | None) -> None:
    said = asked(typed, confirm)
    assert (said.exit_code, said.stdout.splitlines()[-1]) == (0, "done")


@pytest.mark.parametrize(
    ("typed", "confirm", "told"),
    [
        ("bored\n", None, "'bored' is not the cluster's name. Nothing was done."),
        ("", "bored", "'bored' is not the cluster's name. Nothing was done."),
        ("", None, "No name was typed. Nothing was done. Without a terminal: --confirm board"),
    ],
)
def test_anything_else_does_nothing(typed: str, confirm: str | None, told: str) -> None:
    said = asked(typed, confirm)
    assert said.exit_code == 5
    assert told in said.stderr
    assert "done\n" not in said.stdout
