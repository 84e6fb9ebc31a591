"""A board in memory behind real frames, real TLS and the real conversation: two nodes share one
ledger.

It answers the counter's operations well enough to drive a terminal; the database's own rules are
tested with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from protocols import codec, conversation, talk
from protocols.catalogue import CATALOGUE, consumers, days, payments
from protocols.faults import refusal
from protocols.frames import FrameError
from protocols.messages import (
    MAX_IN_FLIGHT,
    NotPrimary,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    Welcome,
)
from protocols.refusals import Refused
from protocols.shell.clock import BootClock
from protocols.shell.stream import Stream
from protocols.shell.tls import ALPN_TERMINAL, server_side
from tests.protocols.papers import Papers

PEOPLE = {"asha": "clerk", "ravi": "officer"}
PASSWORD = "a long password"


class Board:
    """What the nodes have in common: people, one consumer's dues, the day, receipts by key."""

    def __init__(self) -> None:
        self.tokens: dict[bytes, str] = {}
        self.due_paise = 124_000
        self.day = days.Day("2026-04-01", "2026-27", "OPEN")
        self.receipts: list[payments.Receipt] = []
        self.keys: dict[tuple[bytes, int], tuple[bytes, Any]] = {}
        self.wrong: list[str] = []
        """Codes to refuse the next keyed requests with."""

    def answer(self, asked: Request, user: str) -> Any:
        if self.wrong and asked.key is not None:
            return refusal(asked.seq, Refused(self.wrong.pop(0), id="7F3A-09C2"), 50)
        operation = CATALOGUE.get(asked.operation)
        assert operation is not None
        try:
            body = codec.decode_body(operation, asked.body)
            if asked.key is None:
                reply: Struct = self.read(body, user)
                return Reply(asked.seq, codec.encode_reply(operation, reply))
            key = (asked.key.client, asked.key.sequence)
            known = self.keys.get(key)
            if known is not None and known[0] != bytes(asked.body):
                raise Refused("KEY_CONFLICT")
            reply = known[1] if known is not None else self.write(body, user)
            self.keys[key] = (bytes(asked.body), reply)
            raw = codec.encode_reply(operation, reply)
            return Reply(asked.seq, raw, known is not None)
        except Refused as refused:
            return refusal(asked.seq, refused)

    def read(self, body: Any, user: str) -> Struct:
        match body:
            case consumers.Find():
                row = consumers.Consumer(
                    "1234567890",
                    "R K SHARMA",
                    "12 MALL ROAD",
                    "DS-I",
                    "M1",
                    "",
                    2000,
                    self.due_paise,
                )
                found = [row] if body.text.lower() in {"1234567890", "sharma"} else []
                return consumers.Found(found, more=False)
            case consumers.Dues(consumer="1234567890"):
                heads = [consumers.HeadDue("CURRENT", self.due_paise)]
                due = self.due_paise
                return consumers.DuesAnswer("1234567890", "R K SHARMA", heads, due, 0, due)
            case consumers.Dues():
                raise Refused("NO_CONSUMER", consumer=body.consumer)
            case payments.Mine():
                mine = [one for one in self.receipts if one.clerk == user]
                total = sum(one.amount_paise for one in mine if one.state != "CANCELLED")
                return payments.Receipts(mine[::-1], len(mine), total)
            case _:
                return self.day

    def write(self, body: Any, user: str) -> Struct:
        match body:
            case payments.Take():
                return self.take(body, user)
            case payments.Duplicate():
                for one in self.receipts:
                    if one.number == body.receipt:
                        return one
                raise Refused("NO_RECEIPT", receipt=body.receipt)
            case payments.Cancel():
                self.receipts.clear()
                return payments.Cancelled(body.receipt, 100)
            case payments.Verify():
                total = sum(one.amount_paise for one in self.receipts)
                heads = [payments.HeadPosted("CURRENT", total)]
                return payments.Verified(len(self.receipts), total, heads)
            case days.OpenDay():
                self.day = days.Day(body.date, "2026-27", "OPEN")
            case _:
                self.day = days.Day(self.day.date, "2026-27", "CLOSED")
                return days.Closed(self.day.date, "2026-27", "CLOSED", [])
        return self.day

    def take(self, body: payments.Take, user: str) -> payments.Receipt:
        if self.day.state != "OPEN":
            raise Refused("DAY_NOT_OPEN")
        if body.consumer != "1234567890":
            raise Refused("NO_CONSUMER", consumer=body.consumer)
        if body.purpose == "DUES" and body.amount_paise > self.due_paise:
            raise Refused("ADVANCE_UNMARKED", amount=body.amount_paise, dues=self.due_paise)
        self.due_paise -= body.amount_paise
        receipt = payments.Receipt(
            f"C001/2026-27/{len(self.receipts) + 1}",
            self.day.date,
            "2026-04-01T05:32:00Z",
            body.consumer,
            "R K SHARMA",
            body.amount_paise,
            body.mode,
            body.instrument,
            body.purpose,
            user,
        )
        self.receipts.append(receipt)
        return receipt


