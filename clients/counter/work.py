"""The work of a counter: each typed command done over the link, its answer shown, its receipt
printed once.

A receipt is printed only on a definitive RECEIPT; whatever may have been printed before says
DUPLICATE. What an earlier run left unconfirmed is settled, and shown, before the first prompt. A
refusal is shown and the work goes on. This file must not know how the link finds a server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from msgspec.structs import replace
from twisted.internet.defer import CancelledError, Deferred

from clients.asking import Answer, Declined, NoPrimary, NotReachable
from clients.counter import counting, mistyped, paper, typed
from clients.counter.replies import fields, payable, said
from clients.counter.screen import Screen
from clients.door import Exit
from clients.journal import Entry, JournalError
from clients.link import Link
from clients.standing import Standing
from protocols import codec
from protocols.catalogue import CATALOGUE
from protocols.catalogue.consumers import Dues, DuesAnswer
from protocols.catalogue.payments import Duplicate, Receipt, Take
from protocols.desk import State
from protocols.lines import ASIDE_S
from protocols.messages import Notice, Refusal, Reply, Session
from protocols.refusals import Refused
from protocols.values import paise_from_text, rupees

T = TypeVar("T")
WAITING: Final = (State.SEEKING, State.PROBING, State.ASIDE)
REPEAT_S: Final = 5.0
"""The same words about the line are said again after this, so that a screen stays readable."""
DISPLACED: Final = (
    "Counter {name} is now used by another program; close one of them. What was saved here is kept;"
    " this one tries again in {wait_s:g} s, or at once when somebody signs in."
)
SIGN_IN_FIRST: Final = "Nobody is signed in, so nothing was done. Type 'signin USER' first."
SESSION_OVER: Final = (
    "Your session has ended. Type 'signin USER' again: what was saved is kept, and confirmed then"
    " in the name of whoever saved it."
)
REPRINT_ROWS: Final = 500
"""How far back 'again RECEIPT' looks in this terminal's journal."""


