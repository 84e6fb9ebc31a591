"""Which operating-system user runs PostgreSQL, and whether that user can reach a folder.

PostgreSQL refuses root. A daemon started as root therefore runs it as another account and must put
data and programs where that account can walk; a private home (0700) on the way is found here,
before a start fails in the middle. Started as anyone else, PostgreSQL runs as that same user.
"""

import os
import pwd
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.postgres.troubles import MisplacedError

DEFAULT_USERS: Final = ("mpower", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """The user PostgreSQL runs as. `switches`: this process is root and must change to it."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    switches: bool


def choose_account(
    os_user: str | None,
    *,
    euid: int | None = None,
    lookup: Callable[[str], pwd.struct_passwd] = pwd.getpwnam,
) -> Account:
    """The account for this machine; `os_user` is the setting `postgres.os_user` (None: the
    default).
    """
    euid = os.geteuid() if euid is None else euid
    if euid != 0:
        return _own_account(euid, os_user)
    for name in (os_user,) if os_user else DEFAULT_USERS:
        try:
            found = lookup(name)
        except KeyError:
            continue
        if found.pw_uid == 0:
            message = "postgres.os_user: PostgreSQL refuses to run as root; name another user."
            raise MisplacedError(message)
        groups = tuple(os.getgrouplist(name, found.pw_gid))
        return Account(name, found.pw_uid, found.pw_gid, groups, switches=True)
    wanted = os_user or ", ".join(DEFAULT_USERS)
    message = (
        f"Started as root, and no user to run PostgreSQL exists here (looked for: {wanted}). "
        "Create one (adduser --system mpower) or set postgres.os_user."
    )
    raise MisplacedError(message)


def _own_account(euid: int, os_user: str | None) -> Account:
    me = pwd.getpwuid(euid)
    if os_user not in {None, me.pw_name}:
        message = (
            f"postgres.os_user is {os_user}, but the daemon runs as {me.pw_name} and only root can "
            f"change users. Start it as root, or leave the setting out."
        )
        raise MisplacedError(message)
    return Account(me.pw_name, euid, me.pw_gid, tuple(os.getgroups()), switches=False)


def first_barrier(path: Path, account: Account) -> Path | None:
    """The first folder on the way to `path` (itself included) that `account` may not enter, or
    None.

    Parts that do not exist yet bar nobody. Only mode bits are read; access lists are not.
    """
    resolved = path.resolve()
    for folder in [*reversed(resolved.parents), resolved]:
        try:
            status = folder.stat()
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(status.st_mode) and not may_enter(status, account):
            return folder
    return None


def may_enter(status: os.stat_result, account: Account) -> bool:
    """Do the mode bits let the account pass through this folder?"""
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid or status.st_gid in account.groups:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)
