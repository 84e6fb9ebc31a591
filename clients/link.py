"""The terminal's shell: its table (``protocols.terminal``) joined to lines, journal, clock and the
people who ask.

Everything that matters is decided in the table; here its actions are carried out in order and its
answers given to who waits. An intent's Deferred fires only with a definitive answer; nobody is told
"failed" for a line that is down. All in the reactor's thread. This file must not decide anything
about time, nodes or what an answer means.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from clients.asking import Answer, Declined, NoPrimary, NotReachable
from clients.calls import Lines
from clients.journal import Entry, Journal, JournalError
from clients.patience import Patience
from clients.standing import Standing
from protocols import codec, desk, terminal
from protocols.catalogue import CATALOGUE
from protocols.hearing import event_of
from protocols.messages import Notice, Refusal, Reply, Request, Session, SignIn
from protocols.operation import Operation
from protocols.shell.admitted import Recheck
from protocols.shell.tls import Connections, TlsFiles, client_side
from protocols.values import RequestKey

SOFTWARE: Final = "mpower 0.1"
PATIENCE_S: Final = 30.0
"""How long a question or a sign-in waits before it says that nobody answers; an intent waits for
ever.
"""
CODE_DIGITS: Final = 6
NO_CODE: Final = "A one-time code is six digits, as the app shows them. Type the one it shows now."
QUESTIONS_FROM: Final = 2**31
"""Sequences of questions; below are the journal's numbers."""
T = TypeVar("T")
_log = Logger()
_dice = random.SystemRandom()


