"""How a command signs a person in: the options, the password, the body checked beforehand.

Who sits at the command line signs in for every call; the password comes from a prompt or a file,
and a body that the server would not read is refused before it is asked for. This file must not know
any operation.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, get_type_hints

import click
import msgspec

from clients.asking import Asking, Declined, Sitting, reach
from clients.door import talk
from clients.ops.passwords import code, password

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
AGAIN: Final = "Your sign-in is over. Sign in again as {} and what waits goes on."


def as_person(default: str | None) -> Callable[[F], F]:
    """Add ``--as`` (``me``) and ``--password-file``; no default: the user must be named."""
    # click takes a default that is named, None too, for a value: nothing is missing then.
    fallback: dict[str, Any] = (
        {"required": True} if default is None else {"default": default, "show_default": True}
    )

    def with_options(command: F) -> F:
        for option in (
            click.option(
                "--password-file",
                envvar="MPOWER_PASSWORD_FILE",
                help="File with that user's password, or - for standard input."
                " Else MPOWER_PASSWORD_FILE names it.",
            ),
            click.option(
                "--as",
                "me",
                envvar="MPOWER_AS",
                help="Sign in as this user.",
                **fallback,
            ),
        ):
            command = option(command)
        return command

    return with_options


as_admin = as_person("admin")


def signed_in(
    me: str,
    password_file: str | None,
    work: Callable[[Asking], Awaitable[T]],
    counter: str | None = None,
) -> T:
    """Sign ``me`` in and do the work over one link, as an operator or as who sits at a counter."""
    word = password(password_file, f"Password of {me}")

    async def all_of_it(link: Sitting) -> T:
        async def again() -> None:
            talk(AGAIN.format(me))
            file = None if password_file == "-" else password_file  # noqa: S105 - no password
            await _prove(link, me, password(file, f"Password of {me}"))

        await _prove(link, me, word)
        link.on_ended(again)
        return await work(link)

    return reach(all_of_it, "counter", counter) if counter else reach(all_of_it)


async def _prove(link: Asking, me: str, word: str) -> None:
    try:
        await link.sign_in(me, word)
    except Declined as no:
        if no.code != "CODE_NEEDED":
            raise
        await link.sign_in(me, word, code(me))


def checked(body: msgspec.Struct, **called: str) -> Any:
    """Refuse what the server would, before asking for a password. ``called``: what a person knows
    a field by, where that is not its name.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(body), type(body))
    except msgspec.ValidationError as wrong:
        fields = type(body).__struct_fields__
        what, _, where = str(wrong).partition(" - at `$[")
        name = fields[int(where.split("]")[0])] if where else "input"
        said = _plain(what, getattr(body, name, ""), _described(type(body), name))
        raise click.UsageError(f"{called.get(name, name)}: {said}.") from wrong


def _described(body: type, field: str) -> str:
    """Give the words in which a field's form is declared; '' if there are none."""
    kind = get_type_hints(body, include_extras=True).get(field)
    notes = [one.description for one in getattr(kind, "__metadata__", ()) if one.description]
    return notes[0] if notes else ""


def _plain(what: str, value: object, described: str) -> str:
    """Say what a person typed wrong: a form, a length; else as the codec says it."""
    form = re.fullmatch(r"Expected `str` matching regex '\^?(.*?)(?:\\\\Z)?'", what)
    if form is not None:
        return f"'{value}' is not written as it must be, as {described or form[1]}"
    length = re.fullmatch(r"Expected `str` of length ([<>])= (\d+)", what)
    if length is not None:
        least = "at least" if length[1] == ">" else "at most"
        return f"{least} {length[2]} characters, '{value}' has {len(str(value))}"
    return what[:1].lower() + what[1:]


def named(value: Any) -> Any:
    """Give a body with its fields' names, as JSON shows it; bytes as hexadecimal."""
    if isinstance(value, msgspec.Struct):
        return {name: named(one) for name, one in msgspec.structs.asdict(value).items()}
    if isinstance(value, list):
        return [named(one) for one in value]
    return value.hex() if isinstance(value, bytes) else value
