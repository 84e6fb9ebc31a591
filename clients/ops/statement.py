"""What a person stands for before a verb that can lose payments: a statement, and the name of the
cluster, typed.

Nothing is asked for twice, nothing is assumed: another name than the cluster's ends the command. It
must not know what the verb does.
"""

from __future__ import annotations

import click

from clients.door import Ended, Exit


def be_sure(cluster: str, statements: list[str], confirm: str | None) -> None:
    """Say what must hold, and have the cluster's name typed (or given as ``confirm``); Ended if it
    is another. Without statements nothing is asked.
    """
    if not statements:
        return
    click.echo("\n".join(statements), err=True)
    ask = f"Type the cluster's name ({cluster}) if that holds"
    try:
        typed = confirm or click.prompt(ask, err=True)
    except click.Abort:
        why = f"No name was typed. Nothing was done. Without a terminal: --confirm {cluster}"
        raise Ended(Exit.REFUSED, f"\n{why}") from None
    if typed != cluster:
        raise Ended(Exit.REFUSED, f"'{typed}' is not the cluster's name. Nothing was done.")
