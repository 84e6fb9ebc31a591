"""What a broken or hostile client sends is named, costs it its connection or nothing, and harms
nobody else.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from msgspec import Raw, msgpack

from mpowerd.connection import Connection
from mpowerd.hall import Hall
from protocols.codec import encode
from protocols.frames import frame
from protocols.messages import (
    HELLO_DEADLINE_S,
    MAX_FRAME_BYTES,
    MAX_IN_FLIGHT,
    Hello,
    Refusal,
    Reply,
    Request,
    SignIn,
)
from protocols.shell.tls import TlsFiles
from tests.open_house import CLUSTER, PASSWORD, OpenHouse, house_for_fixture
from tests.postgres_nodes import on_reactor
from tests.terminals import CLIENT, DOWN, Terminal

TAKE = ["1000000001", 100, "CASH", "", "DUES", "", "", "", True]
"""Confirmed: the same is taken many times."""


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    yield from house_for_fixture()


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ((MAX_FRAME_BYTES + 1).to_bytes(4, "big"), "limit"),
        (b"\x00\x00\x00\x00", "0 bytes"),
        (b"\xff\xff\xff\xffGET / HTTP/1.1\r\n", "limit"),
        (frame(b"\xc1\xc1\xc1", 100), "BAD"),
        (frame(msgpack.encode(["zz", 1]), 100), "BAD"),
        (frame(msgpack.encode(["h", 1, "x", 0, "more"]), 100), "BAD"),
        (frame(msgpack.encode(["q", 1, "payments.take", None]), 100), "BAD"),
        (frame(msgpack.encode(["h", 1, "bad\x1b[2J"]), 100), "BAD"),
        (frame(b"\x93\xa1h\x01\xa3\xff\xfe\xfd", 100), "BAD"),
        (frame(b"\x91" * 5_000, 10_000), "BAD"),
    ],
)
@on_reactor
async def test_unreadable_bytes_are_named_and_neighbours_go_on(
    house: OpenHouse, sent: bytes, word: str
) -> None:
    async with house.terminal("C001", "asha") as neighbour, house.terminal("C002") as bad:
        bad.raw(sent)
        said = await bad.hear()
        assert isinstance(said, Refusal)
        assert (said.seq, said.code) == (0, "BAD_FRAME")
        assert word == "BAD" or word in said.sentence
        assert await bad.hear() == DOWN
        assert await neighbour.code("consumers.dues", ["1000000001"]) == ""


@pytest.mark.parametrize(
    "said",
    [SignIn("asha", PASSWORD), Request(1, "days.today", None, Raw(b"\x90"))],
    ids=["sign-in", "request"],
)
@on_reactor
async def test_words_before_hello_are_out_of_turn(house: OpenHouse, said: SignIn | Request) -> None:
    files = house.papers.give("counter", "C002")
    async with Terminal.calling(house.port, files, CLUSTER) as terminal:
        terminal.say(said)
        answer = await terminal.hear()
        assert isinstance(answer, Refusal)
        assert answer.code == "OUT_OF_TURN"
        assert await terminal.hear() == DOWN


@on_reactor
async def test_another_version_and_a_second_hello_are_refused(house: OpenHouse) -> None:
    files = house.papers.give("counter", "C002")
    async with Terminal.calling(house.port, files, CLUSTER) as terminal:
        terminal.say(Hello(9, "test"))
        answer = await terminal.hear()
        assert isinstance(answer, Refusal)
        assert answer.code == "VERSION"
    async with house.terminal("C002") as terminal:
        terminal.say(Hello(1, "test"))
        answer = await terminal.hear()
        assert isinstance(answer, Refusal)
        assert answer.code == "OUT_OF_TURN"


@pytest.mark.parametrize(
    ("operation", "body", "sequence", "code"),
    [
        ("payments.give", [], 1, "UNKNOWN_OPERATION"),
        ("payments.take", TAKE, None, "KEY_MISSING"),
        ("payments.mine", [50], 1, "KEY_NOT_ALLOWED"),
        ("payments.take", ["१२३४५६७८९०", 100], 1, "BAD_BODY"),
        ("payments.take", ["1000000001", "100"], 1, "BAD_BODY"),
        ("payments.take", ["1000000001", 1.5], 1, "BAD_BODY"),
        ("payments.take", ["1000000001", 100, "GOLD"], 1, "BAD_BODY"),
        ("consumers.find", ["name", "x" * 81, 10], None, "BAD_BODY"),
        ("consumers.find", ["name", "a", 51], None, "BAD_BODY"),
    ],
)
@on_reactor
async def test_a_request_that_does_not_read_is_refused_and_keeps_its_connection(
    house: OpenHouse, operation: str, body: list[object], sequence: int | None, code: str
) -> None:
    async with house.terminal("C003", "asha") as terminal:
        assert await terminal.code(operation, body, sequence) == code
        assert await terminal.code("consumers.dues", ["1000000001"]) == ""
    assert house.keys_used("C003") == 0


@on_reactor
async def test_without_a_session_nothing_is_served_and_no_key_is_used(house: OpenHouse) -> None:
    async with house.terminal("C003") as terminal:
        assert await terminal.code("payments.take", TAKE, 5) == "SIGN_IN_AGAIN"
        assert await terminal.refused_sign_in("asha", "wrong") == "SIGN_IN_FAILED"
        assert await terminal.refused_sign_in("nobody", PASSWORD) == "SIGN_IN_FAILED"
        assert await terminal.refused_sign_in("dev", PASSWORD) == "CERTIFICATE_ROLE"
    assert house.keys_used("C003") == 0
    assert [one[0] for one in house.audited("security.sign_in")[-3:]] == [
        "SIGN_IN_FAILED",
        "SIGN_IN_FAILED",
        "CERTIFICATE_ROLE",
    ]


@on_reactor
async def test_more_than_is_allowed_in_flight_waits_unread_and_all_is_answered(
    house: OpenHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall, asked = house.house.hall, Hall.ask
    at_once: list[int] = []

    def counted(connection: Connection, request: Request) -> None:
        at_once.append(len(connection._talk.unanswered))
        asked(hall, connection, request)

    async with house.terminal("C004", "asha") as terminal:
        monkeypatch.setattr(hall, "ask", counted)
        said = [terminal.request("payments.take", TAKE, 100 + n) for n in range(40)]
        terminal.raw(b"".join(_framed(one) for one in said))
        answers = [await terminal.hear() for _ in said]
    assert all(isinstance(one, Reply) for one in answers), answers
    assert len(at_once) == 40
    assert max(at_once) == MAX_IN_FLIGHT


def _framed(said: Request) -> bytes:
    return frame(encode(said), MAX_FRAME_BYTES)


@on_reactor
async def test_a_certificate_without_a_seat_or_revoked_gets_no_conversation(
    house: OpenHouse,
) -> None:
    for kind, name in (("node", "b"), ("witness", "w")):
        terminal = Terminal()
        await terminal.call(house.port, house.papers.give(kind, name), CLUSTER)
        assert await terminal.hear() == DOWN
    stolen = house.papers.give("counter", "C005")
    house.papers.revoke(stolen)
    terminal = Terminal()
    await terminal.call(house.port, stolen, CLUSTER)
    assert await terminal.hear() == DOWN


@on_reactor
async def test_a_flood_of_half_open_handshakes_leaves_others_served(house: OpenHouse) -> None:
    flood: list[socket.socket] = []
    try:
        for _ in range(300):
            one = socket.socket()
            one.setblocking(False)
            one.bind(("127.0.0.66", 0))
            one.connect_ex(("127.0.0.1", house.port))
            flood.append(one)
        await asyncio.sleep(0)
        async with house.terminal("C006", "asha") as terminal:
            assert await terminal.code("payments.take", TAKE, 1) == ""
        door = house.house._server.admission
        assert door.turned_away["handshakes unfinished"] >= 200
    finally:
        for one in flood:
            one.close()


def _shaken(files: TlsFiles, line: socket.socket) -> ssl.SSLSocket:
    """A whole handshake on a blocking socket of its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(files.certificate, files.key)
    context.set_alpn_protocols(["mpower/1"])
    return context.wrap_socket(line)