class Counter:
    """One counter at work; ``exit_code`` is the last trouble, for scripts."""

    def __init__(self, screen: Screen, name: str = "") -> None:
        self.screen = screen
        self.name = name
        self.exit_code = Exit.OK
        self.session: Session | None = None
        self._link: Link | None = None
        self._left: list[Entry] = []
        self._said, self._said_at = "", 0.0
        self._waiting: Deferred[Any] | None = None

    @property
    def link(self) -> Link:
        """The link, once it is made."""
        assert self._link is not None
        return self._link

    async def work(self, link: Link, user: str = "", password: str = "") -> None:
        """Work until the input ends or the person leaves."""
        self._link = link
        self._left = link.journal.unshown()
        if link.pending():
            self.screen.talk(f"{len(link.pending())} saved before, settled when you sign in:")
            for one in link.pending():
                self.screen.talk(f"  {_saved(one)}")
        if user:
            await self._safely(self._sign_in(user, password or None))
        while True:
            line = await self.screen.read(self._prompt())
            if line is None:
                return
            try:
                command = typed.read_line(line)
            except mistyped.Mistyped as wrong:
                self._failed(Exit.USAGE, "USAGE", str(wrong))
                continue
            if isinstance(command, typed.Do) and command.word == "quit":
                return
            if command is not None:
                await self._safely(self._do(command))

    def standing_changed(self, standing: Standing) -> None:
        """Tell a person that what they saved is being confirmed; the same words not in a flood."""
        if not standing.pending or standing.state not in WAITING:
            self._said = ""
            return
        text, now = str(standing), time.monotonic()
        if text != self._said or now >= self._said_at + REPEAT_S:
            self._said, self._said_at = text, now
            self.screen.talk(text)

    def notice(self, notice: Notice | Refusal) -> None:
        """Show a server's notice."""
        if isinstance(notice, Refusal):
            self.screen.talk(f"Notice: {notice.sentence}")
        elif notice.kind == "displaced":
            self.screen.talk(DISPLACED.format(name=self.name, wait_s=ASIDE_S))
        elif notice.kind != "signed_out":
            self.screen.talk(f"Notice: {notice.text}")

    def sign_in_needed(self) -> None:
        """The session ended, or a failover could not take it up. What is being waited for is not
        waited for any longer: nobody could sign in meanwhile, and a pipe would never end.
        """
        if self.session is None:
            return
        self.session = None
        if self._waiting is None:
            self.screen.talk(SESSION_OVER)
        else:
            self.link.clock.callLater(0, self._waiting.cancel)

    async def _answered(self, asking: Callable[[], Deferred[T]]) -> T:
        """Wait for an answer that only somebody signed in can get."""
        if self.session is None:
            raise Declined("SIGN_IN_AGAIN", SIGN_IN_FIRST)
        self._waiting = waiting = asking()
        try:
            return await waiting
        except CancelledError:
            raise Declined("SIGN_IN_AGAIN", SESSION_OVER) from None
        finally:
            self._waiting = None

    def _prompt(self) -> str:
        who = f"{self.session.user} ({self.session.role})" if self.session else "not signed in"
        return f"{who}> "

    async def _safely(self, doing: Any) -> None:
        try:
            await doing
        except Declined as no:
            self._failed(Exit.REFUSED, no.code, no.sentence)
        except Refused as no:
            self._failed(Exit.REFUSED, no.code, no.sentence)
        except JournalError as wrong:
            self._failed(Exit.FAILED, "JOURNAL", str(wrong))
        except NotReachable as wrong:
            sentence = f"No server answers ({wrong}). What is saved is kept; try again."
            self._failed(Exit.NOT_REACHABLE, "NOT_REACHABLE", sentence)
        except NoPrimary as wrong:
            sentence = f"No server is the primary now ({wrong}). Wait a moment and try again."
            self._failed(Exit.NO_PRIMARY, "NO_PRIMARY", sentence)

    def _failed(self, code: Exit, name: str, sentence: str) -> None:
        self.exit_code = code
        self.screen.show(sentence, error={"code": name, "sentence": sentence})

    async def _do(self, command: typed.Command) -> None:
        match command:
            case typed.SignInAs(user):
                await self._sign_in(user, None)
            case typed.TakeMoney():
                await self._take(command)
            case typed.Reprint(receipt):
                await self._reprint(receipt)
            case typed.Do(word="help", about=about):
                self.screen.show(typed.help_text(about), help=typed.help_text(about))
            case typed.Do(word="signout"):
                self.session = None
                self.link.sign_out()
                self.screen.show("Signed out.", signed_out=True)
            case typed.Do():
                self._status()
            case typed.Operate(word, operation, body, counts):
                if counts and self.screen.person:
                    body = await counting.counted(self.screen, self.link, body)
                await self._operate(word, operation, body)

    async def _sign_in(self, user: str, password: str | None) -> None:
        secret = password
        if secret is None:
            secret = await self.screen.read(f"Password of {user}: ", secret=True)
        try:
            session = await self.link.sign_in(user, secret or "")
        except Declined as no:
            if no.code != "CODE_NEEDED":
                raise
            totp = await self.screen.read(f"One-time code of {user}: ", secret=True)
            session = await self.link.sign_in(user, secret or "", (totp or "").strip())
        self.session = session
        self.screen.show(
            f"Signed in: {session.user}, {session.role}.",
            session={"user": session.user, "role": session.role},
        )
        await self._resolve()

    async def _resolve(self) -> None:
        """Settle what an earlier run left, and show what nobody has seen."""
        if self.link.pending():
            self.screen.hint("Confirming what was saved before…")
        await self.link.resolved()
        maybe_printed = {one.number for one in self._left}
        self._left = []
        for entry in self.link.journal.unshown():
            self._show_entry(entry, duplicate=entry.number in maybe_printed)
            self.link.journal.show(entry.number)

    def _show_entry(self, entry: Entry, *, duplicate: bool) -> None:
        asked = codec.request_of(entry.payload)
        answer = codec.from_server(entry.answer)
        if isinstance(answer, Refusal):
            text = f"Of before: {asked.operation}: {answer.sentence}"
            self.screen.show(text, error={"code": answer.code, "sentence": answer.sentence})
            return
        assert isinstance(answer, Reply)
        declared = CATALOGUE.get(asked.operation)
        assert declared is not None
        reply = codec.decode_reply(declared, answer.body)
        if isinstance(reply, Receipt):
            self._print(reply, duplicate=duplicate or asked.operation == "payments.duplicate")
        else:
            self.screen.show(f"Of before: {declared.purpose}: done.", done=asked.operation)

    async def _take(self, command: typed.TakeMoney) -> None:
        dues: DuesAnswer = await self._answered(
            partial(self.link.ask, "consumers.dues", Dues(command.consumer))
        )
        amount = command.amount_paise
        if amount is None:
            amount = payable(dues, command.purpose)
            if amount <= 0:
                self._failed(
                    Exit.REFUSED, "NOTHING_PAYABLE", paper.nothing_payable(dues, command.purpose)
                )
                return
        given = command.given_paise
        if self.screen.person:
            if not await self._agreed(dues, amount, command):
                self.screen.talk("Nothing was taken.")
                return
            if command.mode == "CASH" and given is None:
                given = await self._given(amount)
        body = Take(
            command.consumer,
            amount,
            command.mode,  # type: ignore[arg-type]
            command.instrument,
            command.purpose,  # type: ignore[arg-type]
            command.dated,
            command.bank,
            command.branch,
            command.confirmed,
        )
        answer = await self._submitted(body)
        if answer is None:
            self.screen.talk("Nothing was taken.")
            return
        change = max(0, given - amount) if given is not None else 0
        self._print(answer.body, duplicate=False, change_paise=change)

    async def _submitted(self, body: Take) -> Answer | None:
        """Submit a payment; one that looks paid already is asked about, a person's yes confirms it.
        None: it was a no.
        """

        def submitted(what: Take) -> Callable[[], Deferred[Answer]]:
            return partial(self.link.submit, "payments.take", what)

        try:
            answer: Answer = await self._answered(submitted(body))
        except Declined as no:
            if no.code != "PAID_ALREADY" or not self.screen.person:
                raise
            self.screen.talk(no.sentence)
            said = await self.screen.read("Take it once more? [y = yes, Enter = no] ")
            if said is None or said.strip().lower() not in {"y", "yes"}:
                return None
            answer = await self._answered(submitted(replace(body, confirmed=True)))
        return answer

    async def _agreed(self, dues: DuesAnswer, amount: int, command: typed.TakeMoney) -> bool:
        owed = rupees(payable(dues, command.purpose))
        self.screen.talk(f"{dues.number}  {dues.name}   payable {owed}")
        if dues.no_cheque_until and command.mode == "CHEQUE":
            self.screen.talk(f"No cheque of theirs is taken until {dues.no_cheque_until}.")
        if dues.last_receipt:
            self.screen.talk(paper.paid_text(dues))
        kind = f"for {command.purpose} " if command.purpose != "DUES" else ""
        said = await self.screen.read(
            f"Take {rupees(amount)} {kind}by {command.mode}? [Enter = yes, n = no] "
        )
        return said is not None and said.strip().lower() in {"", "y", "yes"}

    async def _given(self, amount: int) -> int | None:
        while True:
            said = await self.screen.read("Cash given [Enter = exact]: ")
            if not said:
                return None
            paise = paise_from_text(said)
            if paise is not None and paise >= amount:
                return paise
            self.screen.talk(f"Type an amount of at least {rupees(amount)}.")

    def _print(self, receipt: Receipt, *, duplicate: bool, change_paise: int = 0) -> None:
        text = paper.receipt_text(receipt, duplicate=duplicate)
        if change_paise:
            text = f"{text}\n{paper.change_text(change_paise)}"
        self.screen.show(
            text, receipt=fields(receipt), duplicate=duplicate, change_paise=change_paise
        )

    async def _reprint(self, number: str) -> None:
        """Print a receipt again; the server first writes into the audit that it is."""
        wanted = number or self._last_receipt()
        if not wanted:
            sentence = "This terminal has no receipt. Type 'mine' for the list."
            self._failed(Exit.REFUSED, "NO_RECEIPT", sentence)
            return
        asked = Duplicate(wanted)
        answer = await self._answered(partial(self.link.submit, "payments.duplicate", asked))
        self._print(answer.body, duplicate=True)

    def _last_receipt(self) -> str:
        """The newest receipt this terminal was given, '' if it knows none."""
        for entry in self.link.journal.latest(REPRINT_ROWS):
            asked = codec.request_of(entry.payload)
            if entry.verdict != "RECEIPT" or asked.operation != "payments.take":
                continue
            answer = codec.from_server(entry.answer)
            assert isinstance(answer, Reply)
            declared = CATALOGUE.get(asked.operation)
            assert declared is not None
            receipt: Receipt = codec.decode_reply(declared, answer.body)
            return receipt.number
        return ""

    def _status(self) -> None:
        standing, pending = self.link.standing, self.link.pending()
        lines = [str(standing)]
        lines += [f"  not confirmed: {_saved(one)}" for one in pending]
        if standing.trouble:
            lines.append(f"  last trouble: {standing.trouble}")
        self.screen.show(
            "\n".join(lines),
            state=standing.state.name,
            node=standing.node,
            pending=[codec.request_of(one.payload).operation for one in pending],
        )

    async def _operate(self, word: str, operation: str, body: Any) -> None:
        declared = CATALOGUE.get(operation)
        assert declared is not None
        if declared.keyed:
            reply = await self._reply(operation, body)
        else:
            reply = await self._answered(partial(self.link.ask, operation, body))
        again = operation == "remittance.again"
        self.screen.show(said(word, reply, again=again), **{word: fields(reply)})

    async def _reply(self, operation: str, body: Any) -> Any:
        """Submit; where the cash differs a person says why, and counts nothing twice."""
        try:
            return (await self._answered(partial(self.link.submit, operation, body))).body
        except Declined as no:
            if no.code != counting.DIFFERS or not self.screen.person:
                raise
            self.screen.talk(no.sentence)
            explained = await counting.reasoned(self.screen, body)
            if explained is None:
                raise
        return (await self._answered(partial(self.link.submit, operation, explained))).body


def _saved(entry: Entry) -> str:
    """Name what was saved as the clerk knows it."""
    asked = codec.request_of(entry.payload)
    declared = CATALOGUE.get(asked.operation)
    assert declared is not None
    body = codec.decode_body(declared, asked.body)
    if isinstance(body, Take):
        return f"{rupees(body.amount_paise)} of consumer {body.consumer} by {body.mode}"
    return declared.purpose
