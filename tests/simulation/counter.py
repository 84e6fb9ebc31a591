"""A counter: the real terminal table with a journal, on a wire that breaks.

The clerk takes one payment after the other. The terminal's process is killed now and then; its
journal stays. What is acknowledged to it must never change.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from protocols import desk, terminal
from protocols.messages import (
    Beat,
    Hello,
    NotPrimary,
    Refusal,
    Reply,
    Welcome,
)
from tests.simulation.network import Network
from tests.simulation.server import Request, Server
from tests.simulation.world import Violation, World

NODES = ("a", "b")


class Counter:
    """``name`` is two characters; a payment's key is name and sequence."""

    def __init__(
        self, world: World, network: Network, name: str, servers: dict[str, Server]
    ) -> None:
        self.world, self.network, self.name, self.servers = world, network, name, servers
        self.journal: dict[int, bytes] = {}
        self.receipts: dict[int, int] = {}
        self.refused: dict[int, str] = {}
        self.sent: dict[bytes, str] = {}
        self.frozen: list[tuple[int, desk.Happening]] | None = None
        self.sequence = 0
        self.closing = False
        self.life = 0
        self.calls: set[tuple[int, int]] = set()
        self.desk: desk.Terminal
        self.boot()

    @property
    def at_rest(self) -> bool:
        """Everything taken here was answered."""
        return not self.journal

    def boot(self) -> None:
        """The terminal's process starts with what its journal holds."""
        self.life += 1
        self.calls.clear()
        pending = sorted(self.journal.items())
        self.desk = terminal.begin(
            "sim",
            len(NODES),
            pending,
            now=self.world.now,
            principal=True,
            first=self.world.rng.randrange(2),
        )
        self._step(self.life, desk.Tick())
        self.world.after(self.world.between(0.1, 0.6), self._take, self.life)

    def kill(self) -> None:
        """Kill −9; it is started again a little later."""
        self.life += 1
        self.world.after(self.world.between(0.1, 1.0), self.boot)

    def freeze(self) -> None:
        """SIGSTOP."""
        self.frozen = [] if self.frozen is None else self.frozen

    def thaw(self) -> None:
        """SIGCONT: what came to its sockets and timers is handled now."""
        held, self.frozen = self.frozen or [], None
        for life, happening in held:
            self._step(life, happening)

    def _take(self, life: int) -> None:
        """The clerk takes the next payment, if the last one is answered."""
        if life != self.life or self.closing:
            return
        if len(self.journal) < 2 and self.frozen is None:
            self.sequence += 1
            body = f"{self.world.rng.randrange(1, 10**6)}"
            payload = f"{self.name}{self.sequence}|{body}".encode()
            self._step(life, desk.Submit(self.sequence, payload))
        if self.world.chance(0.3):
            self._enquire()
        self.world.after(self.world.between(0.15, 0.7), self._take, life)

    def _enquire(self) -> None:
        """The clerk looks up the last receipt, wherever this terminal is connected."""
        for node, _ in sorted(self.calls):
            line = ("t", NODES[node], 0)
            self.network.send(line, self.servers[NODES[node]].enquire, self.name)

    def _step(self, life: int, happening: desk.Happening) -> None:
        if life != self.life:
            return
        if self.frozen is not None:
            self.frozen.append((life, happening))
            return
        jitter = self.world.rng.random()
        self.desk, actions = terminal.step(self.desk, happening, self.world.now, jitter)
        for one in actions:
            self._carry_out(life, one)

    def _carry_out(self, life: int, order: Any) -> None:
        match order:
            case desk.Wake(at=at):
                if at is not None:
                    delay_s = max(0.0, at - self.world.now)
                    self.world.after(delay_s, self._woken, life, at)
            case desk.Connect(node=node, call=call):
                self._connect(life, node, call)
            case desk.Close(node=node, call=call):
                self.calls.discard((node, call))
                self.servers[NODES[node]].callers.pop((self.name, life, call), None)
            case desk.Say(node=node, call=call, message=message):
                self._say(life, node, call, message)
            case desk.SendRequest(node=node, call=call, seq=seq, payload=payload):
                self._request(life, node, call, seq, payload)
            case desk.JournalIntent(seq=seq, payload=payload):
                self.world.after(0.001, self._journalled, life, seq, payload)
            case desk.JournalAnswer(seq=seq, verdict=verdict, answer=answer):
                self._settle(seq, verdict, answer)
            case _:
                pass

    def _woken(self, life: int, at: float) -> None:
        if life == self.life and self.desk.wake_at == at:
            self._step(life, desk.Tick())

    def _journalled(self, life: int, seq: int, payload: bytes) -> None:
        if life == self.life:
            self.journal[seq] = payload
            self._step(life, desk.Journalled(seq))

    def _settle(self, seq: int, verdict: desk.Verdict, answer: Reply | Refusal) -> None:
        if isinstance(answer, Refusal):
            raise Violation(f"{self.name}{seq} was refused for ever: {answer.code}")
        number = int(bytes(answer.body))
        if self.receipts.setdefault(seq, number) != number:
            raise Violation(f"{self.name}{seq}: receipt {number} after {self.receipts[seq]}")
        self.journal.pop(seq, None)

    # ---- the wire

    def _up(self, life: int, node: int, call: int) -> None:
        self.calls.add((node, call))
        self._step(life, desk.LineUp(node, call))

    def _down(self, life: int, node: int, call: int) -> None:
        self.calls.discard((node, call))
        self.servers[NODES[node]].callers.pop((self.name, life, call), None)
        self._step(life, desk.LineDown(node, call))

    def _connect(self, life: int, node: int, call: int) -> None:
        name = NODES[node]
        server = self.servers[name]
        cut = self.network.cuts.get((name, "t", 0)) or self.network.cuts.get(("t", name, 0))
        if cut or not server.node.alive:
            if not cut:
                self.world.after(0.001, self._down, life, node, call)
            return
        self.world.after(0.002, self._up, life, node, call)

    def _to_server(self, life: int, node: int, call: int, deliver: Any, *args: Any) -> None:
        """Down the wire; a lost segment ends the connection."""
        line = ("t", NODES[node], 0)
        if (node, call) in self.calls and not self.network.send(line, deliver, *args):
            self._break(life, node, call)

    def _break(self, life: int, node: int, call: int) -> None:
        """A segment was lost for good: nothing passes any more, and both ends find out later."""
        self.calls.discard((node, call))
        self.servers[NODES[node]].callers.pop((self.name, life, call), None)
        self.world.after(self.world.between(0.2, 1.0), self._down, life, node, call)

    def _hear(self, life: int, node: int, call: int, message: Any) -> None:
        if life == self.life and (node, call) in self.calls:
            self._step(life, desk.Heard(node, call, message))

    def _from_server(self, life: int, node: int, call: int, message: Any) -> None:
        line = (NODES[node], "t", 0)
        if life != self.life or (node, call) not in self.calls:
            return
        if not self.network.send(line, self._hear, life, node, call, message):
            self._break(life, node, call)

    def _say(self, life: int, node: int, call: int, message: Any) -> None:
        server = self.servers[NODES[node]]

        def heard() -> None:
            if not server.node.alive:
                self._down(life, node, call)
            elif not server.node.later(heard):
                self._from_server(
                    life, node, call, self._greeting(server, message, life, node, call)
                )

        self._to_server(life, node, call, heard)

    def _greeting(self, server: Server, message: Any, life: int, node: int, call: int) -> Any:
        if isinstance(message, Hello):
            hello = message
            server.callers[self.name, life, call] = lambda: (
                self._from_server(life, node, call, self._word(server, hello))
                if server.node.alive
                else self._down(life, node, call)
            )
        return self._word(server, message)

    def _word(self, server: Server, message: Any) -> Any:
        stood = server.node.standing
        if not server.is_open:
            return NotPrimary(stood.epoch) if isinstance(message, Hello) else Beat()
        if isinstance(message, Hello):
            return Welcome(1, stood.node, stood.epoch, stood.term, 65536, 8, 20_000)
        return Beat()

    def _request(self, life: int, node: int, call: int, seq: int, payload: bytes) -> None:
        server = self.servers[NODES[node]]
        key, _, body = payload.decode().partition("|")
        self.sent[key.encode()] = body

        def answer(code: str, number: int, replay: bool) -> None:
            message: Any
            if code == "RECEIPT":
                message = Reply(seq, Raw(str(number).encode()), replay)
            elif code == "NOT_PRIMARY":
                message = NotPrimary(server.node.standing.epoch)
            else:
                message = Refusal(seq, code, code, code == "KEY_CONFLICT", 100)
            self._from_server(life, node, call, message)

        def heard() -> None:
            if not server.node.alive:
                self._down(life, node, call)
            elif not server.node.later(heard):
                server.take(Request(key.encode(), body, self.name, answer))

        self._to_server(life, node, call, heard)
