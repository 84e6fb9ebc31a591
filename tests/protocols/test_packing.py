"""What a server packs: it reads as if it had come plain, it never costs memory, and a payment, by
cheque too, fits what the line allows it.
"""

from __future__ import annotations

import random

import pytest
from msgspec.msgpack import encode as pack

from protocols import codec, messages
from protocols.catalogue import CATALOGUE
from protocols.catalogue.consumers import Consumer, Found
from protocols.catalogue.payments import Receipt, Take
from protocols.frames import frame
from protocols.messages import Request
from protocols.operation import Operation
from protocols.refusals import Refused
from protocols.values import RequestKey

RECORD_BYTES = 22
"""Of TLS 1.3, around each frame."""
LINE_BYTES = 300
"""What a payment may take of a line of 64 kbit/s, both ways together."""


def operation(name: str) -> Operation:
    found = CATALOGUE.get(name)
    assert found is not None
    return found


def page(rows: int) -> messages.Reply:
    people = [
        Consumer(f"{n:010}", "R K SHARMA", "12 MALL ROAD", "DS-I", f"M{n}", "", 2000, n * 100)
        for n in range(rows)
    ]
    declared = operation("consumers.find")
    return messages.Reply(7, codec.encode_reply(declared, Found(people, more=False)))


def test_a_large_answer_is_packed_and_read_as_if_it_were_not() -> None:
    large, small = page(20), page(1)
    packed = codec.encode_for_client(large)
    assert len(packed) < len(codec.encode(large)) / 3
    assert codec.encode(codec.from_server(packed)) == codec.encode(large)
    assert codec.encode_for_client(small) == codec.encode(small)


@pytest.mark.parametrize(
    ("take", "receipt", "plain"),
    [
        (
            Take("1000000001", 123_400),
            ("R K SHARMA", "CASH", ""),
            True,
        ),
        (
            Take(
                "1000000001", 123_400, "CHEQUE", "004711", "DUES", "2026-11-24", "SBI", "MALL-ROAD"
            ),
            ("HARBHAJAN SINGH DHALIWAL", "CHEQUE", "004711 2026-11-24 SBI MALL-ROAD"),
            False,
        ),
    ],
)
def test_a_payment_fits_the_line(take: Take, receipt: tuple[str, str, str], plain: bool) -> None:
    name, mode, instrument = receipt
    declared = operation("payments.take")
    when = ("2026-11-24", "2026-11-24T10:11:12Z")
    given = Receipt(
        "C001/2026-27/000123", *when, take.consumer, name, 123_400, mode, instrument, "DUES", "asha"
    )
    key = RequestKey(random.Random(2).randbytes(16), 100_000)
    asked = Request(70_000, declared.name, key, codec.encode_body(declared, take), "asha")
    reply = messages.Reply(70_000, codec.encode_reply(declared, given))
    answer = codec.encode_for_client(reply)
    frames = [frame(codec.encode(asked), 65_536), frame(answer, 65_536)]
    assert sum(len(one) + RECORD_BYTES for one in frames) <= LINE_BYTES
    assert (answer == codec.encode(reply)) == plain
    assert codec.encode(codec.from_server(answer)) == codec.encode(reply)


def test_what_does_not_shrink_is_not_packed() -> None:
    noise = messages.Session(random.Random(1).randbytes(800), "asha", "clerk", 1)
    assert codec.encode_for_client(noise) == codec.encode(noise)


def pack_up(plain: bytes) -> bytes:
    return codec.encode(messages.Packed(codec.deflated(plain)))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (pack_up(b"\0" * 70_000), "more than a frame"),
        (pack_up(b"\0" * 70_000)[:-3], "truncated"),
        (codec.encode(messages.Packed(codec.deflated(b"x" * 999)[:-2])), "less than all"),
        (codec.encode(messages.Packed(codec.deflated(b"x") + b"tail")), "less than all"),
        (codec.encode(messages.Packed(b"\xff\xff\xff")), "cannot be unpacked"),
        (pack_up(pack_up(codec.encode(messages.Beat()))), "packed twice"),
        (pack_up(pack(["w", 1])), "at least length"),
    ],
)
def test_what_is_packed_wrongly_is_refused_and_costs_no_memory(raw: bytes, reason: str) -> None:
    with pytest.raises(Refused, match="BAD_FRAME") as caught:
        codec.from_server(raw)
    assert reason in caught.value.sentence


def test_a_client_may_not_pack() -> None:
    with pytest.raises(Refused, match="message: is not known here"):
        codec.from_client(pack_up(codec.encode(messages.Beat())))
