"""What pg_controldata says about a data folder whose server is not running.

Its timeline is the one of the last checkpoint: after a promotion it stays old until a CHECKPOINT
(fact F5), so an equal timeline proves nothing to an ex-primary.
"""

from dataclasses import dataclass

from cluster.postgres.lsn import parse_lsn
from cluster.postgres.troubles import CommandFailedError


@dataclass(frozen=True, slots=True)
class ControlData:
    """`state` as PostgreSQL words it; positions in bytes, 0 when none.

    `clean`: shut down properly (as primary or in recovery), so `checkpoint_lsn` is where the WAL
    ends for a primary, and `minimum_end_lsn` what a standby must replay to be consistent.
    """

    system_id: int
    state: str
    timeline: int
    checkpoint_lsn: int
    minimum_end_lsn: int
    minimum_end_timeline: int

    @property
    def clean(self) -> bool:
        """True when the server that wrote this was shut down in order."""
        return self.state in {"shut down", "shut down in recovery"}


def parse_controldata(text: str) -> ControlData:
    """Reads pg_controldata's output (in the C locale); CommandFailedError names what is missing."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip()] = value.strip()
    try:
        return ControlData(
            system_id=int(found["Database system identifier"]),
            state=found["Database cluster state"],
            timeline=int(found["Latest checkpoint's TimeLineID"]),
            checkpoint_lsn=parse_lsn(found["Latest checkpoint location"]),
            minimum_end_lsn=parse_lsn(found["Minimum recovery ending location"]),
            minimum_end_timeline=int(found["Min recovery ending loc's timeline"]),
        )
    except (KeyError, ValueError) as error:
        message = f"pg_controldata's answer cannot be read: {error}."
        raise CommandFailedError(message) from error
