"""A link without a network. It keeps keys as the server does: the same key with the same body gets
the first answer again, be it a refusal, with another body it is refused; and a scroll's part as its
table does.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from clients.asking import Answer, Asking, Declined
from config.settings import ClientSettings
from protocols.catalogue import CATALOGUE
from protocols.catalogue.banking import Post, Posted
from protocols.catalogue.consumers import Load, Loaded
from protocols.refusals import Refused
from protocols.values import RequestKey

T = TypeVar("T")


class Board:
    """What the servers remember, and whoever connects to them."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.kept: dict[RequestKey, tuple[bytes, Any]] = {}
        self.scrolls: dict[tuple[str, int], Post] = {}
        self.refusing: Refused | None = None
        """Refuses every fresh keyed request with this, until it is cured."""
        self.later: dict[str, list[Any]] = {}
        """Answers that follow, one after each pause."""
        self.ending = False
        """Whether the session ends before what is submitted next."""
        self.again: Callable[[], Awaitable[None]] | None = None
        self.code = ""
        """The one-time code that signing in needs, '' none."""
        self.said: list[tuple[str, Any]] = []
        self.settings: list[ClientSettings] = []

    def run(self, settings: ClientSettings, work: Callable[[Asking], Awaitable[T]]) -> T:
        self.settings.append(settings)
        try:
            work(self).__await__().send(None)
        except StopIteration as done:
            answer: T = done.value
            return answer
        raise AssertionError("nothing here waits, so the work is done at once")

    async def sign_in(self, user: str, password: str, totp: str = "") -> None:
        if password != "correct horse battery":
            no = Refused("SIGN_IN_FAILED", wait_s=30)
            raise Declined(no.code, no.sentence)
        if self.code and not totp:
            no = Refused("CODE_NEEDED")
            raise Declined(no.code, no.sentence)
        if totp != self.code:
            no = Refused("CODE_WRONG")
            raise Declined(no.code, no.sentence)
        self.said.append(("sign in", user))

    def on_ended(self, again: Callable[[], Awaitable[None]]) -> None:
        self.again = again

    async def ask(self, operation: str, body: msgspec.Struct) -> Any:
        return self._reply(operation, body)

    async def submit(
        self, operation: str, body: msgspec.Struct, key: RequestKey | None = None
    ) -> Answer:
        if self.ending and self.again is not None:
            self.ending = False
            await self.again()
        key = key or RequestKey(bytes(16), len(self.kept) + 1)
        content = msgspec.msgpack.encode(body)
        if key in self.kept:
            if self.kept[key][0] != content:
                no = Refused("KEY_CONFLICT")
                raise Declined(no.code, no.sentence)
            return self._said_before(self.kept[key][1])
        try:
            reply = self._carried_out(operation, body)
        except Refused as no:
            self.kept[key] = (content, no)
            raise Declined(no.code, no.sentence) from no
        self.kept[key] = (content, reply)
        return Answer(reply)

    async def pause(self, seconds: float) -> None:
        """Time passes: what was said of a work that goes on is followed by what comes later."""
        for operation, answers in self.later.items():
            if answers:
                self.answers[operation] = answers.pop(0)

    @staticmethod
    def _said_before(kept: Any) -> Answer:
        if isinstance(kept, Refused):
            raise Declined(kept.code, kept.sentence, replay=True)
        return Answer(kept, replay=True)

    def _carried_out(self, operation: str, body: msgspec.Struct) -> Any:
        if self.refusing is not None:
            raise self.refusing
        if isinstance(body, Post):
            stands = self.scrolls.setdefault((body.scroll, body.part), body)
            if stands != body:
                raise Refused("SCROLL_KNOWN", scroll=body.scroll)
        return self._reply(operation, body)

    def _reply(self, operation: str, body: msgspec.Struct) -> Any:
        declared = CATALOGUE.get(operation)
        assert declared is not None
        assert msgspec.convert(msgspec.to_builtins(body), declared.request) == body
        self.said.append((operation, body))
        if isinstance(body, Load):
            return Loaded(len(body.rows), 0, sum(sum(row.dues.values()) for row in body.rows))
        if isinstance(body, Post):
            ours = [line.amount_paise for line in body.lines if line.consumer.isdigit()]
            rest = [line.amount_paise for line in body.lines if not line.consumer.isdigit()]
            return Posted(body.scroll, body.part, len(ours), sum(ours), len(rest), sum(rest), [])
        answer = self.answers[operation.replace(".", "_")]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(body)
        assert isinstance(answer, declared.reply)
        return answer
