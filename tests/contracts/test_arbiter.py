"""What every arbiter promises: the one in memory, the witness over real TLS and a real etcd pass
the same suite.
"""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from cluster import record as records
from cluster.arbiter import ArbiterUnreachable, SwapUnknown
from protocols.peer import NodeBeat, Record
from tests.cluster.first_record import FIRST
from tests.contracts.arbiters import World, for_each_arbiter


def beat(node: str, counter: int, **fields: Any) -> NodeBeat:
    """A beat of a node that has seen the first record."""
    known: dict[str, Any] = {
        "boot": f"{node}-boot",
        "incarnation": 1,
        "epoch": 1,
        "term": 1,
        "state": "READING",
    }
    return NodeBeat(node=node, counter=counter, **(known | fields))


def bumped(record: Record, by: str = "a") -> Record:
    return records.bumped(record, by, f"{by}-bump-{record.epoch}")


@for_each_arbiter
async def test_at_first_there_is_no_record(world: World) -> None:
    reading = await world.of("a").read()
    assert reading.record is None
    assert reading.nonce


@for_each_arbiter
async def test_the_first_record_is_made_once(world: World) -> None:
    made = await world.of("a").swap(None, FIRST)
    assert (made.done, made.record, made.refusal) == (True, FIRST, "")
    again = await world.of("b").swap(None, structs.replace(FIRST, primary="b"))
    assert (again.done, again.record) == (False, FIRST)
    assert "1 is stored" in again.refusal


