"""Which words may not stand in the house: vague names, unkept promises, this machine's places.

Pure rules over one file's text. A pattern hides its last letter in brackets, so that this file does
not complain of itself.
"""

import ast
import re
from collections.abc import Iterator

VAGUE = frozenset({"manager", "handler", "helper", "util", "engine", "processor"})
"""Names that say nothing of the utility's work; a noun of the counter or the cluster says more."""

PROMISES = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
PLACES = re.compile(r"(?<![\w.~-])/(?:wor[k]|roo[t]|far[m]|hom[e])/")
REGISTRIES = re.compile(
    r"\b(?:pyp[i]|pythonhoste[d]|npmj[s]|deb\.debia[n]|crate[s])\.(?:org|com|io)\b"
)
SKIPS = re.compile(r"\bpytest\.(?:mark\.)?(?:ski[p]|xfai[l])")


def _parts(name: str) -> set[str]:
    """Split a snake or camel name into lower-case singular words."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word.lower().removesuffix("s") for word in words}


def _defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of everything this module gives a name to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname


def vague_names(path: str, text: str) -> Iterator[str]:
    """Complain of each vague word in a name that the file defines, or in the path itself."""
    named = [(1, part) for part in path.removesuffix(".py").split("/")]
    if path.endswith(".py"):
        named += _defined_names(ast.parse(text))
    for line, name in named:
        found = _parts(name) & VAGUE
        if found:
            yield f"{path}:{line}: `{name}` says {min(found)}: say what it does for the utility"


def unkept_promises(path: str, text: str) -> Iterator[str]:
    """Complain of notes to do something later: finish it, or file it where work is planned."""
    yield from _found(path, text, PROMISES, "a promise in a file is kept by nobody")


def places_of_one_machine(path: str, text: str) -> Iterator[str]:
    """Complain of absolute paths that exist only where the author sat."""
    yield from _found(path, text, PLACES, "names a folder of one machine")


def registry_hosts(path: str, text: str) -> Iterator[str]:
    """Complain of package registries named by host: whoever installs has their own."""
    yield from _found(path, text, REGISTRIES, "names a package registry's host")


def skipped_tests(path: str, text: str) -> Iterator[str]:
    """Complain of tests that are there but do not count."""
    yield from _found(path, text, SKIPS, "a test that does not run proves nothing")


def _found(path: str, text: str, pattern: re.Pattern[str], why: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        match = pattern.search(line)
        if match:
            yield f"{path}:{number}: `{match[0].strip()}`: {why}"
