"""How large a file and a function may be, and how a file opens: pure rules over one file's text.

Each rule takes (path, text) and gives the complaints it has, each a sentence that starts with the
place. It knows no folder and reads nothing; `test_layout.py` brings it the files.
"""

import ast
import statistics
from collections.abc import Iterable, Iterator

FILE_LINES = 400  # what fits in a head in one sitting
MEDIAN_LINES = 150  # the usual file is far smaller than the limit
FUNCTION_LINES = 40  # one screen, without its docstring

LONG_FUNCTIONS: dict[str, str] = {}
"""``path:name`` → why this one function may be longer. Empty, and meant to stay so."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def too_long(path: str, text: str) -> Iterator[str]:
    """Complain of a file past FILE_LINES."""
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}: it holds more than one thing"


def median_complaint(name: str, sizes: Iterable[int]) -> Iterator[str]:
    """Complain of a group of files whose median length (lines) is past MEDIAN_LINES."""
    median = statistics.median(sizes)
    if median > MEDIAN_LINES:
        yield f"{name}: the median file has {median:.0f} lines, at most {MEDIAN_LINES}"


def _body_lines(function: Function) -> int:
    """Count a function's lines from its `def` to its end, without its docstring."""
    last = function.end_lineno or function.lineno
    lines = last - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def long_functions(path: str, text: str) -> Iterator[str]:
    """Complain of each function past FUNCTION_LINES that is not excused by name."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, Function) or f"{path}:{node.name}" in LONG_FUNCTIONS:
            continue
        lines = _body_lines(node)
        if lines > FUNCTION_LINES:
            yield f"{path}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES}"


def no_opening(path: str, text: str) -> Iterator[str]:
    """Complain of a module that does not open with its theory."""
    if not ast.get_docstring(ast.parse(text)):
        yield f"{path}: opens without a docstring: what it is, what holds, what it must not know"


def not_a_door_plate(path: str, text: str) -> Iterator[str]:
    """Complain of an ``__init__.py`` with more than a docstring, imports and named tables."""
    if not path.endswith("__init__.py"):
        return
    plate = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    for node in ast.parse(text).body:
        if not isinstance(node, plate):
            yield f"{path}:{node.lineno}: a door plate holds no code; give it a file with a name"
