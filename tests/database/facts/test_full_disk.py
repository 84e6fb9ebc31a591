"""A node starts on a disk that takes no writes: what it would write stands there already."""

import errno
from pathlib import Path

import pytest

from cluster.postgres import disk
from cluster.postgres.account import Account
from tests.postgres_nodes import PASSWORD, control_for, fresh_folder, on_reactor, plan_for


def no_room(path: Path, content: bytes, account: Account) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


@on_reactor
async def test_a_second_life_writes_nothing_before_it_serves() -> None:
    with fresh_folder() as folder, pytest.MonkeyPatch.context() as patch:
        plan = plan_for(folder)
        await control_for(plan).prepare(PASSWORD)
        patch.setattr(disk, "write_durably", no_room)
        await control_for(plan).prepare(PASSWORD)
        with pytest.raises(OSError, match="No space"):
            await control_for(plan).prepare(PASSWORD + "changed")
