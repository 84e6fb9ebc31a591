"""Turns what PostgreSQL's control and the keepsake say into the machine's words: Facts of a probe,
Holdings of a disk.

Invariant: what is not known becomes 0 or '', never a guess that looks like knowledge. It must not
decide anything.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from cluster.durable import NotOursError
from cluster.events import Event, Facts, Holdings, Probed, ProbeFailed, Walsender
from cluster.keepsake import Kept
from cluster.postgres.control import Control, ControlData, ProbeFacts


def probed(seen: ProbeFacts) -> Event:
    """The event of one probe."""
    return Probed(facts_of(seen)) if seen.ok else ProbeFailed(seen.reason, seen.starved)


def facts_of(seen: ProbeFacts) -> Facts:
    """A good probe in the machine's words."""
    return Facts(
        in_recovery=seen.in_recovery,
        system_id=str(seen.system_id),
        tli=seen.timeline,
        flush_lsn=seen.flush_lsn or 0,
        receive_lsn=seen.receive_lsn or 0,
        replay_lsn=seen.replay_lsn or 0,
        postmaster_start=seen.postmaster_start,
        names=seen.names,
        walsenders=tuple(
            Walsender(
                one.application_name,
                one.state,
                one.flush_lsn or 0,
                one.address,
                one.replay_lsn or 0,
            )
            for one in seen.walsenders
        ),
        oldest_sync_wait_s=seen.oldest_sync_wait_s,
        replay_paused=seen.replay_paused,
        receiver_streaming=seen.receiver_streaming,
        ground=seen.ground,
        peer_hosts=seen.peer_hosts,
    )


async def read_holdings(control: Control, kept: Kept) -> Holdings:
    """What stands on this node's disk while its PostgreSQL does not run."""
    if not await control.initialised():
        return _holdings(None, "", kept)
    live = await control.live_settings()
    found = _holdings(await control.controldata(), live.names, kept)
    return structs.replace(found, kept_old=await control.kept_old())


def _holdings(data: ControlData | None, names: str, kept: Kept) -> Holdings:
    return Holdings(
        has_data=data is not None,
        was_primary=data is not None and "recovery" not in data.state,
        clean_shutdown=data is not None and data.clean,
        system_id=str(data.system_id) if data else "",
        tli=data.timeline if data else 0,
        end_lsn=_end_lsn(data) if data else 0,
        names=names,
        epoch=kept.epoch,
        incarnation=kept.incarnation,
        token=kept.token,
        claim=kept.claim,
        rejoining=kept.rejoining,
        torn=kept.torn,
        unproven=kept.unproven,
        record=kept.record,
    )


def clean_end(data: ControlData) -> int:
    """Where the WAL of a cleanly stopped primary ends; -1 for any other."""
    return _end_lsn(data) if data.clean and "recovery" not in data.state else -1


def _end_lsn(data: ControlData) -> int:
    """Where this copy's WAL certainly reaches.

    The control file names the *start* of the last checkpoint record: one byte more says that the
    record itself is part of this copy, so that a switch exactly before it counts as divergence.
    """
    return max(data.checkpoint_lsn + 1, data.minimum_end_lsn)


def read_password(file: Path) -> str:
    """The password of replication: the file's first line. Blocking.

    NotOursError if there is none: a standby could not sign in.
    """
    try:
        password = file.read_text("utf-8").partition("\n")[0]
    except OSError as wrong:
        raise NotOursError(f"{file} cannot be read ({wrong.strerror}).") from wrong
    if not password:
        raise NotOursError(f"{file} holds no password in its first line.")
    return password
