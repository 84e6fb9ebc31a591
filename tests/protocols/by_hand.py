"""A terminal driven by hand under a clock of one's own: each thing that happens, each thing it
does.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw

from protocols import desk
from protocols.messages import Session, SignIn, Welcome
from protocols.terminal import begin, step
from tests.protocols.town import TOKEN, request

EMPTY = Raw(b"\x90")
CLAIM = SignIn("asha", "a long password")


def welcome(epoch: int) -> Welcome:
    return Welcome(1, "n", epoch, 1, 65536, 8, 20_000)


class Desk:
    """A terminal driven by hand: what it does is kept until taken."""

    def __init__(self, nodes: int = 2, **begun: Any) -> None:
        self.t = begin("test", nodes, **begun)
        self.now = 0.0
        self.did: list[Any] = []
        self.go(desk.Tick())

    def go(self, *happenings: Any, jitter: float = 0.5) -> list[Any]:
        for happening in happenings:
            self.t, actions = step(self.t, happening, self.now, jitter)
            self.did.extend(actions)
        return self.take()

    def take(self) -> list[Any]:
        did, self.did = self.did, []
        return [one for one in did if not isinstance(one, desk.Wake)]

    def wait(self, until: float, jitter: float = 0.5) -> list[Any]:
        """Let time pass, waking whenever the terminal asked for it."""
        did: list[Any] = []
        for _ in range(1000):
            if self.t.wake_at is None or self.t.wake_at > until:
                break
            self.now = max(self.now, self.t.wake_at)
            did += self.go(desk.Tick(), jitter=jitter)
        else:
            raise AssertionError("it wakes without end")
        self.now = until
        return did

    def call(self, node: int) -> int:
        line = self.t.lines[node]
        assert line is not None
        return line.call

    def hear(self, node: int, message: Any) -> list[Any]:
        return self.go(desk.Heard(node, self.call(node), message))

    def home(self, epoch: int = 1) -> Desk:
        """Welcomed at node 0 and signed in."""
        self.go(desk.LineUp(0, self.call(0)))
        self.hear(0, welcome(epoch))
        self.go(desk.SignInAsked(CLAIM))
        self.hear(0, Session(TOKEN, "asha", "clerk", 100))
        self.take()
        return self

    def submit(self, seq: int) -> list[Any]:
        did = self.go(desk.Submit(seq, request(seq)))
        return did + self.go(desk.Journalled(seq))


def kinds(actions: list[Any]) -> list[str]:
    return [type(one).__name__ for one in actions]
