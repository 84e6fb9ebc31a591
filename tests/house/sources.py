"""The files of the house that its own tests read.

Walks the folders that hold our text; never the environment, caches or what a build made. A path is
always given relative to the house and with forward slashes, because the rules speak in such paths.
"""

from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
CODE = ("protocols", "config", "cluster", "mpowerd", "clients")
FOLDERS = (*CODE, "tests", "bench", "docs", "deploy", ".ci")
RECORDS = (".coverage", ".git")
"""Files at the top that tools keep for themselves; .git is one in a second working tree."""
MADE = frozenset({"__pycache__", "_build", "node_modules"})
OURS = frozenset(
    {"", ".py", ".sql", ".yaml", ".yml", ".toml", ".md", ".sh", ".service", ".cfg", ".csv", ".txt"}
    | {".html", ".css", ".sha256", ".lock", ".conf"}
)


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text file of ours, or of those with one of ``suffixes``."""
    wanted = frozenset(suffixes) or OURS
    tops = [path for path in HOUSE.iterdir() if path.is_file() and path.suffix in wanted]
    for folder in FOLDERS:
        tops += [path for path in (HOUSE / folder).rglob("*") if path.suffix in wanted]
    for path in sorted(tops):
        relative = path.relative_to(HOUSE)
        # A dot file such as a coverage record has no suffix either: only .gitignore is ours.
        if not path.is_file() or MADE.intersection(relative.parts):
            continue
        if len(relative.parts) == 1 and path.name.startswith(".") and path.name != ".gitignore":
            continue
        yield relative.as_posix(), path.read_text(encoding="utf-8")


def everything() -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every file that lies in the repository, whatever its name or kind; what
    is no text is read as far as it is.
    """
    tops = [path for path in HOUSE.iterdir() if path.is_file()]
    for folder in FOLDERS:
        tops += [path for path in (HOUSE / folder).rglob("*") if path.is_file()]
    for path in sorted(tops):
        relative = path.relative_to(HOUSE)
        made = MADE.intersection(relative.parts) or path.name.startswith(RECORDS)
        if not made:
            yield relative.as_posix(), path.read_text(encoding="utf-8", errors="replace")


def under(path: str, *folders: str) -> bool:
    """Say whether ``path`` lies in one of ``folders``."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
