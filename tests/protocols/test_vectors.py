"""The published vectors, replayed: as a client in another language would, with nothing but
MessagePack.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from protocols import codec
from protocols.catalogue import CATALOGUE
from protocols.frames import Frames
from protocols.messages import MAX_FRAME_BYTES, FromClient, FromServer
from protocols.refusals import SENTENCES, Refused
from tests.protocols import book, examples

VECTORS: dict[str, Any] = json.loads((book.FOLDER / "vectors.json").read_text(encoding="utf-8"))


def unplain(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"hex"}:
        return bytes.fromhex(value["hex"])
    if isinstance(value, dict):
        return {key: unplain(one) for key, one in value.items()}
    return [unplain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("side", ["from_client", "from_server"])
def test_every_message_reads_writes_and_frames_as_published(side: str) -> None:
    read: Any = codec.from_client if side == "from_client" else codec.from_server
    for vector in VECTORS[side]:
        payload = bytes.fromhex(vector["payload"])
        assert codec.encode(read(payload)) == payload, vector["name"]
        assert msgspec.msgpack.encode(unplain(vector["array"])) == payload, vector["name"]
        frames = Frames(MAX_FRAME_BYTES)
        assert frames.feed(bytes.fromhex(vector["frame"])) == [payload]


def test_the_packed_message_is_read_as_published() -> None:
    vector = VECTORS["packed"]
    message = codec.from_server(bytes.fromhex(vector["payload"]))
    assert codec.encode(message).hex() == vector["within"]


def test_every_kind_of_message_has_a_vector() -> None:
    for union, given in ((FromClient, examples.FROM_CLIENT), (FromServer, examples.FROM_SERVER)):
        assert {type(one) for one in given.values()} == set(union.__args__)


def test_every_body_reads_and_writes_as_published() -> None:
    assert {one["operation"] for one in VECTORS["bodies"]} == {one.name for one in CATALOGUE}
    for vector in VECTORS["bodies"]:
        operation = examples.declared(vector["operation"])
        for kind, read in (("request", codec.decode_body), ("reply", codec.decode_reply)):
            raw = bytes.fromhex(vector[kind]["payload"])
            assert msgspec.msgpack.encode(unplain(vector[kind]["array"])) == raw
            assert bytes(examples.body_raw(read(operation, raw))) == raw


def test_everything_unreadable_is_refused_as_published() -> None:
    for vector in VECTORS["unreadable"]:
        with pytest.raises(Refused) as caught:
            codec.from_client(bytes.fromhex(vector["payload"]))
        assert (caught.value.code, caught.value.sentence) == (vector["code"], vector["sentence"])
    for vector in VECTORS["bad_bodies"]:
        with pytest.raises(Refused) as caught:
            codec.decode_body(examples.declared(vector["operation"]), bytes.fromhex(vector["body"]))
        assert (caught.value.code, caught.value.sentence) == (vector["code"], vector["sentence"])


@pytest.mark.parametrize("name", list(book.pages()))
def test_what_is_published_is_what_is_declared(name: str) -> None:
    published = (book.FOLDER / name).read_text(encoding="utf-8")
    assert published == book.pages()[name], "run: python -m tests.protocols.book"


def test_the_guide_names_every_limit_and_its_links_lead_somewhere() -> None:
    guide = (book.FOLDER / "index.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([\w.]+)(?:#[\w-]+)?\)", guide):
        assert (book.FOLDER / target).exists(), target
    for one in ("65,536", "mpower/1", "10 s", "`KEY_CONFLICT`", "20 s"):
        assert one in guide
    for code in re.findall(r"`([A-Z][A-Z_]{3,})`", guide):
        assert code in SENTENCES, code
