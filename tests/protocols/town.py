"""A small town under a virtual clock: one terminal, two servers with the real conversation, a toy
replicated ledger.

What the servers commit is in one ledger at once (replication is proven elsewhere); what can go
wrong here is the line: delay, silence, refusal, frozen servers, a primary that moves. Chance comes
from the seed alone.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import Any

from msgspec import Raw, Struct

from protocols import codec, conversation, desk, talk, terminal
from protocols.faults import refusal
from protocols.messages import (
    MAX_IN_FLIGHT,
    Hello,
    NotPrimary,
    Reply,
    Request,
    Resume,
    Session,
    SignIn,
    Welcome,
)
from protocols.refusals import Refused
from protocols.values import RequestKey

TOKEN = b"t" * 16
CLIENT = b"c" * 16
SESSION = Session(TOKEN, "asha", "clerk", 43_200)


def request(number: int, *, keyed: bool = True) -> bytes:
    key = RequestKey(CLIENT, number) if keyed else None
    name = "payments.take" if keyed else "consumers.dues"
    return codec.encode(Request(number, name, key, Raw(b"\x90")))


class Link(Struct):
    """One connection: the server's side of it, and whether each end still has it."""

    node: int
    call: int
    talk: talk.Talk | None = None
    open: bool = True


class Server:
    """One node: its conversation per link, whether it is primary, frozen, down."""

    def __init__(self, town: Town, node: int) -> None:
        self.town = town
        self.node = node
        self.links: list[Link] = []
        self.primary_epoch: int | None = None
        self.frozen = False
        self.down = False
        self.inbox: list[tuple[Link, Any]] = []

    @property
    def greeting(self) -> Welcome | NotPrimary:
        if self.primary_epoch is None:
            return NotPrimary(0)
        return Welcome(1, f"n{self.node}", self.primary_epoch, 1, 65536, MAX_IN_FLIGHT, 20_000)

    def happen(self, link: Link, happening: Any) -> None:
        if self.down or not link.open:
            return
        if self.frozen:
            self.inbox.append((link, happening))
            return
        if link.talk is None:
            link.talk = conversation.begin(self.greeting)
        link.talk, actions = conversation.step(link.talk, happening)
        for action in actions:
            self.act(link, action)

    def act(self, link: Link, action: Any) -> None:
        match action:
            case talk.Say(message):
                self.town.to_terminal(link, codec.from_server(codec.encode(message)))
            case talk.Dispatch(asked):
                self.town.later(self.town.dice.uniform(0.001, 0.05), self.serve, link, asked)
            case talk.CheckSignIn(claim):
                self.town.later(0.02, self.check, link, claim)
            case talk.Close():
                self.town.close_from_server(link)

    def serve(self, link: Link, asked: Request) -> None:
        if self.down or not link.open:
            return
        if self.frozen:
            self.inbox.append((link, asked))
            return
        answer = self.town.ledger.answer(asked, self)
        self.happen(link, talk.Answered(answer))

    def check(self, link: Link, claim: SignIn | Resume) -> None:
        good = isinstance(claim, SignIn) or claim.token == TOKEN
        accepted = talk.Accepted(SESSION)
        self.happen(
            link, accepted if good else talk.SignInRefused(Refused("SIGN_IN_FAILED", wait_s=30))
        )

    def lead(self, epoch: int | None) -> None:
        self.primary_epoch = epoch
        event: Any = (
            talk.Opened(self.greeting) if epoch is not None else talk.Lost(self.greeting)  # type: ignore[arg-type]
        )
        for link in [one for one in self.links if one.open and one.talk is not None]:
            self.happen(link, event)

    def thaw(self) -> None:
        self.frozen = False
        inbox, self.inbox = self.inbox, []
        for link, happening in inbox:
            if isinstance(happening, Request):
                self.serve(link, happening)
            else:
                self.happen(link, happening)


class Ledger:
    """Keys and their receipts; now and then it says BUSY, PENDING or FAULT first."""

    def __init__(self, dice: random.Random, trouble: float) -> None:
        self.dice = dice
        self.trouble = trouble
        self.posted: dict[int, int] = {}
        self.bytes: dict[int, bytes] = {}

    def answer(self, asked: Request, server: Server) -> Any:
        if server.primary_epoch is None:
            return refusal(asked.seq, Refused("NOT_PRIMARY"), 100)
        if asked.key is None:
            return Reply(asked.seq, Raw(b"\x90"))
        number = asked.key.sequence
        if self.dice.random() < self.trouble:
            code = self.dice.choice(("BUSY", "PENDING", "FAULT"))
            refused = Refused(code, id="1") if code == "FAULT" else Refused(code)
            if code == "PENDING":
                self.posted.setdefault(number, len(self.posted) + 1)
            return refusal(asked.seq, refused, 100)
        replay = number in self.posted
        receipt = self.posted.setdefault(number, len(self.posted) + 1)
        return Reply(asked.seq, Raw(codec._ENCODER.encode([receipt])), replay)


