"""What no file of the house may do or hold: run what a client sent, follow an entity, unpack where
a file says, trust an unverified peer; and no secret stands in the repository. Pure rules.

A secret is found by its form (a private key's block, a known kind of token), by its place (before
the host of an address, in a database's connection string) and by its name: a long text without
spaces given to a name that says password, secret or token. A pattern hides its last letter in
brackets, so that this file does not complain of itself.
"""

import ast
import re
from collections.abc import Iterator

MODULES = {
    **dict.fromkeys(("pickle", "marshal", "shelve", "dill", "jsonpickle"), "runs what it reads"),
    **dict.fromkeys(("xml", "lxml", "xmltodict"), "follows entities"),
    "zipfile": "writes where the file says",
}
CALLS = frozenset({"eval", "exec", "compile", "__import__"})
ATTRIBUTES = frozenset(
    {
        *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "yaml.Loader"),
        *("yaml.UnsafeLoader", "yaml.FullLoader", "os.system", "os.popen", "tempfile.mktemp"),
        *("ssl.CERT_NONE", "ssl._create_unverified_context", "SSL.VERIFY_NONE", "random.seed"),
        *(
            "sqlite3.enable_load_extension",
            "shutil.unpack_archive",
            "asyncio.create_subprocess_shell",
        ),
    }
)
UNPACKING = frozenset({"extract", "extractall"})
FORMS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KE[Y]-----\n[A-Za-z0-9+/]"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\b(?:glpat|pypi)-[A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{35}\b|\bsk_live_[A-Za-z0-9]{16,}"
    r"|\bsk-[A-Za-z0-9]{32,}\b|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\."
)
NAMED = re.compile(
    r"""(?i)\b[a-z_]*(?:password|passwd|secret|token|api_?key)["']?\s*[:=]\s*["']([^"'\s]{12,})["']"""
)
ADDRESSED = re.compile(r"""://[^\s/:@"'{}<>]+:[^\s/@"'{}<>$%]{6,}@""")
CONNECTING = re.compile(
    r"""\b(?:host|user|port|dbname)=[^\s"']+ (?:[a-z]+=[^\s"']+ )*password=[^\s"'{}<>$%]{6,}"""
)
BARE = re.compile(
    r"""(?im)^[ \t-]*[a-z_]*(?:password|passwd|secret|token|api_?key)[ \t]*[:=][ \t]*"""
    r"""[^\s"'#{}()\[\]<>$%/`|]{8,}[ \t]*(?:\#.*)?$"""
)
"""A settings file needs no quotes. A path is no secret, it says where one is."""


def dangerous(path: str, text: str) -> Iterator[str]:
    """Complain of a module, a call or an argument that lets what came from outside do something."""
    for node in ast.walk(ast.parse(text)):
        for what in _uses(node):
            yield f"{path}:{getattr(node, 'lineno', 0)}: {what}"


def _uses(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [one.name for one in node.names]
        )
        for name in names:
            why = MODULES.get(name.partition(".")[0])
            if why:
                yield f"{name} {why}"
    elif isinstance(node, ast.Attribute) and ast.unparse(node) in ATTRIBUTES:
        yield f"{ast.unparse(node)} is not used here"
    elif isinstance(node, ast.Call):
        yield from _asks(node)


def _asks(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield f"{node.func.id}() runs a text"
    if isinstance(node.func, ast.Attribute) and node.func.attr in UNPACKING:
        yield f"{node.func.attr}() writes where the file says"
    for given in node.keywords:
        if given.arg == "shell" and not _is(given.value, value=False):
            yield "shell= starts a shell"
        if given.arg == "verify" and _is(given.value, value=False):
            yield "verify=False believes anybody"


def _is(node: ast.expr, *, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def secrets(path: str, text: str) -> Iterator[str]:
    """Complain of what looks like a secret that somebody could use."""
    bare = () if path.endswith((".py", ".sql")) else (BARE,)
    for pattern in (FORMS, NAMED, ADDRESSED, CONNECTING, *bare):
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: looks like a secret; keep it outside the repository"