class Link:
    """One terminal's link to the pair. Make it in the reactor's thread, then ``start``.

    An answer to an earlier run's intent has nobody who waits: it stands in ``journal.unshown``.
    """

    def __init__(
        self,
        nodes: list[tuple[str, int]],
        files: TlsFiles,
        cluster: str,
        journal: Journal,
        *,
        reactor: Any,
        clock: IReactorTime,
        principal: bool = False,
        on_standing: Callable[[Standing], None] = lambda _: None,
        on_notice: Callable[[Notice | Refusal], None] = lambda _: None,
        on_sign_in_needed: Callable[[], None] = lambda: None,
    ) -> None:
        self.journal = journal
        self.clock = clock
        self.trouble = ""
        self._nodes = [f"{host}:{port}" for host, port in nodes]
        calling = client_side(files, cluster)
        self.lines = Lines(nodes, calling, reactor, clock, self)
        self._recheck = Recheck(self.lines.recheck, clock)
        self._on_standing = on_standing
        self._on_notice = on_notice
        self._on_sign_in_needed = on_sign_in_needed
        self._waiting: dict[int, tuple[Operation, Deferred[Answer]]] = {}
        self._unwritten: set[int] = set()
        self._claiming: Deferred[Session] | None = None
        self._person = ""
        self._resolving: list[Deferred[None]] = []
        self._reaching: list[Deferred[None]] = []
        self.patience = Patience(clock, self._nobody)
        self._question = QUESTIONS_FROM
        self._wake: IDelayedCall | None = None
        self._showing: int | None = None
        self._queue: deque[desk.Happening] = deque()
        self._stepping = False
        self._stopped = False
        self._standing: Standing | None = None
        self._terminal = self._begun(len(nodes), principal=principal)

    def _begun(self, nodes: int, *, principal: bool) -> desk.Terminal:
        return terminal.begin(
            SOFTWARE,
            nodes,
            [(one.number, one.payload) for one in self.journal.pending()],
            now=self.clock.seconds(),
            principal=principal,
            first=_dice.randrange(nodes),
        )

    # ---------------------------------------------------------------- what people ask of it

    def start(self) -> None:
        """Begin to look for the primary."""
        self._recheck.start()
        self.happen(desk.Tick())

    def stop(self) -> None:
        """Close everything; what is in the journal stays for the next run."""
        self._stopped = True
        self._shown()
        if self._wake is not None and self._wake.active():
            self._wake.cancel()
        self._recheck.stop()
        self.lines.close_all()
        self.journal.close()
        over: list[Deferred[Any]] = [
            one for seq, (_, one) in self._waiting.items() if seq >= QUESTIONS_FROM
        ]
        over += [self._claiming] if self._claiming is not None else []
        for waiting in over:
            waiting.addErrback(lambda _: None)
            waiting.cancel()

    @property
    def standing(self) -> Standing:
        """Say where the line stands now."""
        home = self._terminal.home
        keyed = sum(one.keyed for one in self._terminal.intents)
        node = self._nodes[home] if home is not None else ""
        return Standing(self._terminal.state, node, keyed, "" if node else self.trouble)

    def pending(self) -> list[Entry]:
        """Give the journal's intents without an answer."""
        return self.journal.pending()

    def resolved(self) -> Deferred[None]:
        """Fire once every intent that nobody waits for any more (an earlier run's, or one whose
        session ended) has its answer, or waits itself for the person who saved it.
        """
        waiting: Deferred[None] = Deferred()
        self._resolving.append(waiting)
        self._tell_resolved()
        return waiting

    def reached(self, patience_s: float = PATIENCE_S) -> Deferred[None]:
        """Fire once a primary has welcomed this terminal; errs with NotReachable or NoPrimary."""
        waiting: Deferred[None] = Deferred()
        self._reaching.append(waiting)
        self.patience.give(waiting, patience_s)
        self._tell_standing()
        return waiting

    def sign_in(
        self, user: str, password: str, totp: str = "", patience_s: float = PATIENCE_S
    ) -> Deferred[Session]:
        """Sign a person in; errs with Declined, NotReachable or NoPrimary. ``totp`` as typed: apps
        show it with a gap, and what is no code is not sent.
        """
        totp = "".join(totp.split())
        if totp and not (totp.isascii() and totp.isdigit() and len(totp) == CODE_DIGITS):
            return fail(Declined("CODE_WRONG", NO_CODE))
        if self._claiming is not None:
            self._claiming.cancel()
        claiming: Deferred[Session] = Deferred(self._unclaim)
        self._claiming = claiming
        self.patience.give(claiming, patience_s)
        self.happen(desk.SignInAsked(SignIn(user, password, totp)))
        return claiming

    def sign_out(self) -> None:
        """End the person's session."""
        self._person = ""
        self.happen(desk.SignOutAsked())

    def pause(self, seconds: float) -> Deferred[None]:
        """Wait, while the link lives on."""
        return deferLater(self.clock, seconds)

    def ask(self, operation: str, body: Struct, patience_s: float = PATIENCE_S) -> Deferred[Any]:
        """Ask what changes nothing; gives the reply's body, errs with Declined, NotReachable or
        NoPrimary.
        """
        declared = _declared(operation, keyed=False)
        self._question = max(QUESTIONS_FROM, (self._question + 1) % 2**32)
        seq = self._question
        request = Request(seq, operation, None, codec.encode_body(declared, body))
        waiting: Deferred[Answer] = Deferred(lambda _: self._forget(seq))
        self._waiting[seq] = (declared, waiting)
        self.patience.give(waiting, patience_s)
        self.happen(desk.Ask(seq, codec.encode(request)))
        return waiting.addCallback(lambda answer: answer.body)

    def submit(
        self,
        operation: str,
        body: Struct,
        key: RequestKey | None = None,
        patience_s: float | None = None,
    ) -> Deferred[Answer]:
        """Do what changes something, once: fires only with the definitive answer, errs with
        Declined, or with JournalError if it cannot be saved.

        With ``patience_s`` whoever asks stops waiting after it (NotReachable or NoPrimary): the
        intent itself stays in the journal until it has its answer. One that holds a secret is in
        memory alone: a password stands on no disk, and its person is there to ask again.
        """
        declared = _declared(operation, keyed=True)
        raw = codec.encode_body(declared, body)
        number = self.journal.next_number()
        chosen = key if key is not None else RequestKey(self.journal.client, number)
        waiting: Deferred[Answer] = Deferred(lambda _: self._leave(number))
        self._waiting[number] = (declared, waiting)
        if declared.holds_secret:
            self._unwritten.add(number)
        if patience_s is not None:
            self.patience.give(waiting, patience_s)
        asked = Request(number, operation, chosen, raw, self._person)
        self.happen(desk.Submit(number, codec.encode(asked)))
        return waiting

    def try_papers(self, papers: Connections, verdict: Callable[[str], None]) -> None:
        """Call anew with these papers (``Lines.try_papers``); what is unanswered is sent again."""
        self.lines.try_papers(papers, verdict)
        for node, line in enumerate(self._terminal.lines):
            if line is not None:
                self.lines.close(line.call)
                self.happen(desk.LineDown(node, line.call))

    # ---------------------------------------------------------------- what happens to it

    def happen(self, happening: desk.Happening) -> None:
        """Step the table and carry its actions out; what happens meanwhile is stepped after."""
        if self._stopped:
            return
        self._queue.append(happening)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._queue and not self._stopped:
                self._step(self._queue.popleft())
        finally:
            self._stepping = False
        self._tell_standing()

    def line_ended(self, node: int, reason: str) -> None:
        """Remember the last trouble, for who asks why nobody answers."""
        self.trouble = f"{self._nodes[node]}: {reason}"
        _log.debug("The line to {node} ended: {reason}.", node=self._nodes[node], reason=reason)

    def _step(self, happening: desk.Happening) -> None:
        before = self._terminal
        rule = terminal.rule_for(before, event_of(before, happening))
        self._terminal, actions = terminal.step(
            before, happening, self.clock.seconds(), _dice.random()
        )
        if before.state is not self._terminal.state:
            _log.debug("{reason}", reason=rule.reason)
        for action in actions:
            self._act(action)

    def _act(self, action: desk.Action) -> None:
        match action:
            case desk.Connect(node, call):
                self.lines.connect(node, call)
            case desk.Close(_, call):
                self.lines.close(call)
            case desk.Say(_, call, message):
                self.lines.send(call, codec.encode(message))
            case desk.SendRequest(_, call, _, payload):
                self.lines.send(call, payload)
            case desk.JournalIntent(seq, payload):
                self._save(seq, payload)
            case desk.JournalAnswer(seq, verdict, answer) if seq not in self._unwritten:
                self.journal.settle(seq, verdict.name, codec.encode(answer))
            case desk.Wake(at):
                self._arm(at)
            case _:
                self._tell(action)

    def _save(self, seq: int, payload: bytes) -> None:
        """What cannot be saved is not sent; whoever asked is told."""
        try:
            if seq not in self._unwritten:
                self.journal.save(seq, payload)
        except JournalError as wrong:
            self._queue.append(desk.Forget(seq))
            _, waiting = self._waiting.pop(seq)
            waiting.errback(wrong)
        else:
            self._queue.append(desk.Journalled(seq))

    def _tell(self, action: desk.Action) -> None:
        match action:
            case desk.Deliver(seq, _, answer):
                self._deliver(seq, answer)
                self._tell_resolved()
            case desk.SignedIn(session):
                self._person = session.user
                claiming, self._claiming = self._claiming, None
                if claiming is not None:
                    claiming.callback(session)
            case desk.SignInFailed(no) if self._claiming is not None:
                claiming, self._claiming = self._claiming, None
                claiming.errback(Declined(no.code, no.sentence))
            case desk.SignInNeeded():
                self._on_sign_in_needed()
            case desk.Tell(notice):
                if self._terminal.state is desk.State.ASIDE and isinstance(notice, Notice):
                    self.trouble = notice.text
                self._on_notice(notice)
                self._tell_resolved()

    def _arm(self, at: float | None) -> None:
        if self._wake is not None and self._wake.active():
            self._wake.cancel()
        self._wake = None
        if at is not None:
            delay_s = max(0.0, at - self.clock.seconds())
            self._wake = self.clock.callLater(delay_s, self.happen, desk.Tick())

    def _deliver(self, seq: int, answer: Reply | Refusal) -> None:
        declared, waiting = self._waiting.pop(seq, (None, None))
        if declared is None or waiting is None:
            return
        self._showing = seq if seq < QUESTIONS_FROM else None
        if isinstance(answer, Refusal):
            waiting.errback(Declined(answer.code, answer.sentence, replay=answer.replay))
        else:
            waiting.callback(Answer(codec.decode_reply(declared, answer.body), answer.replay))
        self._shown()

    def _shown(self) -> None:
        """Who waited for it has run as far as it goes: the answer was shown."""
        if self._showing is not None:
            self.journal.show(self._showing)
            self._showing = None

    def _nobody(self) -> Exception:
        turned_away = any(
            one is not None and one.stage is desk.LineStage.TURNED_AWAY
            for one in self._terminal.lines
        )
        if turned_away or self._terminal.home is not None:
            return NoPrimary(self.trouble or "still waiting")
        return NotReachable(self.trouble or "no answer")

    def _unclaim(self, claiming: Deferred[Session]) -> None:
        if self._claiming is claiming:
            self._claiming = None
            self.happen(desk.SignOutAsked())

    def _forget(self, seq: int) -> None:
        if self._waiting.pop(seq, None) is not None:
            self.happen(desk.Forget(seq))

    def _leave(self, number: int) -> None:
        """Nobody waits for that intent's answer here: it is not shown when it comes."""
        self._waiting.pop(number, None)

    def _tell_resolved(self) -> None:
        if not any(self._left_behind(one) for one in self._terminal.intents):
            resolving, self._resolving = self._resolving, []
            for waiting in resolving:
                waiting.callback(None)

    def _left_behind(self, one: desk.Intent) -> bool:
        return one.keyed and one.seq not in self._waiting and not one.parked

    def _tell_standing(self) -> None:
        standing = self.standing
        if standing.node:
            reaching, self._reaching = self._reaching, []
            for waiting in reaching:
                waiting.callback(None)
        if standing != self._standing:
            self._standing = standing
            self._on_standing(standing)


def _declared(name: str, *, keyed: bool) -> Operation:
    operation = CATALOGUE.get(name)
    assert operation is not None, f"{name} is not declared"
    assert operation.keyed is keyed, f"{name} is {'' if operation.keyed else 'not '}keyed"
    return operation
