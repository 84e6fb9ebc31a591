"""A master as a file: CSV or YAML in and out, and what a file would change.

A file is the whole master or a part of it: rows that differ from what stands are changed, rows that
stand the same are left, and only with ``--whole`` does what the file leaves out end. Every field
travels as text; on the way out a text that a spreadsheet would take for a formula gets an
apostrophe, which the way in takes off again. This file must not know how a change is asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from clients.columns import FileRefused, Flaw, lines_of
from config.yaml import YamlError, read_yaml
from protocols.masters import MASTERS, Fields, MasterError, checked, fields_of

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would carry out."""


class Difference(Struct, frozen=True):
    """What a file would change of what stands: rows to put, keys to end, keys left as they are."""

    put: list[dict[str, str]]
    ended: list[str]
    same: list[str]


def read_rows(master: str, name: str, data: bytes) -> list[dict[str, str]]:
    """Read a file's rows, each whole and right; FileRefused with all its flaws. ``name`` ends in
    .csv, .yaml or .yml.
    """
    numbered = _yaml_rows(data) if name.endswith((".yaml", ".yml")) else _csv_rows(master, data)
    rows, flaws, seen = [], [], dict[str, int]()
    for line, row in numbered:
        try:
            kept = checked(master, row)
        except MasterError as wrong:
            flaws.append(Flaw(line, "", str(wrong)))
            continue
        key = kept[MASTERS[master].key]
        if key in seen:
            flaws.append(Flaw(line, "", f"{key} is there twice, first in line {seen[key]}"))
        seen[key] = line
        rows.append(kept)
    if not rows and not flaws:
        flaws.append(Flaw(0, "", "the file has no rows"))
    if flaws:
        raise FileRefused(flaws)
    return rows


def _csv_rows(master: str, data: bytes) -> list[tuple[int, dict[str, str]]]:
    lines = list(lines_of(data))
    if not lines:
        return []
    head = lines[0][1]
    if sorted(head) != sorted(fields_of(master)):
        wanted = ",".join(fields_of(master))
        raise FileRefused([Flaw(lines[0][0], "", f"the columns must be {wanted}")])
    rows = []
    for line, fields in lines[1:]:
        if len(fields) != len(head):
            raise FileRefused([Flaw(line, "", f"has {len(fields)} fields, {len(head)} are wanted")])
        rows.append((line, {name: _bare(text) for name, text in zip(head, fields, strict=True)}))
    return rows


def _yaml_rows(data: bytes) -> list[tuple[int, dict[str, str]]]:
    try:
        said: Any = read_yaml(data)
    except YamlError as wrong:
        raise FileRefused([Flaw(0, "", str(wrong))]) from wrong
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise FileRefused([Flaw(0, "", "a YAML master is a list of rows with their fields")])
    return [
        (number, {str(name): "" if value is None else str(value) for name, value in row.items()})
        for number, row in enumerate(said, start=1)
    ]


def difference(
    master: str, rows: Sequence[Fields], stands: Mapping[str, Fields], *, whole: bool
) -> Difference:
    """Compare a file with what stands; ``whole``: what the file leaves out ends."""
    key = MASTERS[master].key
    there = {row[key]: dict(row) for row in rows}
    put = [row for name, row in there.items() if dict(stands.get(name, {})) != row]
    same = [name for name, row in there.items() if dict(stands.get(name, {})) == row]
    ended = sorted(stands.keys() - there.keys()) if whole else []
    return Difference(put, ended, same)


def described(master: str, found: Difference, stands: Mapping[str, Fields]) -> list[str]:
    """Write a difference for a person: + new, ~ changed with before and after, - ended."""
    key = MASTERS[master].key
    lines = []
    for row in found.put:
        before = stands.get(row[key])
        if before is None:
            rest = ", ".join(f"{name} {value}" for name, value in row.items() if name != key)
            lines.append(f"+ {row[key]}: {rest}")
            continue
        changed = [
            f"{name}: {before[name] or '—'} → {value or '—'}"
            for name, value in row.items()
            if before[name] != value
        ]
        lines.append(f"~ {row[key]}: {', '.join(changed)}")
    return lines + [f"- {name}" for name in found.ended]


def written(master: str, rows: Sequence[Fields], name: str) -> bytes:
    """Write rows as a file, CSV or YAML by its name."""
    if name.endswith((".yaml", ".yml")):
        import yaml

        plain = [dict(row) for row in rows]
        text = yaml.safe_dump(plain, allow_unicode=True, sort_keys=False) if plain else "[]\n"
        return text.encode()
    out = io.StringIO(newline="")
    # with "\n" alone a cell's "\r" stood bare, and what follows it began a line of its own
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(fields_of(master))
    for row in rows:
        writer.writerow([_safe(row[field]) for field in fields_of(master)])
    return out.getvalue().encode()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith((*FORMULA, "'")) else text


def _bare(text: str) -> str:
    return text.removeprefix("'")
