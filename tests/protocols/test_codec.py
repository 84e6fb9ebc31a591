"""Bytes to messages and bodies: every wrong one is a refusal that names its field, and repeats
nothing of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, inspect

from protocols import codec, messages
from protocols.catalogue import CATALOGUE, payments
from protocols.catalogue.banking import Line, Post
from protocols.catalogue.consumers import Consumer, Find, Found
from protocols.catalogue.payments import Receipt, Take
from protocols.messages import FromClient, FromServer, Hello, Request, SignIn
from protocols.operation import Operation
from protocols.reasons import why
from protocols.refusals import Refused
from protocols.values import RequestKey

pack = msgspec.msgpack.encode


def operation(name: str) -> Operation:
    found = CATALOGUE.get(name)
    assert found is not None
    return found


TAKE = operation("payments.take")
POST = operation("banking.post")
KEY = RequestKey(b"k" * 16, 1)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (pack(["12345", 100]), "the consumer must be ten ASCII digits"),
        (pack(["12345\uff167890", 100]), "the consumer must be ten ASCII digits"),
        (pack(["1234567890\n", 100]), "the consumer must be ten ASCII digits"),
        (pack(["1234567890", 1.5]), "amount_paise: expected `int`, got `float`"),
        (pack(["1234567890", math.nan]), "amount_paise: expected `int`, got `float`"),
        (pack(["1234567890", "100"]), "amount_paise: expected `int`, got `str`"),
        (pack(["1234567890", True]), "amount_paise: expected `int`, got `bool`"),
        (pack(["1234567890", 2**64 - 1]), "the amount paise must be at most 10000000000000"),
        (
            pack(["1234567890", 100, "GOLD"]),
            "mode: expected one of CARD, CASH, CHEQUE, DD, POSTAL_ORDER, TRANSFER, UPI",
        ),
        (
            pack(["1234567890", 100, "CASH", "a b"]),
            "the instrument has characters that are not allowed",
        ),
        (
            pack(["1234567890", 100, "CASH", "", "DUES", "", "", "", False, 1]),
            "at most length 9, got 10",
        ),
        (pack(["1234567890"]), "at least length 2, got 1"),
        (pack({"consumer": "1234567890"}), "Expected `array`, got `object`"),
        (pack(["1234567890", 100]) + b"\xc0", "trailing"),
        (pack(["1234567890", 100])[:-1], "truncated"),
        (b"", "truncated"),
        (b"\x92\xaa\xed\xa0\x801234567\x64", "a text is not valid UTF-8"),
        (b"\x91" * 60_000, "at least length 2, got 1"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_its_field(raw: bytes, reason: str) -> None:
    with pytest.raises(Refused, match="BAD_BODY") as caught:
        codec.decode_body(TAKE, raw)
    assert reason in caught.value.sentence
    assert caught.value.final


def test_a_field_within_a_list_and_within_a_map_is_named() -> None:
    lines = [["A1", "1", 1, "2026-04-01"], ["a b", "1", 1, "2026-04-01"]]
    with pytest.raises(Refused, match=r"lines\[1\]\.reference has characters"):
        codec.decode_body(POST, pack(["S1", 1, 2, 2, lines]))
    row = ["1234567890", "A", "", "DS", "", "", 1, {"LPSC": "one"}]
    with pytest.raises(Refused, match=r"rows\[0\]\.dues\[\.\.\.\]: expected `int`, got `str`"):
        codec.decode_body(operation("consumers.load"), pack(["2026-04-01", [row]]))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (pack(["h", 1]), "at least length 3, got 2"),
        (pack(["h", 1, "a\x07b"]), "the software has characters"),
        (pack(["q", 0, "a.b", None, []]), "the seq must be at least 1"),
        (pack(["q", 1, "a b", None, []]), "the operation has characters"),
        (pack(["q", 1, "a.b", [b"short", 1], []]), "key.client: expected `bytes` of length >= 16"),
        (pack(["q", 1, "a.b", [b"k" * 16, 1, 5], []]), "key: expected `array` of at most length 2"),
        (pack(["s", "asha", ""]), "the password needs at least 1 character"),
        (pack(["s", "asha", "x", "١٢٣"]), "the totp must be up to eight ASCII digits"),
        (pack(["w", 1, "a", 1, 1, 1, 1, 1]), "message: is not known here"),
        (pack(["zz"]), "message: is not known here"),
        (pack([]), "(Expected `array` of at least length 1, got 0)"),
        (pack([["h"]]), "message: expected `str`, got `array`"),
        (pack({"h": 1}), "Expected `array`, got `object`"),
        (pack(7), "Expected `array`, got `int`"),
        (b"\xc1", "malformed"),
        (b"\x95\xa1q\x01\xa3a.b\xc0" + b"\x91" * 60_000 + b"\x90", "nested too deeply"),
        (b"\x93\xa1h\x01\xa2\xff\xfe", "a text is not valid UTF-8"),
    ],
)
def test_a_message_that_is_wrong_is_refused_with_its_field(raw: bytes, reason: str) -> None:
    with pytest.raises(Refused, match="BAD_FRAME") as caught:
        codec.from_client(raw)
    assert reason in caught.value.sentence
    assert caught.value.sentence.isprintable()


def test_a_place_that_the_type_does_not_have_is_still_named_as_far_as_it_goes() -> None:
    error = msgspec.ValidationError("Expected `int`, got `str` - at `$[0][9].deep`")
    assert why(error, Post) == "scroll[9].deep: expected `int`, got `str`"
    error = msgspec.ValidationError("Expected `int`, got `str` - at `$[0][1]`")
    assert why(error, Take) == "consumer[1]: expected `int`, got `str`"
    error = msgspec.ValidationError("Expected `int`, got `str` - at `$[9]`")
    assert why(error, Post) == "message: expected `int`, got `str`"


def test_a_servers_message_is_checked_too() -> None:
    with pytest.raises(Refused, match="retry_ms: expected `int`"):
        codec.from_server(pack(["n", 1, "", "soon"]))
    assert codec.from_server(codec.encode(messages.NotPrimary(3))) == messages.NotPrimary(3)


def answer_to(raw: bytes) -> str:
    try:
        return f"read as {type(codec.from_client(raw))}"
    except Refused as refused:
        return refused.sentence


@contextmanager
def suppress_refusal(code: str) -> Iterator[None]:
    """The block gives what it should, or is refused with that code and no other way."""
    try:
        yield
    except Refused as refused:
        if refused.code != code:
            raise


@given(st.text(min_size=1, max_size=30))
def test_a_reason_never_repeats_what_was_sent(secret: str) -> None:
    marked = f"canary{secret}"
    for raw in (
        pack(["s", "asha", marked, marked]),
        pack([marked]),
        pack(["s", marked + "\n", "x"]),
    ):
        assert "canary" not in answer_to(raw)
    with pytest.raises(Refused) as caught:
        codec.decode_body(TAKE, pack(["1234567890", 1, marked]))
    assert "canary" not in caught.value.sentence


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_refusal(raw: bytes) -> None:
    for read in (codec.from_client, codec.from_server):
        with suppress_refusal("BAD_FRAME"):
            assert isinstance(read(raw), messages.Message)


@given(st.binary(max_size=300), st.sampled_from(sorted(CATALOGUE, key=lambda one: one.name)))
def test_any_bytes_are_a_body_or_a_refusal(raw: bytes, declared: Operation) -> None:
    with suppress_refusal("BAD_BODY"):
        assert isinstance(codec.decode_body(declared, raw), declared.request)


def test_the_same_value_always_gives_the_same_bytes() -> None:
    rows = operation("consumers.load")
    row = ["1234567890", "A", "", "DS", "", "", 1]
    one = codec.decode_body(rows, pack(["2026-04-01", [[*row, {"LPSC": 1, "CURRENT": 2}]]]))
    other = codec.decode_body(rows, pack(["2026-04-01", [[*row, {"CURRENT": 2, "LPSC": 1}]]]))
    assert bytes(codec.encode_body(rows, one)) == bytes(codec.encode_body(rows, other))


def test_a_request_survives_the_journal() -> None:
    raw = codec.encode_body(TAKE, Take("1234567890", 100))
    request = Request(7, "payments.take", KEY, raw)
    again = codec.request_of(codec.encode(request))
    assert (again.seq, again.key, bytes(again.body)) == (7, KEY, bytes(raw))
    assert codec.decode_body(TAKE, again.body) == Take("1234567890", 100)
    with pytest.raises(Refused, match="it is not a request"):
        codec.request_of(codec.encode(Hello(1, "test")))


@pytest.mark.parametrize(
    ("declared", "body", "reason"),
    [
        (operation("consumers.find"), Find("name", "half \ud83d"), "half a character"),
        (TAKE, Take("1234567890", 10**30), "a number is too large"),
        (TAKE, Take("12", 100), "the consumer must be ten ASCII digits"),
        (
            POST,
            Post("S1", 1, 1, 1, [Line("A1", "1", 1, "soon")]),
            "lines[0].value_date must be ISO",
        ),
    ],
)
def test_what_the_server_could_never_read_is_refused_at_the_desk(
    declared: Operation, body: Any, reason: str
) -> None:
    with pytest.raises(Refused, match="BAD_BODY") as caught:
        codec.encode_body(declared, body)
    assert reason in caught.value.sentence


def test_a_body_of_another_operation_is_our_mistake() -> None:
    with pytest.raises(AssertionError, match=r"payments\.take does not take"):
        codec.encode_body(TAKE, Find("name", "x"))
    with pytest.raises(AssertionError, match=r"payments\.take does not answer"):
        codec.encode_reply(TAKE, Found([], more=False))


def test_a_reply_comes_back_as_it_was() -> None:
    receipt = Receipt("C001/2026-27/1", "2026-04-01", "t", "1", "n", 1, "CASH", "", "DUES", "asha")
    assert codec.decode_reply(TAKE, codec.encode_reply(TAKE, receipt)) == receipt
    found = Found([Consumer("1", "a", "b", "c", "d", "e", 1, -5)], more=True)
    declared = operation("consumers.find")
    assert codec.decode_reply(declared, bytes(codec.encode_reply(declared, found))) == found
    with pytest.raises(Refused, match="BAD_BODY"):
        codec.decode_reply(TAKE, Raw(b"\x90"))


# ---------------------------------------------------------------- every type a client can send


def leaves(kind: inspect.Type, path: str) -> list[tuple[str, inspect.Type]]:
    """Walk a type to the values a client fills in."""
    match kind:
        case inspect.Metadata():
            return leaves(kind.type, path)
        case inspect.StructType():
            return [leaf for one in kind.fields for leaf in leaves(one.type, f"{path}.{one.name}")]
        case inspect.UnionType():
            return [leaf for one in kind.types for leaf in leaves(one, path)]
        case inspect.ListType():
            assert kind.max_length is not None, f"{path} is a list without an end"
            return leaves(kind.item_type, f"{path}[]")
        case inspect.DictType():
            return leaves(kind.key_type, f"{path}{{}}") + leaves(kind.value_type, f"{path}{{}}")
    return [(path, kind)]


SENT = [
    leaf for one in FromClient.__args__ for leaf in leaves(inspect.type_info(one), one.__name__)
]
SENT += [leaf for one in CATALOGUE for leaf in leaves(inspect.type_info(one.request), one.name)]


@pytest.mark.parametrize(("path", "kind"), SENT, ids=[path for path, _ in SENT])
def test_everything_a_client_sends_is_bounded(path: str, kind: inspect.Type) -> None:
    match kind:
        case inspect.StrType():
            assert kind.pattern is not None, "control characters would pass"
            assert kind.max_length is not None or "{" in kind.pattern, "a text without an end"
        case inspect.IntType():
            assert kind.ge is not None, "no least"
            assert kind.le is not None, "no most"
        case inspect.BytesType():
            assert kind.max_length is not None, "bytes without an end"
        case _:
            assert isinstance(kind, FINITE), kind


FINITE = (
    *(inspect.LiteralType, inspect.EnumType, inspect.NoneType, inspect.RawType),
    inspect.BoolType,
)


def test_no_float_is_ever_on_the_wire() -> None:
    kinds = [inspect.type_info(one) for one in (*FromClient.__args__, *FromServer.__args__)]
    kinds += [inspect.type_info(one) for each in CATALOGUE for one in (each.request, each.reply)]
    for kind in kinds:
        assert "FloatType" not in repr(kind)


def test_a_password_may_hold_any_printable_character_but_no_control_character() -> None:
    good = SignIn("asha", "pässwörd ₹ 漢字")
    assert codec.from_client(codec.encode(good)) == good
    with pytest.raises(Refused, match="the password has characters that are not allowed"):
        codec.from_client(pack(["s", "asha", "line\nbreak"]))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            payments.Cancel("C001/2026-27/42", "x"),
            "cancel a receipt of today: the reason needs at least 3 characters.",
        ),
        (
            payments.Cancel("C001/2026-27/42", "x" * 201),
            "cancel a receipt of today: the reason has at most 200 characters.",
        ),
    ],
)
def test_a_bound_is_said_as_a_clerk_says_it(wrong: payments.Cancel, sentence: str) -> None:
    with pytest.raises(Refused) as caught:
        codec.encode_body(operation("payments.cancel"), wrong)
    assert caught.value.sentence == sentence