class Town:
    """The clock, the line, the terminal."""

    def __init__(self, seed: int, trouble: float = 0.0) -> None:
        self.dice = random.Random(seed)
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self.ledger = Ledger(self.dice, trouble)
        self.servers = [Server(self, 0), Server(self, 1)]
        self.cut: set[int] = set()
        """Nodes whose packets vanish, both ways."""
        self.calls: dict[int, Link] = {}
        self.journal: dict[int, bytes] = {}
        self.answered: dict[int, Any] = {}
        self.delivered: dict[int, list[tuple[float, desk.Deliver]]] = {}
        self.sent: dict[int, set[bytes]] = {}
        self.trace: list[tuple[float, Any]] = []
        self.wake: tuple[float, int] | None = None
        self.terminal = terminal.begin("town", 2)
        self.alive = True

    # time ------------------------------------------------------------------------------------

    def later(self, delay: float, act: Callable[..., None], *args: Any) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now + delay, self._order, act, args))

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, act, args = heapq.heappop(self._queue)
            act(*args)
        self.now = until

    # the terminal ----------------------------------------------------------------------------

    def happen(self, happening: Any) -> None:
        if not self.alive:
            return
        before = self.terminal
        self.terminal, actions = terminal.step(before, happening, self.now, self.dice.random())
        self.trace.append((self.now, happening))
        for action in actions:
            self.trace.append((self.now, action))
            self.act(action)

    def act(self, action: Any) -> None:
        match action:
            case desk.Connect(node, call):
                self.connect(node, call)
            case desk.Close(_, call):
                self.calls.pop(call).open = False
            case desk.Say(_, call, message):
                link = self.calls[call]
                self.to_server(link, codec.from_client(codec.encode(message)))
            case desk.SendRequest(_, call, seq, payload):
                assert seq not in self.terminal_keyed() or seq in self.journal, (
                    "sent before durable"
                )
                self.sent.setdefault(seq, set()).add(payload)
                self.to_server(self.calls[call], codec.from_client(payload))
            case desk.JournalIntent(seq, payload):
                self.journal[seq] = payload
                self.later(0.001, self.happen, desk.Journalled(seq))
            case desk.JournalAnswer(seq, _, answer):
                self.answered[seq] = answer
            case desk.Deliver(seq, _, answer):
                assert seq not in self.journal or seq in self.answered, "delivered before durable"
                self.delivered.setdefault(seq, []).append((self.now, action))
            case desk.Wake(at):
                self._order += 1
                self.wake = (at, self._order) if at is not None else None
                if at is not None:
                    assert at >= self.now
                    self.later(at - self.now, self.tick, self.wake)

    def terminal_keyed(self) -> set[int]:
        return {one.seq for one in self.terminal.intents if one.keyed}

    def tick(self, wake: tuple[float, int]) -> None:
        if wake == self.wake:
            self.wake = None
            self.happen(desk.Tick())

    def crash_and_restart(self) -> None:
        """Kill -9: memory is gone, the journal is not."""
        for link in self.calls.values():
            link.open = False
        self.calls.clear()
        self.wake = None
        pending = [(seq, self.journal[seq]) for seq in self.journal if seq not in self.answered]
        self.terminal = terminal.begin("town", 2, pending, now=self.now)
        self.happen(desk.Tick())

    # the line --------------------------------------------------------------------------------

    def delay(self) -> float:
        return self.dice.uniform(0.001, 0.03)

    def connect(self, node: int, call: int) -> None:
        link = Link(node, call)
        self.calls[call] = link
        server = self.servers[node]
        if node in self.cut:
            return
        if server.down:
            self.later(self.delay(), self.to_desk, link, desk.LineDown(node, call))
            return
        server.links.append(link)
        self.later(self.delay(), self.to_desk, link, desk.LineUp(node, call))

    def to_desk(self, link: Link, happening: Any) -> None:
        if self.calls.get(link.call) is not link or link.node in self.cut:
            return
        if isinstance(happening, desk.LineDown):
            del self.calls[link.call]
            link.open = False
        self.happen(happening)

    def to_server(self, link: Link, message: Any) -> None:
        if isinstance(message, Hello) and message.version != 1:
            raise AssertionError(message)
        if link.node not in self.cut:
            self.later(0.01, self.servers[link.node].happen, link, talk.Said(message))

    def to_terminal(self, link: Link, message: Any) -> None:
        if link.node not in self.cut:
            self.later(0.01, self.to_desk, link, desk.Heard(link.node, link.call, message))

    def close_from_server(self, link: Link) -> None:
        if link.node not in self.cut:
            self.later(0.011, self.to_desk, link, desk.LineDown(link.node, link.call))

    # what people do to it --------------------------------------------------------------------

    def kill(self, node: int) -> None:
        server = self.servers[node]
        server.down, server.frozen, server.primary_epoch = True, False, None
        server.inbox.clear()
        for link in server.links:
            if link.open:
                self.later(0.005, self.to_desk, link, desk.LineDown(node, link.call))
        server.links.clear()

    def sign_in(self) -> None:
        self.happen(desk.SignInAsked(SignIn("asha", "a long password")))

    def submit(self, number: int) -> None:
        self.happen(desk.Submit(number, request(number)))

    def waits(self) -> dict[int, float]:
        return {seq: gave[0][0] for seq, gave in self.delivered.items()}
