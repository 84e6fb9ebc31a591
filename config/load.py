"""From a settings file (or a client's environment) to typed settings, or one sentence that says
what is wrong and where.

A sentence names the file, the key as a dotted path, and the reason; an unknown key brings the name
it was probably meant to be. Paths come out absolute, relative ones counted from the file that names
them, and files that must exist are looked for here, at the door, not in the middle of the night.
This file must not know what a setting does.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from config.explain import bare, explain, group_of, item_of
from config.settings import (
    ClientSettings,
    EtcdSettings,
    NodeSettings,
    PostgresSettings,
    Settings,
    TlsSettings,
    WitnessSettings,
)
from config.signing_in import SignInSettings
from config.yaml import YamlError, read_yaml

S = TypeVar("S", bound=Settings)

ENVIRONMENT: Final = {
    "MPOWER_CLUSTER": "cluster",
    "MPOWER_NODES": "nodes",
    "MPOWER_PEERS": "peers",
    "MPOWER_WITNESS": "witness",
    "MPOWER_JOURNAL": "journal",
    "MPOWER_CA": "tls.ca",
    "MPOWER_CERT": "tls.certificate",
    "MPOWER_KEY": "tls.key",
    "MPOWER_REVOKED": "tls.revoked",
}
"""What the environment may say, and which setting of mpower.yaml it replaces. MPOWER_HOME names the
folder.
"""


CLOSED: Final = (
    "this user may not read it; run this as the user it belongs to, or with settings of your own"
)


class SettingsError(ValueError):
    """Settings that cannot be used: ``source`` (file), ``key`` (dotted, '' if none), ``reason``;
    str() is the sentence.
    """

    def __init__(self, source: str, key: str, reason: str) -> None:
        self.source, self.key, self.reason = source, key, reason
        super().__init__(f"{source}: {key}: {reason}." if key else f"{source}: {reason}.")


def load_node(path: Path) -> NodeSettings:
    """Read the settings of a node; SettingsError names file, key and reason."""
    settings = _load(path, NodeSettings)
    _look_for_files(path, "tls", settings.tls)
    _look_for_files(path, "postgres", settings.postgres)
    _look_for_files(path, "sign_in", settings.sign_in)
    if settings.cluster.etcd is not None and settings.cluster.arbiter == "etcd":
        _look_for_files(path, "cluster.etcd", settings.cluster.etcd)
    for event, program in msgspec.structs.asdict(settings.callbacks).items():
        if isinstance(program, str):
            _look_for_program(path, f"callbacks.{event}", Path(program))
    return settings


def load_witness(path: Path) -> WitnessSettings:
    """Read the settings of a witness; SettingsError names file, key and reason."""
    settings = _load(path, WitnessSettings)
    _look_for_files(path, "tls", settings.tls)
    return settings


def load_client(
    path: Path | None = None, environment: Mapping[str, str] | None = None
) -> ClientSettings:
    """Read a client's settings: mpower.yaml (``path``: it or its folder; else MPOWER_HOME; else
    here), then MPOWER_*.
    """
    said = os.environ if environment is None else environment
    place = path or Path(said.get("MPOWER_HOME", "."))
    named = path is not None or "MPOWER_HOME" in said
    file = _client_file(place)
    raw: Any = {}
    if file.exists():
        raw = _read(file)
    elif named:
        who = "--settings" if path is not None else "MPOWER_HOME"
        reason = f"the file does not exist; {who} names the folder that 'mpower init' wrote"
        raise SettingsError(str(file), "", reason)
    elif not any(name in said for name in ENVIRONMENT):
        raise SettingsError(
            str(file),
            "",
            "the file does not exist; go to the settings folder, set MPOWER_HOME to it,"
            " or write one with 'mpower init'",
        )
    raw = _resolve(raw, ClientSettings, file.parent)
    for variable, key in ENVIRONMENT.items():
        if said.get(variable):
            _put(raw, key, said[variable])
    source = str(file) if file.exists() else "the environment (MPOWER_*)"
    settings = settings_from(raw, ClientSettings, source, Path.cwd())
    _look_for_files(Path(source), "tls", settings.tls)
    return settings


def _client_file(place: Path) -> Path:
    """``place`` is the file, or the folder it is in; SettingsError if nobody may look."""
    try:
        file = place / "mpower.yaml" if place.is_dir() else place
        file.exists()
    except PermissionError as wrong:
        raise SettingsError(str(place), "", CLOSED) from wrong
    return file


def with_certificate(tls: TlsSettings, kind: str, name: str | None = None) -> TlsSettings:
    """Take the certificate of another identity (``kind`` node, counter, bank, ops) from the same
    folder.

    Without a name: the configured one if it is of that kind, else the only one there. SettingsError
    says the choices.
    """
    folder = tls.certificate.parent
    if name is None and tls.certificate.stem.startswith(f"{kind}-"):
        return tls
    found = sorted(folder.glob(f"{kind}-{name or '*'}.crt"))
    if len(found) == 1 and found[0].with_suffix(".key").exists():
        _readable(folder, "tls.key", found[0].with_suffix(".key"))
        _keep_secret(folder, "tls.key", found[0].with_suffix(".key"))
        return msgspec.structs.replace(tls, certificate=found[0], key=found[0].with_suffix(".key"))
    wanted = f"{kind} certificate for {name}" if name else f"single {kind} certificate"
    choices = ", ".join(one.stem for one in sorted(folder.glob(f"{kind}-*.crt"))) or "none"
    raise SettingsError(
        str(folder), "tls.certificate", f"there is no {wanted} with its key (found: {choices})"
    )


def _load(path: Path, wanted: type[S]) -> S:
    return settings_from(_read(path), wanted, str(path), path.parent)


def _read(path: Path) -> Any:
    try:
        raw = read_yaml(path.read_bytes())
    except OSError as wrong:
        raise SettingsError(str(path), "", _unread(wrong)) from wrong
    except YamlError as wrong:
        where = f"line {wrong.line}" if wrong.line else ""
        raise SettingsError(str(path), where, wrong.reason) from wrong
    if not isinstance(raw, dict):
        raise SettingsError(str(path), "", "it must hold settings as 'key: value' lines")
    return raw


def _unread(wrong: OSError) -> str:
    """Why a file cannot be read, and what to do where that is known."""
    if isinstance(wrong, FileNotFoundError):
        return "the file does not exist"
    return CLOSED if isinstance(wrong, PermissionError) else f"cannot be read ({wrong.strerror})"


def settings_from(raw: Any, wanted: type[S], source: str, folder: Path) -> S:
    """Check plain values into settings; paths count from ``folder``, ``source`` is named in a
    SettingsError.
    """
    base = folder.absolute()

    def path_of(kind: type, value: Any) -> Any:
        assert kind is Path, kind
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError(f"a path is needed, not {value!r}")
        return Path(os.path.normpath(base / value))

    known = _check_keys(raw, wanted, source, "")
    try:
        return msgspec.convert(known, wanted, dec_hook=path_of)
    except msgspec.ValidationError as wrong:
        key, reason = explain(str(wrong), wanted)
        raise SettingsError(source, key, reason) from wrong


def _check_keys(raw: Any, wanted: Any, source: str, at: str) -> Any:
    """Refuse unknown keys by name; an empty group (all commented out) means its defaults."""
    group = group_of(wanted)
    if group is None:
        item = item_of(wanted)
        if item is None or not isinstance(raw, list):
            return raw
        return [_check_keys(one, item, source, f"{at}[{n}]") for n, one in enumerate(raw)]
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        return raw
    fields = {field.name: field.type for field in msgspec.structs.fields(group)}
    for key in raw:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean '{near[0]}'" if near else f"known here: {', '.join(fields)}"
            raise SettingsError(
                source, f"{at}.{key}".strip("."), f"there is no such setting; {hint}"
            )
    return {
        key: _check_keys(value, fields[key], source, f"{at}.{key}".strip("."))
        for key, value in raw.items()
    }


def _look_for_files(
    source: Path, at: str, group: TlsSettings | PostgresSettings | EtcdSettings | SignInSettings
) -> None:
    for field in msgspec.structs.fields(group):
        path = getattr(group, field.name)
        if isinstance(path, Path):
            _readable(source, f"{at}.{field.name}", path)
    if isinstance(group, TlsSettings | EtcdSettings):
        _keep_secret(source, f"{at}.key", group.key)


def _readable(source: Path, at: str, path: Path) -> None:
    try:
        path.open("rb").close()
    except FileNotFoundError as wrong:
        raise SettingsError(str(source), at, f"there is no {path}") from wrong
    except OSError as wrong:
        raise SettingsError(str(source), at, f"{path}: {_unread(wrong)}") from wrong


def _keep_secret(source: Path, at: str, key: Path) -> None:
    """Refuse a private key that others on this machine can read: it is not private any more."""
    if key.stat().st_mode & 0o077:
        raise SettingsError(
            str(source), at, f"others can read {key}; make it private with 'chmod 400 {key}'"
        )


def _look_for_program(source: Path, at: str, program: Path) -> None:
    """Refuse a program that is not there, or that others may change: it runs as the daemon."""
    if not program.is_file():
        raise SettingsError(str(source), at, f"there is no program {program}")
    if not os.access(program, os.X_OK):
        reason = f"{program} may not be executed; 'chmod 755 {program}'"
        raise SettingsError(str(source), at, reason)
    if program.stat().st_mode & 0o022:
        reason = f"others can change {program}, which runs as this daemon; 'chmod go-w {program}'"
        raise SettingsError(str(source), at, reason)


def _resolve(raw: Any, wanted: Any, folder: Path) -> Any:
    """Make the paths of a client's file absolute before the environment, which counts from here,
    joins them.
    """
    group = group_of(wanted)
    if group is None or not isinstance(raw, dict):
        is_path = Path in bare(wanted) and isinstance(raw, str) and raw
        return str(folder.absolute() / raw) if is_path else raw
    fields = {field.name: field.type for field in msgspec.structs.fields(group)}
    return {key: _resolve(value, fields.get(key), folder) for key, value in raw.items()}


def _put(raw: dict[str, Any], key: str, value: str) -> None:
    *groups, last = key.split(".")
    for group in groups:
        inner = raw.get(group)
        raw[group] = dict(inner) if isinstance(inner, dict) else {}
        raw = raw[group]
    raw[last] = value.split(",") if last in {"nodes", "peers"} else value