def _hold(port: int, files: TlsFiles, manner: str) -> float:
    """Keep a connection busy as slowly as it lasts; gives the seconds until it was closed."""
    hello = frame(encode(Hello(1, "test")), MAX_FRAME_BYTES)
    began = time.monotonic()
    line, trickle = socket.create_connection(("127.0.0.1", port), 5), b""
    try:
        if manner == "half a handshake, a byte at a time":
            trickle = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
        elif manner != "nothing":
            line = _shaken(files, line)
            trickle = hello[:-1] if manner == "a hello, a byte at a time" else b""
        line.settimeout(0.25)
        for at in range(200):
            try:
                line.send(trickle[at : at + 1])
                if not line.recv(100):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        return time.monotonic() - began
    finally:
        line.close()


@on_reactor
async def test_whoever_is_slow_before_the_hello_is_closed_in_time_and_others_are_served(
    house: OpenHouse,
) -> None:
    """From accept through handshake to Hello there is one deadline, whatever trickles in."""
    manners = [
        "nothing",
        "half a handshake, a byte at a time",
        "a handshake and no word",
        "a hello, a byte at a time",
    ]
    given = [house.papers.give("counter", f"C00{number}") for number in range(1, 5)]
    slow = [
        asyncio.create_task(asyncio.to_thread(_hold, house.port, files, manner))
        for files, manner in zip(given, manners, strict=True)
    ]
    async with house.terminal("C008", "asha") as neighbour:
        for _ in range(5):
            assert await neighbour.code("consumers.dues", ["1000000001"]) == ""
            await asyncio.sleep(0.2)
    lasted = dict(zip(manners, await asyncio.gather(*slow), strict=True))
    print({manner: round(took_s, 1) for manner, took_s in lasted.items()})
    assert max(lasted.values()) < HELLO_DEADLINE_S + 2


@on_reactor
async def test_a_key_is_the_certificates_even_if_the_client_id_is_copied(
    house: OpenHouse,
) -> None:
    async with house.terminal("C007", "asha") as one:
        await one.body("payments.take", TAKE, 1)
    kept = house.rows("SELECT counter FROM mpower.requests WHERE client = %s", CLIENT.hex())
    assert ("C007",) in kept
