"""What an operator may ask over the peer port: ``status`` now; what changes the cluster goes to the
machine.

Every question gets exactly one answer, within a deadline; a refusal is a sentence. One changing
verb at a time: a second is refused while the first is under way. It must not decide whether a verb
is right: the machine answers that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, Protocol

import msgspec

from cluster.actions import AnswerVerb
from cluster.events import Asked
from cluster.rules.asked import CHANGES
from cluster.session import Session
from protocols.peer import Answer, Ask, PeerMessage

CHANGING: Final = ("bootstrap", "handover", "adopt", "rebuild", *CHANGES)
ANSWER_S: Final = 90.0
"""Longer than an initdb on a slow disk; the operator's own deadline is longer still."""


class VerbRefusedError(Exception):
    """A verb was taken up and then could not be finished; str() is the sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Orders(Protocol):
    """Whoever takes verbs that change the cluster."""

    def asked(self, event: Asked) -> None:
        """Hand a verb to the machine; its word comes back through ``Verbs.answered``."""

    async def finish(self, verb: str, arguments: Mapping[str, str]) -> None:
        """Complete a verb that was taken up; VerbRefusedError if that cannot be."""

    def verb_fault(self, verb: str, wrong: BaseException) -> str:
        """Log an error of ours; its id."""


class Verbs:
    """Speaks with operators. ``status`` gives the answer's object; no ``orders``: status only."""

    def __init__(self, status: Callable[[], object], orders: Orders | None = None) -> None:
        self._status = status
        self._orders = orders
        self.questions: dict[str, Callable[[], Awaitable[object]]] = {}
        """What may be asked, beside ``status``, that changes nothing and takes a moment."""
        self._pending: asyncio.Future[AnswerVerb] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def session_open(self, session: Session) -> None:
        """An operator is here, and speaks first."""

    def session_over(self, session: Session, reason: str) -> None:
        """The operator is gone; what was begun goes on."""

    def message_came(self, session: Session, message: PeerMessage) -> None:
        """Answer one question."""
        if not isinstance(message, Ask):
            session.refuse("bad-message", "Operators ask; nothing else is understood here.")
            return
        known = ("status", *self.questions, *(CHANGING if self._orders else ()))
        if message.verb == "status":
            session.send(_yes(message, self._status()))
        elif message.verb in self.questions:
            self._keep(self._answer(session, message, self.questions[message.verb]))
        elif message.verb not in known or self._orders is None:
            text = f"There is no verb {message.verb!r} here; known: {', '.join(known)}."
            session.send(_no(message, "unknown-verb", text))
        elif self._pending is not None:
            text = "Another operator's order is under way; ask again in a moment."
            session.send(_no(message, "busy", text))
        else:
            self._pending = asyncio.get_running_loop().create_future()
            self._keep(self._change(session, message, self._orders, self._pending))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, session: Session, ask: Ask, question: Callable[[], Awaitable[object]]
    ) -> None:
        try:
            session.send(_yes(ask, await asyncio.wait_for(question(), ANSWER_S)))
        except Exception as wrong:  # noqa: BLE001 - the operator gets an id, the log the rest
            assert self._orders is not None, "only who takes orders has questions"
            fault_id = self._orders.verb_fault(ask.verb, wrong)
            session.send(_no(ask, "fault", f"{ask.verb} failed (fault {fault_id}); see the log."))

    def answered(self, answer: AnswerVerb) -> None:
        """The machine's word on the verb that was handed to it."""
        if self._pending is not None and not self._pending.done():
            self._pending.set_result(answer)

    async def _change(
        self, session: Session, ask: Ask, orders: Orders, pending: asyncio.Future[AnswerVerb]
    ) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                arguments = {**ask.arguments, "operator": session.who.name}
                orders.asked(Asked(ask.verb, tuple(sorted(arguments.items()))))
                said = await pending
                if said.ok and ask.arguments.get("dry") == "yes":
                    session.send(_yes(ask, {"said": said.sentence}))
                elif said.ok:
                    await orders.finish(ask.verb, ask.arguments)
                    session.send(_yes(ask, {"said": said.sentence}))
                else:
                    session.send(_no(ask, said.code, said.sentence))
        except TimeoutError:
            text = f"{ask.verb} is not done after {ANSWER_S:g} s; see 'mpower cluster status'."
            session.send(_no(ask, "late", text))
        except VerbRefusedError as refused:
            session.send(_no(ask, refused.code, str(refused)))
        except Exception as wrong:  # noqa: BLE001 - the operator gets an id, the log the rest
            fault_id = orders.verb_fault(ask.verb, wrong)
            session.send(_no(ask, "fault", f"{ask.verb} failed (fault {fault_id}); see the log."))
        finally:
            self._pending = None


def _yes(ask: Ask, data: object) -> Answer:
    return Answer(ask.id, ok=True, data=msgspec.json.encode(data).decode())


def _no(ask: Ask, code: str, sentence: str) -> Answer:
    return Answer(ask.id, ok=False, code=code, sentence=sentence)
