"""Messages and bodies to bytes and back. Everything that can be wrong with bytes becomes a refusal
with a reason.

Invariants: the same value always encodes to the same bytes (a key's repeat must be recognised as
one); what decodes is of the declared type within the declared bounds, so nobody asks again. A
message that cannot be read is BAD_FRAME, an operation's body BAD_BODY; both name the field. No
float, no lone surrogate, no unknown field or tag passes. This file must not know states or sockets.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from protocols.messages import (
    MAX_FRAME_BYTES,
    FromClient,
    FromServer,
    Message,
    Packed,
    Request,
)
from protocols.operation import Operation
from protocols.reasons import why
from protocols.refusals import Refused

Body = TypeVar("Body", bound=Struct)

PACK_FROM_BYTES: Final = 128
"""A cash receipt is below, and costs nothing; a cheque's loses the 60 bytes that keep its payment
within 300 on the line; a page of consumers shrinks to a third."""
PACK_LEVEL: Final = 6
PACK_DICTIONARY: Final = (
    b"\xa4CARD\xa3UPI\xa2DD\xa8TRANSFER\xa7ADVANCE\xa6SUNDRY\xa9CANCELLED\xa8VERIFIED"
    b"\xabDISHONOURED\xb42027-04-01T00:00:00Z\xb3C001/2026-27/0000\xaa2026-12-31"
    b"\xb42026-10-01T10:00:00Z\xaa1000000000\xa4CASH\xa6CHEQUE 2026-11 SBI \xa4DUES\xa5TAKEN\xc2"
)
"""What both ends read before a packed message: the words and shapes of a receipt, so that it need
not say them. Part of the protocol, as a field's number is: changed bytes are another protocol."""
_ENCODER: Final = msgspec.msgpack.Encoder(order="deterministic")
_FROM_CLIENT: Final[msgspec.msgpack.Decoder[FromClient]] = msgspec.msgpack.Decoder(FromClient)
_FROM_SERVER: Final[msgspec.msgpack.Decoder[FromServer | Packed]] = msgspec.msgpack.Decoder(
    FromServer | Packed
)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_TAGS: Final[dict[str, type[Message]]] = {
    str(one.__struct_config__.tag): one
    for one in (*FromClient.__args__, *FromServer.__args__, Packed)
}


def encode(message: Message) -> bytes:
    """Give a message's bytes (without the frame's header)."""
    return _ENCODER.encode(message)


def encode_for_client(message: FromServer) -> bytes:
    """Give the bytes of a server's message, packed if it is large and that makes it smaller."""
    plain = _ENCODER.encode(message)
    if len(plain) < PACK_FROM_BYTES:
        return plain
    packed = _ENCODER.encode(Packed(deflated(plain)))
    return min(packed, plain, key=len)


def deflated(plain: bytes) -> bytes:
    """Give what stands in a Packed: raw deflate behind the dictionary."""
    packing = zlib.compressobj(PACK_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=PACK_DICTIONARY)
    return packing.compress(plain) + packing.flush()


def from_client(payload: bytes) -> FromClient:
    """Read what a client said; raises Refused BAD_FRAME naming the field."""
    try:
        return _FROM_CLIENT.decode(payload)
    except _UNREADABLE as error:
        raise Refused("BAD_FRAME", reason=why(error, _spoken(payload))) from None


def from_server(payload: bytes) -> FromServer:
    """Read what a server said; raises Refused BAD_FRAME naming the field."""
    message = _server_message(payload)
    if isinstance(message, Packed):
        message = _server_message(_unpacked(message))
    if isinstance(message, Packed):
        raise Refused("BAD_FRAME", reason="it is packed twice")
    return message


def _server_message(payload: bytes) -> FromServer | Packed:
    try:
        return _FROM_SERVER.decode(payload)
    except _UNREADABLE as error:
        raise Refused("BAD_FRAME", reason=why(error, _spoken(payload))) from None


def _unpacked(message: Packed) -> bytes:
    """Inflate up to the size of a frame: whoever sends more is not a server of ours."""
    inflating = zlib.decompressobj(-zlib.MAX_WBITS, zdict=PACK_DICTIONARY)
    try:
        plain = inflating.decompress(message.deflated, MAX_FRAME_BYTES)
    except zlib.error:
        raise Refused("BAD_FRAME", reason="it cannot be unpacked") from None
    if not inflating.eof or inflating.unused_data:
        raise Refused("BAD_FRAME", reason="it unpacks to more than a frame, or to less than all")
    return plain


def encode_body(operation: Operation, body: Struct) -> Raw:
    """Give a request body's bytes, checked as the server will check them; raises Refused BAD_BODY.

    A terminal calls this before it journals: what the server could never read is refused at the
    desk.
    """
    assert isinstance(body, operation.request), f"{operation.name} does not take a {type(body)}"
    raw = _checked(operation.purpose, body)
    decode_body(operation, raw)
    return raw


def encode_reply(operation: Operation, reply: Struct) -> Raw:
    """Give a reply body's bytes. A reply that is not of the declared type is our mistake:
    AssertionError.
    """
    assert isinstance(reply, operation.reply), f"{operation.name} does not answer {type(reply)}"
    return Raw(_ENCODER.encode(reply))


def decode_body(operation: Operation, raw: bytes | Raw) -> Any:
    """Read a request's body as declared; raises Refused BAD_BODY naming the field."""
    return _decode(operation.purpose, operation.request, raw)


def decode_reply(operation: Operation, raw: bytes | Raw) -> Any:
    """Read a reply's body as declared; raises Refused BAD_BODY naming the field."""
    return _decode(operation.name, operation.reply, raw)


def request_of(payload: bytes) -> Request:
    """Read a journalled request again; raises Refused BAD_FRAME if the journal holds something
    else.
    """
    message = from_client(payload)
    if not isinstance(message, Request):
        raise Refused("BAD_FRAME", reason="it is not a request")
    return message


def _checked(name: str, body: Struct) -> Raw:
    try:
        return Raw(_ENCODER.encode(body))
    except UnicodeEncodeError:
        raise Refused("BAD_BODY", operation=name, reason="a text holds half a character") from None
    except OverflowError:
        raise Refused("BAD_BODY", operation=name, reason="a number is too large") from None


def _decode(name: str, kind: type[Body], raw: bytes | Raw) -> Body:
    try:
        decoder: msgspec.msgpack.Decoder[Body] = _decoder(kind)
        return decoder.decode(raw)
    except _UNREADABLE as error:
        raise Refused("BAD_BODY", operation=name, reason=why(error, kind)) from None


@cache
def _decoder(kind: type[Body]) -> msgspec.msgpack.Decoder[Body]:
    return msgspec.msgpack.Decoder(kind)


def _spoken(payload: bytes) -> object:
    """Find which message was meant, by its tag, so that a reason can name its field."""
    try:
        head = msgspec.msgpack.decode(payload, type=list[Raw])[0]
        return _TAGS.get(msgspec.msgpack.decode(head, type=str), FromServer)
    except (*_UNREADABLE, IndexError):
        return FromServer
