"""A machine's next certificate, by itself: asked for over its own link, fetched, tried, used.

Before the present certificate ends the machine makes a key that never leaves it and sends a
request; an administrator signs it; the machine fetches the answer, calls with it, and only when a
server has let it in does it become the present one. Every step can be cut off and is gone on with.
Nobody who works here notices, but for a warning when the end comes near and nobody has signed. This
file must not know files (``config.next_papers``) nor how a link calls.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Final

from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred, ensureDeferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from clients.asking import Declined, NoPrimary, NotReachable
from clients.journal import JournalError
from clients.link import Link
from config.next_papers import NextPapers
from config.pki import PkiError, identity_of
from config.terminals import RenewalSettings
from protocols.catalogue.certificates import Ask, Fetch, Fetched, Use
from protocols.desk import State
from protocols.shell.tls import TlsFiles, client_side

FIRST_S: Final = 60.0
"""After the start: people sign in and work first."""
EVERY_S: Final = 3600.0
BUSY_S: Final = 20.0
"""Somebody's work is under way: look again after it."""
PATIENCE_S: Final = 20.0
REFUSED_S: Final = 24 * 3600.0
"""A machine that was refused asks anew a day later: somebody may have cured why."""
NOT_NOW: Final = (NotReachable, NoPrimary, CancelledError)
_log = Logger()


class Renewal:
    """One link's renewal. ``files`` are the present papers, ``say`` takes what a person should
    know, ``now`` gives the wall clock's time.
    """

    def __init__(
        self,
        link: Link,
        files: TlsFiles,
        settings: RenewalSettings,
        say: Callable[[str], None],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._link, self._files, self._settings = link, files, settings
        self._papers = NextPapers(files.certificate, files.key, files.ca)
        self._say, self._now = say, now
        self._next: IDelayedCall | None = None
        self._working: Deferred[None] | None = None
        self._refused_s: float | None = None

    # ---------------------------------------------------------------- by the clock

    def start(self) -> None:
        """Look now and then, from the reactor's thread."""
        self._later(FIRST_S)

    def stop(self) -> None:
        """Look no more; what was begun is gone on with at the next start."""
        if self._next is not None and self._next.active():
            self._next.cancel()
        if self._working is not None:
            self._working.cancel()

    def _later(self, delay_s: float) -> None:
        self._next = self._link.clock.callLater(delay_s, self._look)

    def _look(self) -> None:
        standing = self._link.standing
        if standing.state is not State.READY or standing.pending:
            self._later(BUSY_S)
            return
        self._working = ensureDeferred(self.once())
        self._working.addErrback(lambda _: None)
        self._working.addBoth(lambda _: self._over())

    def _over(self) -> None:
        self._working = None
        self._later(EVERY_S)

    # ---------------------------------------------------------------- one look

    async def once(self) -> None:
        """Do what is due now; what does not come about is tried at the next look."""
        try:
            await self._step()
        except NOT_NOW as wrong:
            _log.info("The certificate's renewal waits: {why}.", why=str(wrong) or "no answer")
        except Declined as no:
            self._wait_a_day(f"The request for the next certificate was refused: {no.sentence}")
        except (PkiError, OSError, JournalError) as wrong:
            self._say(f"The next certificate of this machine cannot be had: {wrong}.")

    async def _step(self) -> None:
        switched = self._papers.switched()
        if switched:
            await self._use(switched)
        if not self._due():
            return
        if not self._papers.ready():
            sent = self._papers.request()
            await self._settled(await self._asked(sent), sent)
        if self._papers.ready():
            await self._try()

    def _due(self) -> bool:
        """The end is near, and no refusal of today stands."""
        days = self._settings.before_days
        if not days or self._papers.ends() - self._now() > dt.timedelta(days=days):
            return False
        since = self._refused_s
        return since is None or self._link.clock.seconds() - since >= REFUSED_S

    async def _asked(self, sent: bytes) -> Fetched:
        """What became of the request; it is made if the board has none."""
        found: Fetched = await self._link.ask(
            "certificates.fetch", Fetch(_digest(sent)), PATIENCE_S
        )
        if found.state != "NONE":
            return found
        await self._link.submit(
            "certificates.ask", Ask(_digest(sent), sent.decode()), patience_s=PATIENCE_S
        )
        return Fetched("WAITING")

    async def _settled(self, found: Fetched, sent: bytes) -> None:
        match found.state:
            case "SIGNED" | "USED":
                try:
                    self._papers.take(found.certificate.encode(), self._now())
                except ValueError as wrong:
                    self._papers.drop()
                    self._wait_a_day(f"The next certificate is not right: {wrong}.")
            case "REFUSED":
                self._papers.drop()
                self._wait_a_day(f"An administrator refused the next certificate: {found.why}.")
            case _:
                self._warn()

    def _warn(self) -> None:
        ends = self._papers.ends()
        if ends - self._now() <= dt.timedelta(days=self._settings.warn_days):
            self._say(
                f"This machine's certificate ends on {ends:%Y-%m-%d} and nobody has signed the next"
                " one yet: nothing works here after that. Tell the administrator"
                " ('mpower pki waiting')."
            )

    async def _try(self) -> None:
        """Call with the new pair; it is the present one once a server let it in."""
        tried: Deferred[str] = Deferred()
        sent = self._papers.request()
        pair = TlsFiles(
            self._files.ca,
            self._papers.next_certificate,
            self._papers.next_key,
            self._files.revoked,
        )
        try:
            calling = client_side(pair, identity_of(self._files.certificate.read_bytes()).cluster)
        except SSL.Error as wrong:
            raise PkiError(f"TLS does not take it ({wrong})") from wrong
        self._link.try_papers(calling, tried.callback)
        tried.addTimeout(PATIENCE_S, self._link.clock)
        try:
            why = await tried
        except TimeoutError:
            self._link.lines.try_no_more()
            return
        if why:
            self._papers.drop()
            self._wait_a_day(f"No server lets the next certificate in ({why}); asking anew.")
            return
        self._papers.switch()
        await self._use(sent)

    async def _use(self, sent: bytes) -> None:
        await self._link.submit("certificates.use", Use(_digest(sent)), patience_s=PATIENCE_S)
        self._papers.told()

    def _wait_a_day(self, sentence: str) -> None:
        self._refused_s = self._link.clock.seconds()
        self._say(f"{sentence} The present one works until {self._papers.ends():%Y-%m-%d}.")


def _digest(sent: bytes) -> str:
    return hashlib.sha256(sent).hexdigest()
