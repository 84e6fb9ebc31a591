"""What a person meets who typed a command wrong: what is missing or unknown, the nearest right
word, and a line that can be typed.

Click knows what a command takes; its own sentences say little of what to do next. The line is an
example of the command's own help or of its group's, where one names it, else its arguments in
order. This file must not know any noun.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

import click

QUOTED = re.compile(r"^'(.*?)' is not")
GAP = re.compile(r"\s{2,}")


def sentence(wrong: click.UsageError) -> str:
    """The message of a usage error, for a person; click's own where it says enough."""
    ctx = wrong.ctx
    match wrong:
        case click.MissingParameter(param=click.Parameter() as param) if ctx is not None:
            return f"'{ctx.command_path}' needs {_meant(param)}. Type, for example: {_line(ctx)}"
        case click.BadParameter(param=click.Parameter(type=click.Choice() as one_of) as param):
            typed = QUOTED.match(wrong.message)
            near = _nearest(typed[1], list(map(str, one_of.choices))) if typed else ""
            return f"{_name(param)}: {wrong.message} {near}".rstrip()
        case click.BadParameter(param=click.Parameter(type=click.IntRange() as span) as param):
            return f"{_name(param)} is a whole number, {_span(span)}: {wrong.message}"
        case click.NoSuchOption() if ctx is not None:
            options = [name for one in ctx.command.get_params(ctx) for name in one.opts]
            there = [name for name in options if name.startswith("--")]
            return f"There is no option {wrong.option_name}. {_choices(wrong.option_name, there)}"
        case click.NoSuchCommand() if ctx is not None and isinstance(ctx.command, click.Group):
            there = ctx.command.list_commands(ctx)
            asked = f"There is no '{ctx.command_path} {wrong.command_name}'."
            return f"{asked} {_choices(wrong.command_name, there)}"
    return wrong.format_message()


def _choices(typed: str, there: list[str]) -> str:
    return _nearest(typed, there) or f"There are: {', '.join(there)}."


def _nearest(typed: str, there: list[str]) -> str:
    near = difflib.get_close_matches(typed, there, n=1)
    return f"Did you mean '{near[0]}'?" if near else ""


def _span(span: click.IntRange) -> str:
    if span.max is None:
        return f"{span.min} or more"
    return f"{span.min} to {span.max}"


def _name(param: click.Parameter) -> str:
    """As help calls it: an option by its long name, an argument in capitals."""
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return param.metavar or str(param.name).upper()


def _meant(param: click.Parameter) -> str:
    what = str(getattr(param, "help", None) or "").rstrip(".")
    if isinstance(param.type, click.Choice):
        what = f"one of {', '.join(map(str, param.type.choices))}"
    return f"{_name(param)} ({what})" if what else _name(param)


def _line(ctx: click.Context) -> str:
    """A line that can be typed."""
    path = ctx.command_path
    for text in _texts(ctx):
        for line in text.splitlines():
            said = GAP.split(line.strip().removeprefix("Example: "))[0]
            if said.startswith(f"{path} "):
                return said
    return " ".join([path, *_needed(ctx)])


def _texts(ctx: click.Context | None) -> Iterator[str]:
    """Where examples stand: the command's own help, then its group's."""
    while ctx is not None:
        yield ctx.command.epilog or ""
        yield ctx.command.help or ""
        ctx = ctx.parent


def _needed(ctx: click.Context) -> Iterator[str]:
    for param in ctx.command.get_params(ctx):
        if not param.required:
            continue
        one_of = param.type.choices if isinstance(param.type, click.Choice) else ()
        word = str(one_of[0]) if one_of else (param.metavar or str(param.name).upper())
        yield f"{_name(param)} {word}" if isinstance(param, click.Option) else word
