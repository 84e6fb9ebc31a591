"""Which files are pure, and what a pure file may not touch: a rule over one file's text.

Time and chance come in by the door, as arguments; so a pure file names no clock, no random source,
no socket, no process and no reactor, and can be run from a seed. import-linter holds the layers;
this holds the files inside a layer.
"""

import ast
import re
from collections.abc import Iterator

PURE = (
    r"protocols/.+\.py",
    r"cluster/[a-z_]+\.py",
    r"cluster/(machine|rules)/.+\.py",
    r"cluster/opsport/(codes|ring)\.py",
    r"mpowerd/[a-z_]+/rules(/.+)?\.py",
)
SHELLS = (
    r"protocols/shell/.+",
    r"cluster/(__main__|compose|node|witness|serving)\.py",  # whole processes, put together
    r"cluster/(door|exchange|heart|link|pulse|senses|session|thinking)\.py",  # sockets and the loop
    r"cluster/(duties|errands|verbs)\.py",  # what was ordered, carried out
    r"cluster/(annals|durable|keepsake|volume)\.py",  # the disk
    r"cluster/(chronicle|herald|supervisor)\.py",  # the log, and who started us
)
"""What PURE would cover but may touch the world. A new file is pure until it is named here."""

FORBIDDEN_IMPORTS = frozenset(
    {"time", "random", "secrets"}
    | {"os", "fcntl", "shutil", "tempfile", "subprocess", "signal", "sqlite3"}
    | {"socket", "ssl", "select", "asyncio", "threading", "multiprocessing", "concurrent"}
    | {"twisted", "uvloop", "OpenSSL", "psycopg", "psycopg_pool", "structlog", "logging"}
)
FORBIDDEN_INSIDE = ("protocols.shell",)
IO_CALLS = frozenset({"open", "input", "print"})
NOW = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "urandom", "fromtimestamp"})
"""Calls that read a clock or a random source through an otherwise pure module."""


def is_pure(path: str) -> bool:
    """Say whether the house calls the file at ``path`` pure."""
    shell = any(re.fullmatch(pattern, path) for pattern in SHELLS)
    return not shell and any(re.fullmatch(pattern, path) for pattern in PURE)


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _reaches_out(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in FORBIDDEN_IMPORTS or any(
        module == inside or module.startswith(f"{inside}.") for inside in FORBIDDEN_INSIDE
    )


def impurities(path: str, text: str) -> Iterator[str]:
    """Complain of each import and call by which a pure file would reach the world."""
    tree = ast.parse(text)
    told = set()
    for line, module in _imported(tree):
        if _reaches_out(module) and line not in told:
            told.add(line)
            yield f"{path}:{line}: imports {module}: pure files get time, chance and I/O as values"
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in NOW:
                yield f"{path}:{node.lineno}: calls {name}(): take the value by argument"
            case ast.Call(func=ast.Name(id=name)) if name in IO_CALLS:
                yield f"{path}:{node.lineno}: calls {name}(): a pure file does no I/O"
