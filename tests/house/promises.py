"""What is declared is used: a setting nobody reads and a refusal nobody raises promise what is not
there.

Pure rules over texts. A setting counts as read where an attribute of its name is loaded outside
config/; a refusal as raised where its code stands alone in a string that is not merely compared
with, or quoted in SQL. They look at names, not at types, so they find what is certainly unused.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

QUOTED = re.compile(r"'([A-Z][A-Z_]+)'")


def attributes_read(text: str) -> set[str]:
    """Give the names of all attributes that a Python file reads."""
    return {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


def unread_settings(settings: Iterable[type[Struct]], read: set[str]) -> Iterator[str]:
    """Complain of each field of ``settings`` whose name is not among the attributes ``read``."""
    for group in settings:
        for field in group.__struct_fields__:
            if field not in read:
                yield f"{group.__name__}.{field} is a setting that nobody reads"


def codes_said(path: str, text: str) -> set[str]:
    """Give the words of a Python or SQL file that may be refusals' codes it answers with."""
    if path.endswith(".sql"):
        return set(QUOTED.findall(text))
    tree = ast.parse(text)
    strings = {node for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    compared = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare | ast.pattern)
        for inner in ast.walk(node)
    }
    return {node.value for node in strings - compared if isinstance(node.value, str)}


def unraised_refusals(codes: Iterable[str], said: set[str]) -> Iterator[str]:
    """Complain of each refusal's code that nothing answers with."""
    for code in codes:
        if code not in said:
            yield f"{code} is a refusal that nothing raises"
