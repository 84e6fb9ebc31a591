"""What a terminal and a server say to each other: tagged MessagePack arrays, one type a message.

A session: Hello → Welcome | NotPrimary; SignIn | Resume → Session | Refusal; then Requests and
Replies, pipelined, matched by ``seq``. Every request gets exactly one of Reply or Refusal (or the
connection closes: not an answer). A body travels as raw MessagePack inside its envelope, so that
the envelope can be read, refused and journalled without knowing the operation, and so that the
terminal re-sends identical bytes. Unknown fields and tags are refused.
"""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta, Raw, Struct

from protocols.values import Password, RequestKey, Text

PROTOCOL_VERSION: Final = 1
MAX_FRAME_BYTES: Final = 64 * 1024
"""A clerk's message is below 1 KB; a bank batch of 500 lines fits in 64 KB. Checked on the length
header.
"""
MAX_BODY_BYTES: Final = MAX_FRAME_BYTES - 64
"""What an answer may say: the frame, less its envelope."""
MAX_IN_FLIGHT: Final = 8
"""Requests one connection may have unanswered: enough to hide a WAN round trip, small enough for a
storm.
"""
HELLO_DEADLINE_S: Final = 10.0
"""From accept, through the TLS handshake, to Hello: a slow client holds a slot no longer than this.
"""
IDLE_BEAT_MS: Final = 20_000
"""The keep-alive interval: 2 x ~30 bytes / 20 s is far below 1 % of 64 kbit/s."""

Seq = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Epoch = Annotated[int, Meta(ge=0, le=2**62)]
Address = Annotated[str, Meta(max_length=120, pattern=r"^[\x21-\x7e]*\Z")]


Login = Annotated[str, Meta(max_length=32, pattern=r"^[a-z0-9._-]*\Z")]


class Message(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The base of all messages; the tag is the first element of the array."""


class Hello(Message, tag="h", frozen=True):
    """First words of a client: protocol version, its software, the highest epoch it has seen from
    any Welcome.
    """

    version: Annotated[int, Meta(ge=0, le=2**16)]
    software: Text
    epoch: Epoch = 0


class Welcome(Message, tag="w", frozen=True):
    """The primary's greeting: its node, epoch and term, the limits, and the open business date (''
    if none).
    """

    version: int
    node: str
    epoch: Epoch
    term: Epoch
    max_frame_bytes: int
    max_in_flight: int
    beat_ms: int
    business_date: str = ""
    notice: str = ""


class NotPrimary(Message, tag="n", frozen=True):
    """This node is not the primary (or not yet open): where it believes the primary is (''
    unknown), when to retry.
    """

    epoch: Epoch
    where: Address = ""
    retry_ms: int = 200


class SignIn(Message, tag="s", frozen=True):
    """A person signs in. Exact bytes of the password after NFC; the server answers Session or
    Refusal (seq 0).
    """

    user: Text
    password: Password
    totp: Annotated[str, Meta(pattern=r"^[0-9]{0,8}\Z", description="up to eight ASCII digits")] = (
        ""
    )


class Resume(Message, tag="u", frozen=True):
    """Take up a session again by its token after a reconnect: no password, no argon2."""

    token: Annotated[bytes, Meta(min_length=16, max_length=16)]


class Session(Message, tag="o", frozen=True):
    """Signed in: the 128-bit token that survives failover, who, as what, since when it counts out
    (seconds).
    """

    token: bytes
    user: str
    role: str
    expires_s: int


class SignOut(Message, tag="x", frozen=True):
    """End this session; the connection stays and may sign in again."""


class Request(Message, tag="q", frozen=True):
    """One operation call. ``key`` for keyed operations, None for the others. ``body`` is its raw
    MessagePack. ``by``: the login it was made under; in another's session only its key's earlier
    outcome is told, nothing is done. '' it is whoever's session it is sent in.
    """

    seq: Seq
    operation: Annotated[str, Meta(max_length=48, pattern=r"^[a-z_.]+\Z")]
    key: RequestKey | None
    body: Raw
    by: Login = ""


class Reply(Message, tag="r", frozen=True):
    """The definitive good answer. ``replay`` says it was answered before: print DUPLICATE, never
    pay twice.
    """

    seq: Seq
    body: Raw
    replay: bool = False


class Refusal(Message, tag="f", frozen=True):
    """An answer that is no. ``final``: the key's outcome for ever; else the terminal re-sends after
    retry_ms.
    """

    seq: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    code: str
    sentence: str
    final: bool
    retry_ms: int = 0
    replay: bool = False


class Notice(Message, tag="t", frozen=True):
    """Pushed by the server. ``kind``: ``copies`` (one server or both hold what is posted now),
    ``displaced`` (the certificate connected again), ``signed_out``; a person reads ``text``.
    """

    kind: str
    text: str


class Beat(Message, tag="b", frozen=True):
    """Keep-alive, either way; answered by a Beat from the server."""


class Packed(Message, tag="z", frozen=True):
    """Another message of the server, deflated (raw RFC 1951, behind a preset dictionary) because it
    is large; never one in another, never more than a frame when unpacked.
    """

    deflated: bytes


FromClient = Hello | SignIn | Resume | SignOut | Request | Beat
FromServer = Welcome | NotPrimary | Session | Reply | Refusal | Notice | Beat