@for_each_arbiter
async def test_what_one_stored_the_other_reads(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    second = bumped(FIRST)
    assert (await world.of("a").swap(1, second)).done
    assert (await world.of("b").read()).record == second


@for_each_arbiter
async def test_a_swap_on_another_epoch_is_refused_and_changes_nothing(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    late = await world.of("b").swap(5, structs.replace(FIRST, epoch=6))
    assert (late.done, late.record) == (False, FIRST)
    jump = await world.of("b").swap(1, structs.replace(FIRST, epoch=3))
    assert "does not follow" in jump.refusal
    assert (await world.of("a").read()).record == FIRST


@for_each_arbiter
async def test_of_many_swaps_on_one_epoch_exactly_one_is_done(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    swaps = [
        world.of("ab"[n % 2]).swap(1, structs.replace(bumped(FIRST), op_id=f"op-{n}"))
        for n in range(10)
    ]
    results = await asyncio.gather(*swaps)
    done = [one.record for one in results if one.done]
    assert len(done) == 1
    assert (await world.of("b").read()).record == done[0]
    assert all(one.record == done[0] for one in results)


@for_each_arbiter
async def test_a_beat_is_answered_with_the_other_nodes_freshest(world: World) -> None:
    assert (await world.of("a").beat(beat("a", 1))).peer is None
    relay = await world.of("b").beat(beat("b", 1))
    assert relay.peer == beat("a", 1)
    await world.of("a").beat(beat("a", 2))
    await world.of("a").beat(beat("a", 1))
    assert (await world.of("b").beat(beat("b", 2))).peer == beat("a", 2)


@for_each_arbiter
async def test_beats_do_not_wait_for_each_other_and_keep_their_order(world: World) -> None:
    await world.of("b").beat(beat("b", 7))
    relays = await asyncio.gather(*(world.of("a").beat(beat("a", n)) for n in range(1, 6)))
    assert [relay.peer for relay in relays] == [beat("b", 7)] * 5
    peer = (await world.of("b").beat(beat("b", 8))).peer
    assert peer is not None
    assert peer.counter == 5


@for_each_arbiter
async def test_the_highest_flush_of_the_generation_is_remembered(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    synced = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=100)
    assert (await world.of("a").swap(1, synced)).done
    await world.of("b").beat(beat("b", 1, epoch=2, token=1, receive_lsn=500))
    await world.of("b").beat(beat("b", 2, epoch=2, token=1, receive_lsn=400))
    relay = await world.of("b").beat(beat("b", 3, epoch=2, token=9, receive_lsn=900))
    assert (relay.high_flush, relay.epoch) == (500, 2)


@for_each_arbiter
async def test_what_a_primary_alone_has_flushed_is_remembered_until_another_term(
    world: World,
) -> None:
    await world.of("a").swap(None, FIRST)
    await world.of("a").beat(beat("a", 1, epoch=1, vouched_lsn=700))
    await world.of("a").beat(beat("a", 2, epoch=1, vouched_lsn=0))
    assert (await world.of("a").beat(beat("a", 3, epoch=1))).high_flush == 700
    bumped = records.bumped(FIRST, "a", "bump")
    assert (await world.of("a").swap(1, bumped)).done
    assert (await world.of("a").beat(beat("a", 4, epoch=2))).high_flush == 700
    forced = records.forced(bumped, "b", "b-failover", "forced", held_lsn=100)
    assert (await world.of("b").swap(2, forced)).done
    said = beat("b", 1, epoch=3, incarnation=forced.incarnation)
    assert (await world.of("b").beat(said)).high_flush == 0


@for_each_arbiter
async def test_after_a_restart_the_record_stands_and_the_nonce_is_new(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    before = await world.of("a").read()
    await world.restart()
    after = await world.of("b").read()
    assert after.record == FIRST
    assert after.nonce != before.nonce


@for_each_arbiter
async def test_after_a_restart_nobody_claims_until_both_have_confirmed(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    synced = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=100)
    assert (await world.of("a").swap(1, synced)).done
    await world.restart()
    claim = records.claimed(synced, "b", "claim", "silence")
    await world.of("b").beat(beat("b", 1, epoch=2))
    refused = await world.of("b").swap(2, claim)
    assert not refused.done
    assert "a has not confirmed" in refused.refusal
    await world.of("a").beat(beat("a", 1, epoch=2))
    assert (await world.of("b").swap(2, claim)).done


@for_each_arbiter
async def test_an_arbiter_behind_a_node_stores_nothing(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    await world.of("b").beat(beat("b", 1, epoch=9))
    refused = await world.of("a").swap(1, bumped(FIRST))
    assert "rolled back" in refused.refusal


@for_each_arbiter
async def test_an_older_record_that_was_counted_up_is_behind_a_node_of_a_later_term(
    world: World,
) -> None:
    """Set back to before b's claim, it was bumped by a until its epoch was past the claim's."""
    await world.of("a").swap(None, FIRST)
    stored = FIRST
    for _ in range(3):
        stored = bumped(stored)
        assert (await world.of("a").swap(stored.epoch - 1, stored)).done
    knows = structs.replace(beat("b", 1, epoch=stored.epoch - 1), term=stored.term + 1)
    assert "rolled back" in (await world.of("b").beat(knows)).doubt
    refused = await world.of("a").swap(stored.epoch, bumped(stored))
    assert "rolled back" in refused.refusal


@for_each_arbiter
async def test_an_arbiter_without_a_record_does_not_bootstrap_over_a_lost_one(world: World) -> None:
    await world.of("b").beat(beat("b", 1, epoch=9))
    refused = await world.of("a").swap(None, FIRST)
    assert (refused.done, refused.record) == (False, None)
    assert "rolled back" in refused.refusal


@for_each_arbiter
async def test_cut_off_everything_is_unreachable_and_then_well_again(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    await world.cut()
    with pytest.raises(ArbiterUnreachable):
        await world.of("a").read()
    with pytest.raises(ArbiterUnreachable):
        await world.of("a").swap(1, bumped(FIRST))
    with pytest.raises(ArbiterUnreachable):
        await world.of("a").beat(beat("a", 1))
    await world.mend()
    assert (await world.of("a").read()).record == FIRST


@for_each_arbiter
async def test_a_swap_whose_answer_is_lost_is_unknown_and_may_be_done(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    world.mute()
    with pytest.raises(SwapUnknown):
        await world.of("a").swap(1, bumped(FIRST))
    assert (await world.of("a").read()).record == bumped(FIRST)


KNOWN = structs.replace(FIRST, epoch=9, sync="b", sync_gen=3, min_lsn=100)


def rebuilt(*consented: str, epoch: int = 10) -> Record:
    return records.rebuilt(KNOWN, "a", "rebuild", consented=consented, epoch=epoch, held_lsn=500)


@for_each_arbiter
async def test_a_lost_record_is_stored_anew_when_all_who_agreed_are_there(world: World) -> None:
    await world.of("a").beat(beat("a", 1, epoch=9))
    alone = await world.of("a").swap(None, rebuilt("a", "b"))
    assert "b agreed and is not heard here" in alone.refusal
    await world.of("b").beat(beat("b", 1, epoch=9))
    made = await world.of("a").swap(None, rebuilt("a", "b"))
    assert made.done, made.refusal
    assert made.record is not None
    assert (made.record.incarnation, made.record.epoch, made.record.min_lsn) == (2, 10, 500)
    relay = await world.of("b").beat(beat("b", 2, epoch=9))
    assert (relay.doubt, relay.epoch) == ("", 10)
    claim = records.claimed(made.record, "b", "claim", "silence")
    assert (await world.of("b").swap(10, claim)).done


@for_each_arbiter
async def test_nobody_is_left_out_who_is_there_and_no_epoch_goes_back(world: World) -> None:
    await world.of("a").beat(beat("a", 1, epoch=9))
    low = await world.of("a").swap(None, rebuilt("a", epoch=9))
    assert "is not above it" in low.refusal
    await world.of("b").beat(beat("b", 1, epoch=9))
    without = await world.of("a").swap(None, rebuilt("a"))
    assert "b is heard here and did not agree" in without.refusal


@for_each_arbiter
async def test_a_whole_record_is_not_rebuilt(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    for node in "ab":
        await world.of(node).beat(beat(node, 1))
    again = records.rebuilt(FIRST, "a", "op", consented=("a", "b"), epoch=2, held_lsn=0)
    refused = await world.of("a").swap(1, again)
    assert "nothing to rebuild" in refused.refusal


@for_each_arbiter
async def test_a_primary_that_was_set_back_is_forced_in_its_place(world: World) -> None:
    """A later term of the same primary, in a new incarnation, and nothing is remembered of its
    former flush; else the term grows with another primary only.
    """
    await world.of("a").swap(None, FIRST)
    await world.of("a").beat(structs.replace(beat("a", 1), vouched_lsn=900))
    await world.of("b").beat(beat("b", 1))
    forced = records.forced(FIRST, "a", "force", "by asha", held_lsn=0)
    another = structs.replace(forced, incarnation=FIRST.incarnation)
    assert "the term grows" in (await world.of("a").swap(1, another)).refusal
    made = await world.of("a").swap(1, forced)
    assert made.done, made.refusal
    relay = await world.of("a").beat(beat("a", 2))
    assert (relay.epoch, relay.high_flush) == (2, 0)


@for_each_arbiter
async def test_a_forced_claim_begins_an_incarnation_on_a_whole_record(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    for node in "ab":
        await world.of(node).beat(beat(node, 1))
    forced = records.forced(FIRST, "b", "force", "by an operator", held_lsn=100)
    moved_only = structs.replace(forced, term=FIRST.term)
    assert not (await world.of("b").swap(1, moved_only)).done
    assert not (await world.of("b").swap(1, structs.replace(forced, consented=("a", "b")))).done
    assert (await world.of("b").swap(1, forced)).done
    assert not (await world.of("a").swap(1, bumped(FIRST))).done


@for_each_arbiter
async def test_after_a_restart_not_even_an_operator_forces_before_it_is_confirmed(
    world: World,
) -> None:
    await world.of("a").swap(None, FIRST)
    await world.restart()
    await world.of("b").beat(beat("b", 1))
    forced = records.forced(FIRST, "b", "force", "by an operator", held_lsn=100)
    assert "a has not confirmed" in (await world.of("b").swap(1, forced)).refusal


@for_each_arbiter
async def test_a_record_that_was_set_back_is_rebuilt_over(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    for node in "ab":
        await world.of(node).beat(beat(node, 1, epoch=9))
    made = await world.of("a").swap(1, rebuilt("a", "b"))
    assert made.done, made.refusal
    assert (await world.of("b").read()).record == made.record


CLOSED = records.closed(FIRST, "a", "close", "by ops1", to="witness 10.0.0.9:7503")


@for_each_arbiter
async def test_a_closed_arbiter_says_yes_to_nobody_and_says_why(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    for node in "ab":
        await world.of(node).beat(beat(node, 1))
    assert (await world.of("a").swap(1, CLOSED)).done
    relay = await world.of("b").beat(beat("b", 2, epoch=2))
    assert "was moved to witness 10.0.0.9:7503" in relay.doubt
    reopened = structs.replace(bumped(CLOSED), moved="")
    claim = records.claimed(reopened, "b", "claim", "silence")
    for swap in (bumped(CLOSED), reopened, structs.replace(claim, epoch=3)):
        refused = await world.of("b").swap(2, swap)
        assert (refused.done, "this arbiter is closed" in refused.refusal) == (False, True)
    await world.restart()
    assert not (await world.of("b").swap(2, reopened)).done


@for_each_arbiter
async def test_a_closed_arbiter_takes_the_record_back_only_as_a_new_incarnation(
    world: World,
) -> None:
    await world.of("a").swap(None, FIRST)
    await world.of("a").swap(1, CLOSED)
    later = structs.replace(CLOSED, incarnation=2, epoch=7)
    again = records.rebuilt(later, "a", "op", consented=("a", "b"), epoch=8, held_lsn=0)
    assert "is not heard here" in (await world.of("a").swap(2, again)).refusal
    for node in "ab":
        await world.of(node).beat(beat(node, 1, incarnation=2, epoch=7))
    made = await world.of("a").swap(2, again)
    assert made.done, made.refusal
    assert made.record is not None
    assert (made.record.incarnation, made.record.moved) == (3, "")


@for_each_arbiter
async def test_an_operator_stands_for_a_lost_node_in_this_life_of_the_arbiter_only(
    world: World,
) -> None:
    await world.of("a").swap(None, FIRST)
    synced = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=100)
    assert (await world.of("a").swap(1, synced)).done
    await world.restart()
    relay = await world.of("b").beat(beat("b", 1, epoch=2))
    for nonce, trusted in (("another life", False), (relay.nonce, True)):
        stored = (await world.of("b").read()).record
        assert stored is not None
        vouched = records.trusted(stored, "b", f"op-{nonce}", "by ops1", nonce=nonce)
        assert (await world.of("b").swap(stored.epoch, vouched)).done
        relay = await world.of("b").beat(beat("b", vouched.epoch, epoch=vouched.epoch))
        assert (relay.doubt == "") is trusted
        claim = records.claimed(vouched, "b", f"claim-{nonce}", "silence")
        made = await world.of("b").swap(vouched.epoch, claim)
        assert made.done is trusted
    assert made.record is not None
    await world.restart()
    gone = records.reclaimed(made.record, "a", "reclaim")
    await world.of("b").beat(beat("b", 9, epoch=made.record.epoch))
    assert "a has not confirmed" in (await world.of("b").swap(made.record.epoch, gone)).refusal


@for_each_arbiter
async def test_nobody_stands_for_a_node_that_knows_more(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    nonce = (await world.of("a").beat(beat("a", 1, epoch=9))).nonce
    vouched = records.trusted(FIRST, "b", "op", "by ops1", nonce=nonce)
    assert "rolled back" in (await world.of("b").swap(1, vouched)).refusal


@for_each_arbiter
async def test_a_line_that_a_node_left_stands_there_beside_the_record(world: World) -> None:
    await world.of("a").swap(None, FIRST)
    assert await world.of("a").keep("sealed 1") == ""
    assert await world.shelf() == ["sealed 1"]
    assert (await world.of("b").read()).record == FIRST
    assert (await world.of("b").beat(beat("b", 1))).epoch == 1
    await world.restart()
    assert await world.shelf() == ["sealed 1"]
    await world.cut()
    with pytest.raises(ArbiterUnreachable):
        await world.of("a").keep("sealed 2")