class Node(Factory):
    """One server on loopback. ``mute``: it reads and never says a word."""

    noisy = False

    def __init__(self, board: Board, papers: Papers, name: str) -> None:
        self.board = board
        self.name = name
        self.clock = BootClock()
        self.here: Welcome | NotPrimary = NotPrimary(0)
        self.desks: list[Server] = []
        self.mute = False
        self.files = papers.give("node", name)
        self._connections = server_side(
            self.files, papers.cluster, ("counter", "bank"), ALPN_TERMINAL
        )
        self._port: Any = None
        self._number = 0

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self._number)

    def listen(self) -> Node:
        wrapped = TLSMemoryBIOFactory(self._connections, False, self)
        self._port = reactor.listenTCP(self._number, wrapped, interface="127.0.0.1")  # type: ignore[arg-type]
        self._number = self._port.getHost().port
        return self

    def buildProtocol(self, addr: Any) -> Stream:
        server = Server(self)
        self.desks.append(server)
        return server.stream

    def lead(self, epoch: int) -> None:
        self.here = Welcome(
            1, self.name, epoch, 1, 65536, MAX_IN_FLIGHT, 20_000, self.board.day.date
        )
        for one in list(self.desks):
            one.happen(talk.Opened(self.here))

    def fall(self) -> None:
        self.here = NotPrimary(0)
        for one in list(self.desks):
            one.happen(talk.Lost(self.here))

    def kill(self) -> Deferred[None]:
        self.here = NotPrimary(0)
        for one in list(self.desks):
            one.stream.abort("killed")
        done: Deferred[None] = self._port.stopListening()
        return done


class Server:
    """The server's side of one connection."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.stream = Stream(self, node.clock, ALPN_TERMINAL)
        self.talk = conversation.begin(node.here)
        self.user = ""
        self.received = 0
        self.sent = 0

    def stream_up(self, stream: Stream) -> None:
        assert stream.subject is not None
        if stream.subject.kind == "bank":
            self.talk = conversation.begin(
                self.node.here, frozenset({"banking.post", "days.today"})
            )

    def frame_came(self, stream: Stream, payload: bytes) -> None:
        self.received += len(payload)
        try:
            self.happen(talk.Said(codec.from_client(payload)))
        except Refused as refused:
            self.happen(talk.Broken(refused))

    def stream_broken(self, stream: Stream, wrong: FrameError) -> None:
        self.happen(talk.Broken(Refused("BAD_FRAME", reason=wrong.reason)))

    def stream_late(self, stream: Stream, what: str) -> None:
        self.happen(talk.Deadline(what))

    def stream_down(self, stream: Stream, reason: str) -> None:
        if self in self.node.desks:
            self.node.desks.remove(self)
        self.happen(talk.Gone())

    def happen(self, happening: Any) -> None:
        if self.node.mute and not isinstance(happening, talk.Gone):
            return
        self.talk, actions = conversation.step(self.talk, happening)
        if self.talk.state is not talk.State.AWAIT_HELLO:
            self.stream.greeted()
        for action in actions:
            self.act(action)

    def act(self, action: Any) -> None:
        match action:
            case talk.Say(message):
                payload = codec.encode_for_client(message)
                self.sent += len(payload)
                self.stream.send(payload)
            case talk.Dispatch(asked):
                answer = self.node.board.answer(asked, self.user)
                reactor.callLater(0, self.happen, talk.Answered(answer))
                if getattr(answer, "code", "") in {"PROVE_AGAIN", "SIGN_IN_AGAIN"}:
                    ended = talk.SessionEnded(Refused(answer.code))
                    reactor.callLater(0, self.happen, ended)
            case talk.CheckSignIn(claim):
                reactor.callLater(0, self.check, claim)
            case talk.EndSession():
                self.user = ""
            case talk.PauseReading():
                self.stream.pause()
            case talk.ResumeReading():
                self.stream.resume()
            case talk.Close():
                self.stream.close()

    def check(self, claim: SignIn | Resume) -> None:
        if self.talk.state is talk.State.CLOSED:
            return
        tokens = self.node.board.tokens
        if isinstance(claim, SignIn) and claim.user in PEOPLE and claim.password == PASSWORD:
            self.user = claim.user
            token = len(tokens).to_bytes(16, "big")
            tokens[token] = claim.user
        elif isinstance(claim, Resume) and claim.token in tokens:
            self.user, token = tokens[claim.token], claim.token
        else:
            refused = Refused("SIGN_IN_FAILED", wait_s=30)
            self.happen(talk.SignInRefused(refused))
            return
        self.happen(talk.Accepted(Session(token, self.user, PEOPLE[self.user], 43_200)))


class Town:
    """Two nodes on loopback and the papers of everyone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.papers = Papers(folder)
        self.board = Board()
        self.nodes = [Node(self.board, self.papers, name).listen() for name in ("a", "b")]
        self.nodes[0].lead(1)

    async def close(self) -> None:
        for node in self.nodes:
            await node.kill()
