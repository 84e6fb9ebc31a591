"""What can go wrong between a node and its PostgreSQL; every text is a sentence an operator can act
on.

The failover table must tell apart three outcomes of anything written: it happened, it did not,
nobody knows. `CommitUncertainError` and `DeadlinePassedError` are the third: what was begun goes
on, and only its key or the WAL can say later what became of it.
"""


class PostgresTroubleError(Exception):
    """Base of everything this package raises on purpose; its text is for the operator."""


class BinariesMissingError(PostgresTroubleError):
    """No usable PostgreSQL programs on this machine."""


class MisplacedError(PostgresTroubleError):
    """The settings cannot work here: a private home, an unsafe address, a missing user."""


class CommandFailedError(PostgresTroubleError):
    """A short command (initdb, pg_basebackup, pg_controldata) failed or ran too long."""


class StartFailedError(PostgresTroubleError):
    """The postmaster ended, or accepted nobody, before its deadline."""


class DeadlinePassedError(PostgresTroubleError):
    """The answer did not come in time. The work was not cancelled and may still be done."""


class CommitUncertainError(PostgresTroubleError):
    """A commit returned with a notice: durable here, perhaps not on the standby (fact F1)."""


class PromotionStuckError(PostgresTroubleError):
    """Still in recovery although replay makes no progress."""


class FenceRefusedError(PostgresTroubleError):
    """The database already carries a higher term than the one to be written."""
