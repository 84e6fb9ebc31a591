"""``wan.payment_bytes`` and ``wan.first_payment``: what a payment costs on a leased line of 64
kbit/s, against the same through HTTPS with JSON.

Both figures are of the real wire: an own TLS client on a real pair. The peer's payment is the same
body and receipt as JSON in HTTP/1.1, with the headers that Python's own client and server send plus
the session and the key, and one TLS record each way; it is written out here, not served. Goals: at
most 300 bytes, at most one second, at least five times fewer bytes. This file must not know how the
server does it.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Final

import msgspec

from bench.board import FIRST_CONSUMER, PASSWORD, seed
from bench.figures import Figure, median, table, tell
from bench.line import slow_line
from bench.pair import Pair, running_pair
from bench.traffic import TAKE
from bench.wire import Wire
from config.settings import split_address
from protocols.catalogue.payments import Receipt, Take
from protocols.codec import decode_reply
from protocols.messages import Reply

LINE_BITS_PER_S: Final = 64_000
PAYMENTS: Final = 50
RUNS: Final = 5
CONSUMERS: Final = 1_000
RECORD_BYTES: Final = 22
"""A TLS 1.3 record: header 5, content type 1, tag 16."""


def payment_bytes() -> Figure:
    """Count the bytes of a request and its reply after sign-in, both ways together."""
    with running_pair(1) as pair:
        seed(pair.conninfo("a"), CONSUMERS, 1)
        pair.wait_in_sync()
        host, port = split_address(pair.settings("a").here.terminals)
        wire = Wire(pair.paths.ca.parent, 1, host, port)
        wire.greet()
        wire.sign_in("clerk1", PASSWORD)
        counts, peers = [], []
        for number in range(PAYMENTS):
            before = wire.sent + wire.received
            body = Take(str(FIRST_CONSUMER + number), 123_400 + number)
            receipt = pay(wire, body)
            counts.append(wire.sent + wire.received - before)
            peers.append(https_bytes(body, receipt))
        wire.close()
    value, against = median(counts), median(peers)
    rows = [("mPower", value, max(counts)), ("HTTPS + JSON", against, max(peers))]
    tell(table(("a payment after sign-in", "bytes", "most"), rows))
    return Figure("wan.payment_bytes", value, max(counts), "B", against, against / value)


def first_payment() -> Figure:
    """Time the way from nothing to the first receipt: connection, handshake, greeting, password,
    payment; over a line of 64 kbit/s.
    """
    with running_pair(1) as pair:
        seed(pair.conninfo("a"), CONSUMERS, 1)
        pair.wait_in_sync()
        runs = [first_once(pair, number) for number in range(RUNS)]
    times = [sum(steps) for steps in runs]
    names = ("handshake", "greeting and password", "payment")
    rows = [(name, median(part)) for name, part in zip(names, zip(*runs, strict=True), strict=True)]
    tell(table(("on 64 kbit/s", "ms"), rows))
    return Figure("wan.first_payment", median(times), max(times), "ms")


def first_once(pair: Pair, number: int) -> tuple[float, float, float]:
    """One run: milliseconds of its three steps."""
    host, port = split_address(pair.settings("a").here.terminals)
    with slow_line(host, port, LINE_BITS_PER_S) as near:
        begun_s = time.perf_counter()
        wire = Wire(pair.paths.ca.parent, 1, "127.0.0.1", near)
        shaken_s = time.perf_counter()
        wire.greet()
        wire.sign_in("clerk1", PASSWORD)
        signed_in_s = time.perf_counter()
        pay(wire, Take(str(FIRST_CONSUMER + number), 123_400))
        paid_s = time.perf_counter()
        wire.close()
    marks = (begun_s, shaken_s, signed_in_s, paid_s)
    handshake, sign_in, payment = ((later - earlier) * 1000 for earlier, later in pairwise(marks))
    return handshake, sign_in, payment


def pay(wire: Wire, body: Take) -> Receipt:
    """Take one payment; the receipt."""
    wire.say(wire.request(TAKE, body))
    receipt = decode_reply(TAKE, wire.expect(Reply).body)
    assert isinstance(receipt, Receipt), receipt
    return receipt


def https_bytes(body: Take, receipt: Receipt) -> int:
    """Count what the same payment is as JSON over HTTPS on a kept connection."""
    asked = msgspec.json.encode(msgspec.structs.asdict(body))
    answered = msgspec.json.encode(msgspec.structs.asdict(receipt))
    request = (
        "POST /payments/take HTTP/1.1\r\nHost: mpower.board.example\r\n"
        "Accept-Encoding: identity\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(asked)}\r\n"
        f"Authorization: Bearer {'x' * 22}\r\nIdempotency-Key: {'x' * 36}\r\n"
        "User-Agent: Python-urllib/3.11\r\n\r\n"
    )
    reply = (
        "HTTP/1.1 200 OK\r\nServer: BaseHTTP/0.6 Python/3.11.7\r\n"
        "Date: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(answered)}\r\n"
        "Cache-Control: no-store\r\n\r\n"
    )
    return len(request) + len(asked) + len(reply) + len(answered) + 2 * RECORD_BYTES
