"""The witness's one file and its desk: stored before answered, never half, never another's."""

import asyncio
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from cluster import record as records
from cluster.arbiter.register import Kept
from cluster.arbiter.server import Desk
from cluster.arbiter.store import FILE_NAME, RecordFile
from cluster.durable import NotOursError
from cluster.witness import is_here
from protocols.peer import NodeBeat, PeerMessage, ReadRecord, RecordIs, Swap, SwapResult
from protocols.subject import Subject
from tests.cluster.first_record import FIRST
from tests.postgres_nodes import on_reactor

WAIT_S = 5.0


class Seat:
    """A session's other end, without a connection."""

    def __init__(self, node: str) -> None:
        self.who = Subject("demo", "node", node)
        self.address = "here"
        self.said: list[PeerMessage] = []
        self.refused: list[str] = []

    def send(self, message: PeerMessage) -> None:
        self.said.append(message)

    def refuse(self, code: str, sentence: str) -> None:
        self.refused.append(sentence)


class Office:
    """A desk over a file whose disk does what the test says."""

    def __init__(self, folder: Path) -> None:
        self.file = RecordFile(folder, "demo", "w")
        self.deaths: list[str] = []
        self.desk = Desk(self.file, ["a", "b"], lambda: 0.0, self.deaths.append)

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not met():
                await asyncio.sleep(0.001)

    async def close(self) -> None:
        await self.desk.stop()
        self.file.close()


def seat(node: str) -> Any:
    return Seat(node)


def test_each_life_writes_the_file_again_before_it_serves(tmp_path: Path) -> None:
    for life in (1, 2, 3):
        file = RecordFile(tmp_path, "demo", "w")
        assert file.stored.starts == life
        file.close()
        before = (tmp_path / FILE_NAME).stat().st_ino
    file = RecordFile(tmp_path, "demo", "w")
    assert (tmp_path / FILE_NAME).stat().st_ino != before
    file.close()


def test_what_was_kept_is_there_in_the_next_life(tmp_path: Path) -> None:
    file = RecordFile(tmp_path, "demo", "w")
    file.keep(Kept(FIRST, 77))
    file.close()
    again = RecordFile(tmp_path, "demo", "w")
    assert again.stored.kept == Kept(FIRST, 77)
    again.close()


def test_a_torn_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    RecordFile(tmp_path, "demo", "w").close()
    file = tmp_path / FILE_NAME
    torn = file.read_bytes()[:-5]
    file.write_bytes(torn)
    with pytest.raises(NotOursError, match="torn"):
        RecordFile(tmp_path, "demo", "w")
    assert file.read_bytes() == torn


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"\x00" * 4096, b"0" * 64 + b"\n{}", b"\n", b"x" * 2_000_000],
    ids=["empty", "garbage", "zeros", "checksum", "newline", "huge"],
)
def test_what_is_no_record_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(NotOursError) as refused:
        RecordFile(tmp_path, "demo", "w")
    assert str(tmp_path / FILE_NAME) in str(refused.value)
    assert "mpower cluster arbiter rebuild" in str(refused.value)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_this_machine_s_own_addresses_are_known_and_loopback_is_a_trial() -> None:
    assert not is_here("127.0.0.1:7501")
    assert not is_here("203.0.113.9:7501")
    assert not is_here("[2001:db8::1]:7501")
    own = _own_address()
    assert own is None or is_here(f"{own}:7501")


def _own_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        host: str = probe.getsockname()[0]
    return None if host.startswith("127.") else host


@on_reactor
async def test_a_node_on_the_same_machine_is_told(tmp_path: Path) -> None:
    file = RecordFile(tmp_path, "demo", "w")
    desk = Desk(file, ["a", "b"], lambda: 0.0, lambda _: None, {"10.0.0.1:5"}.__contains__)
    beside, apart = seat("a"), seat("b")
    beside.address, apart.address = "10.0.0.1:5", "10.0.0.2:5"
    desk.session_open(beside)
    desk.session_open(apart)
    assert desk.status()["beside"] == ["a"]
    file.close()


@pytest.mark.parametrize(("cluster", "witness"), [("other", "w"), ("demo", "v")])
def test_another_s_file_is_refused(tmp_path: Path, cluster: str, witness: str) -> None:
    RecordFile(tmp_path, "demo", "w").close()
    with pytest.raises(NotOursError, match="belongs to witness w of cluster demo"):
        RecordFile(tmp_path, cluster, witness)


