"""Bugs that have lost payments elsewhere, each behind a switch: the rig must catch every one.

Some are planted in the decisions (``planted_rules``: a wrapper around ``step``), some in the model
of the daemon (``server``, ``node``, ``orders``) or of the witness, where their names are looked up
in ``world.planted``. Each says by which checks it may be caught, and which faults bring it out:
seeds that play with it meet these more often, so that few are enough.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Plant(NamedTuple):
    """What is wrong, the checks one of which must catch it, the fault kinds that bring it out."""

    wrong: str
    caught_by: tuple[str, ...]
    brought_out_by: tuple[str, ...] = ()


CRASHES: Final = ("primary crashed", "postmaster killed", "power cut")
CUTS: Final = ("links cut", "node cut off", "one-way cut")

PLANTED: Final[dict[str, Plant]] = {
    # the daemon's money path
    "ack_gate_ignored": Plant(
        "a COMMIT that returned is acknowledged, warning or not",
        ("lost",),
        ("waits being cancelled", *CUTS),
    ),
    "any_walreceiver_acknowledges": Plant(
        "the ack gate takes the flush of whoever streams",
        ("lost",),
        ("foreign walreceiver", *CUTS),
    ),
    "replay_without_barrier": Plant(
        "a repeat is answered from a row that may be on one server only",
        ("lost",),
        ("waits being cancelled", "known key again", *CUTS),
    ),
    "conflict_before_barrier": Plant(
        "a conflict is told of a row that may be on one server only",
        ("lost", "phantom read"),
        ("waits being cancelled", "another body", *CUTS),
    ),
    "key_apart": Plant(
        "the key is entered in a transaction of its own, after the payment's",
        ("doubled",),
        CRASHES,
    ),
    "sequence_for_receipts": Plant(
        "receipts are numbered by a sequence, which a crash moves on",
        ("gap",),
        CRASHES,
    ),
    "xid_believed": Plant(
        "doubt is resolved by pg_xact_status of an xid that another history has used again",
        ("lost",),
        ("waits being cancelled", "links cut", "primary crashed"),
    ),
    "async_unseen": Plant(
        "nobody looks whether synchronous_commit is off",
        ("lost", "phantom read", "I2", "gate"),
        ("synchronous_commit off (F8)", *CRASHES),
    ),
    "sessions_unwatched": Plant(
        "a session of a server restarted beneath the daemon serves before a probe has seen that",
        ("phantom read",),
        ("server restarted beneath", "links cut"),
    ),
    # the decisions
    "solo_before_grant": Plant(
        "alone when solo is asked, not when it is confirmed", ("alone",), CUTS
    ),
    "names_off_before_grant": Plant("names off when solo is asked", ("I1",), CUTS),
    "names_after_swap": Plant("the standby is named before PostgreSQL waits for it", ("I5",), CUTS),
    "sync_without_probe": Plant(
        "the standby is named without having seen a commit hang",
        ("I2",),
        ("checkpointer stalled (F4)", *CUTS),
    ),
    "single_step_takeover": Plant(
        "open when promoted, without telling the arbiter", ("I4",), CRASHES
    ),
    "restart_gate_off": Plant(
        "open as soon as PostgreSQL is up again",
        ("gate", "phantom read", "history"),
        ("postmaster killed", "links cut", "walreceiver killed"),
    ),
    "start_time_unwatched": Plant(
        "another start time of the server does not shut the gate",
        ("phantom read", "gate"),
        ("server restarted beneath", "links cut"),
    ),
    "ambiguous_settled_by_read": Plant(
        "a read that shows nothing is taken as 'it did not happen'",
        ("I1",),
        ("swaps late", "walreceiver killed"),
    ),
    "high_flush_ignored": Plant(
        "a standby that was set back may claim",
        ("lost", "phantom read"),
        ("snapshot restored", "primary crashed"),
    ),
    "lone_flush_ignored": Plant(
        "a primary that served alone opens on an older copy of itself",
        ("lost", "phantom read"),
        ("only copy set back",),
    ),
    "written_since_counts": Plant(
        "what a copy wrote since it was started makes up for what it lacks",
        ("lost", "phantom read", "history", "gate"),
        ("only copy set back",),
    ),
    "began_forgotten": Plant(
        "a copy that was set back is measured by its latest start alone",
        ("lost", "phantom read", "history", "gate"),
        ("only copy set back", "daemon killed", "postmaster killed", "host crashed"),
    ),
    "unreplayed_counts": Plant(
        "a standby is counted on by what it takes, whether it can replay it or not",
        ("I2",),
        ("unheard end lost",),
    ),
    "standby_unasked": Plant(
        "a restarted primary lets its standby follow before that has said how far it was",
        ("history", "lost", "phantom read"),
        ("unheard end lost",),
    ),
    "followed_unmeasured": Plant(
        "a server started as primary is followed before its copy was shown to be whole",
        ("history", "no peace"),
        ("only copy set back", "swaps late", "postmaster killed"),
    ),
    "claim_not_kept": Plant(
        "promoted before the claim's name is on disk (F14)", ("op_id",), CRASHES
    ),
    "epoch_not_kept": Plant(
        "the arbiter is asked on an epoch that the disk did not take",
        ("unkept",),
        ("disk full", *CRASHES),
    ),
    "disk_unseen": Plant(
        "a node claims, or starts its server again and again, on a disk that takes no writes",
        ("bad disk", "restart loop"),
        ("disk full", "disk hung", "disk read-only", *CRASHES),
    ),
    "hunger_is_illness": Plant(
        "a server that is only starved is taken for hung", ("starved",), ("machine starved",)
    ),
    "takeover_while_paused": Plant("paused is not looked at", ("paused",), ("paused", *CRASHES)),
    "started_while_paused": Plant(
        "a server that stopped while paused is started as ever",
        ("paused",),
        ("paused", "postmaster killed"),
    ),
    "forced_in_sync": Plant(
        "a failover is forced whatever the record and the peer say",
        ("force",),
        ("failover asked for nothing",),
    ),
    "takeovers_forgotten": Plant(
        "each claim counts the takeovers of the hour anew", ("capped",), CRASHES
    ),
    "reclaim_after_marker": Plant(
        "a claim is taken back by a copy whose rejoin has begun",
        ("marker",),
        (*CRASHES, "node cut off"),
    ),
    "lease_by_wall_clock": Plant(
        "the machine's timers run on the wall clock",
        ("stale read", "no peace"),
        ("wall clock jumped", "node cut off"),
    ),
    # the witness
    "epoch_fence": Plant("the register stores whatever epoch comes", ("epoch",)),
    "nonce_ignored": Plant(
        "a restarted witness grants before both nodes have spoken to it",
        ("nonce",),
        ("witness crashed", "power cut"),
    ),
    "confirmed_for_ever": Plant(
        "a person's word for a lost node counts in the next lives of the arbiter, too",
        ("nonce",),
        ("arbiter confirmed", "witness crashed"),
    ),
    "witness_without_fsync": Plant(
        "the witness answers before its file is on disk",
        ("epoch",),
        ("witness crashed", "power cut", "primary crashed"),
    ),
}
