"""YAML as a person means it: nothing is guessed, nothing is lost, nothing explodes.

PyYAML by default lets the last of two equal keys win, reads 010 as 8, 1:30 as 90 and `on` as true,
and expands aliases without end. Here equal keys are refused, only YAML 1.2's plain words are
numbers and booleans (010, 1:30, on, off and dates stay text), and aliases, tags, depth and size are
bounded. The answer holds only dict, list, str, int, float, bool and None. This file must not know
what a setting is.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

MAX_BYTES: Final = 256 * 1024
"""A full settings file is below 10 KB; larger is the wrong file."""
MAX_DEPTH: Final = 16
"""Settings nest four deep; the parser recurses, so depth is a limit on its stack."""


class YamlError(ValueError):
    """The text is not acceptable YAML: ``line`` (1-based, 0 unknown), ``key`` ('' if none),
    ``reason`` a sentence.
    """

    def __init__(self, reason: str, line: int = 0, key: str = "") -> None:
        self.reason, self.line, self.key = reason, line, key
        super().__init__(f"line {line}: {reason}" if line else reason)


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's plain scalars and without aliases, tags and repeated keys."""

    yaml_implicit_resolvers: Final = {}  # type: ignore[misc]  # starts empty instead of YAML 1.1's

    def __init__(self, stream: str) -> None:
        self._depth = 0
        super().__init__(stream)

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None):  # an alias names its anchor too
            raise YamlError("anchors and aliases are not used here, write the value out", line)
        if getattr(event, "tag", None) is not None:
            raise YamlError(f"the tag {event.tag} is not used here, write the plain value", line)
        if self._depth >= MAX_DEPTH:
            raise YamlError(f"it nests deeper than {MAX_DEPTH} levels", line)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_scalar(self, node: Any) -> Any:
        value: Any = super().construct_scalar(node)
        if not isinstance(value, str):
            return value
        try:  # JSON writes a character beyond the first plane as an escaped pair
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as wrong:
            line = node.start_mark.line + 1
            raise YamlError("half a character (a lone surrogate) stands here", line) from wrong

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        found: dict[Any, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise YamlError(f"the key {key!r} is not text, put it in quotes", line)
            if key in found:
                raise YamlError(
                    f"the key '{key}' stands here twice, first on line {lines[key]}", line, key
                )
            found[key] = self.construct_object(value_node, deep=deep)
            lines[key] = line
        return found


def _plain(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})\Z"), list(first)
    )


_plain("null", "~|null|Null|NULL|", "~nN\0")
_plain("bool", "true|True|TRUE|false|False|FALSE", "tTfF")
# Eighteen digits fit int64; anything longer is text, which no number accepts.
_plain("int", "[-+]?(?:0|[1-9][0-9]{0,17})", "-+0123456789")
_plain("float", r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}", "-+0123456789")
_Loader.yaml_implicit_resolvers.setdefault("", []).append(
    ("tag:yaml.org,2002:null", re.compile(r"^\Z"))
)


def read_yaml(data: bytes) -> Any:
    """Read one YAML document (UTF-8, at most MAX_BYTES) into plain values, or raise YamlError."""
    if len(data) > MAX_BYTES:
        raise YamlError(f"it has {len(data)} bytes, the limit is {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        raise YamlError("it is not UTF-8 text", line) from wrong
    try:
        return _load(text)
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        raise YamlError(
            f"it is not YAML ({wrong.problem or wrong.context})", mark.line + 1 if mark else 0
        ) from wrong
    except YamlError:
        raise
    except (yaml.YAMLError, ValueError, OverflowError) as wrong:  # an escape beyond Unicode
        raise YamlError(f"it is not YAML ({str(wrong).splitlines()[0]})") from wrong


def lines_of(data: bytes) -> dict[str, int]:
    """Where each setting stands: dotted key → line (1-based) of a value that is written out.

    What is left out or commented out has no line. YamlError if the text cannot be read.
    """
    read_yaml(data)
    found: dict[str, int] = {}
    _lines(found, "", composed(data.decode("utf-8-sig")))
    return found


def composed(text: str) -> yaml.Node | None:
    """The document as nodes that know where they stand; it was accepted by ``read_yaml``."""
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node


def _lines(found: dict[str, int], key: str, node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        for name, inner in node.value:
            at = f"{key}.{name.value}" if key else str(name.value)
            if inner.start_mark.index != inner.end_mark.index or inner.value:
                _lines(found, at, inner)
    elif isinstance(node, yaml.SequenceNode) and any(
        isinstance(one, yaml.MappingNode) for one in node.value
    ):
        for n, inner in enumerate(node.value):
            _lines(found, f"{key}[{n}]", inner)
    elif node is not None:
        found[key] = node.start_mark.line + 1


def _load(text: str) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()