def test_two_witnesses_cannot_share_a_folder(tmp_path: Path) -> None:
    file = RecordFile(tmp_path, "demo", "w")
    with pytest.raises(NotOursError, match="in use"):
        RecordFile(tmp_path, "demo", "w")
    file.close()


@on_reactor
async def test_a_slow_disk_delays_the_answer_and_not_the_beats(tmp_path: Path) -> None:
    office = Office(tmp_path)
    writing = asyncio.Event()
    loop = asyncio.get_running_loop()
    go = asyncio.Event()
    keep = office.file.keep

    def slowly(kept: Kept) -> None:
        loop.call_soon_threadsafe(writing.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result(WAIT_S)
        keep(kept)

    office.file.keep = slowly  # type: ignore[method-assign]
    office.desk.start()
    a, b = seat("a"), seat("b")
    office.desk.message_came(a, Swap(1, None, FIRST))
    await asyncio.wait_for(writing.wait(), WAIT_S)
    office.desk.message_came(b, ReadRecord(1))
    beat = NodeBeat(node="b", boot="1", counter=1, incarnation=0, epoch=0, term=0, state="READING")
    office.desk.message_came(b, beat)
    assert len(b.said) == 1, "the beat is relayed while the disk works"
    assert a.said == []
    go.set()
    await office.until(lambda: len(a.said) == 1 and len(b.said) == 2)
    assert a.said == [SwapResult(1, done=True, record=FIRST, nonce=office.desk.nonce)]
    assert b.said[1] == RecordIs(1, FIRST, office.desk.nonce)
    assert msgspec.json.decode((tmp_path / FILE_NAME).read_bytes().partition(b"\n")[2])["kept"]
    await office.close()


@on_reactor
async def test_a_failing_disk_ends_the_witness_without_an_answer(tmp_path: Path) -> None:
    office = Office(tmp_path)

    def failing(kept: Kept) -> None:
        raise OSError(5, "Input/output error")

    office.file.keep = failing  # type: ignore[method-assign]
    office.desk.start()
    a = seat("a")
    office.desk.message_came(a, Swap(1, None, FIRST))
    office.desk.message_came(a, ReadRecord(2))
    await office.until(lambda: office.deaths != [])
    assert "Input/output error" in office.deaths[0]
    assert a.said == [], "nobody is told what the disk may not hold"
    assert office.desk.register.record is None
    await office.close()


@on_reactor
async def test_a_node_speaks_as_itself_and_in_measure(tmp_path: Path) -> None:
    office = Office(tmp_path)
    a, stranger = seat("a"), seat("c")
    office.desk.session_open(stranger)
    assert stranger.refused == ["Here a and b are the nodes, not c."]
    beat = NodeBeat(node="b", boot="1", counter=1, incarnation=0, epoch=0, term=0, state="READING")
    office.desk.message_came(a, beat)
    assert len(a.refused) == 1
    for number in range(70):
        office.desk.message_came(a, ReadRecord(number))
    assert len(a.refused) == 7, "64 questions wait, the rest is refused"
    await office.close()


@on_reactor
async def test_stopping_finishes_the_write_that_was_begun(tmp_path: Path) -> None:
    office = Office(tmp_path)
    began, go = threading.Event(), threading.Event()
    keep = office.file.keep

    def slowly(kept: Kept) -> None:
        began.set()
        go.wait(WAIT_S)
        keep(kept)

    office.file.keep = slowly  # type: ignore[method-assign]
    office.desk.start()
    office.desk.message_came(seat("a"), Swap(1, None, FIRST))
    await office.until(began.is_set)
    stopping = asyncio.ensure_future(office.desk.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go.set()
    await asyncio.wait_for(stopping, WAIT_S)
    office.file.close()
    again = RecordFile(tmp_path, "demo", "w")
    assert again.stored.kept.record == FIRST
    again.close()


@on_reactor
async def test_the_highest_flush_reaches_the_file_when_the_desk_is_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.arbiter.server.IDLE_S", 0.01)
    office = Office(tmp_path)
    office.desk.start()
    a = seat("a")
    synced = records.synced(FIRST, "a", "sync", peer="b", generation=1, barrier=100)
    office.desk.message_came(a, Swap(1, None, FIRST))
    office.desk.message_came(a, Swap(2, 1, synced))
    await office.until(lambda: len(a.said) == 2)
    beat = NodeBeat(node="b", boot="1", counter=1, incarnation=1, epoch=2, term=1, state="X")
    flushed = structs.replace(beat, token=1, receive_lsn=900_000_000)
    office.desk.message_came(seat("b"), flushed)
    await office.until(lambda: office.file.stored.kept.high_flush == 900_000_000)
    await office.close()
