"""etcd's members over HTTPS: the v3 JSON gateway, mutual TLS, whichever member answers.

Invariants: ``once`` sends a body to one member and never again, and what comes back as an error
after it was sent is *unknown*: etcd answers "no space" to a write that it has carried out. ``ask``
may go on to the next member, so it is only for what may happen twice. A member of a release that
loses or rolls back writes is not spoken with. It must not know what the bodies mean.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

import msgspec
from msgspec import Struct
from twisted.internet.defer import succeed
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer, IPolicyForHTTPS
from zope.interface import implementer

from cluster.arbiter.interface import NO_ARBITER, ArbiterUnreachable, SwapUnknown
from config.settings import EtcdSettings
from protocols.shell.bridge import to_asyncio
from protocols.shell.https import NamedServer
from protocols.shell.tls import TlsFiles

ANSWER_S: Final = 0.7
"""A member answers in the time of a round trip and two fsyncs; one that hangs costs this once."""
SWAP_S: Final = 1.0
"""As long as the machine waits for a witness's swap."""
SHUNNED_S: Final = 5.0
"""A member that failed is asked again after this long, or when no other is left."""
MAX_ANSWER_BYTES: Final = 1024 * 1024
"""Four keys of ours: a record and two beats, some KiB."""
MAX_CONNECTIONS: Final = 2
"""To one member: a beat and a question side by side."""
HEADERS: Final = Headers({"Content-Type": ["application/json"]})
OLDEST: Final = {(3, 4): (3, 4, 22), (3, 5): (3, 5, 6)}
"""Before these a member could answer from, or roll back to, a state that had lost writes."""
NO_SPACE: Final = "database space exceeded"


class Member(Struct):
    """One endpoint: whether its release was looked at, until when it is shunned, and why."""

    address: str
    known: bool = False
    shunned_until_s: float = float("-inf")
    trouble: str = "not asked yet"
    alarm: str = NO_ARBITER


class _Refused(Exception):  # noqa: N818 - an answer
    """The member answered with an error."""


class Gateway:
    """Asks the members of one etcd."""

    def __init__(self, reactor: Any, clock: IReactorTime, settings: EtcdSettings) -> None:
        self.members = [Member(address) for address in settings.endpoints]
        self._clock = clock
        self._pool = HTTPConnectionPool(reactor)
        self._pool.maxPersistentPerHost = MAX_CONNECTIONS
        self._pool.retryAutomatically = False
        self._agent = Agent(reactor, _Policy(settings), connectTimeout=ANSWER_S, pool=self._pool)

    def close(self) -> None:
        """Drop the connections that are kept."""
        self._pool.closeCachedConnections()

    async def ask(self, path: str, body: Any) -> Any:
        """Ask one member after the other until one answers; ArbiterUnreachable if none does."""
        for member in self._in_turn():
            try:
                return await self._say(member, path, body, ANSWER_S)
            except (ConnectionError, _Refused) as wrong:
                self._shun(member, str(wrong))
        raise self._nobody()

    async def once(self, path: str, body: Any) -> Any:
        """Send it to the member that answered last, once.

        ArbiterUnreachable: it was not sent. SwapUnknown: it was, and may have happened.
        """
        member = self._in_turn()[0]
        try:
            return await self._say(member, path, body, SWAP_S)
        except (ConnectionRefusedError, ConnectionAbortedError) as wrong:
            self._shun(member, str(wrong))
            raise self._nobody() from wrong
        except (ConnectionError, _Refused) as wrong:
            self._shun(member, str(wrong))
            raise SwapUnknown(str(wrong)) from wrong

    def _in_turn(self) -> list[Member]:
        """First who answered last; the shunned last."""
        now_s = self._clock.seconds()
        return sorted(self.members, key=lambda one: max(one.shunned_until_s, now_s))

    def _shun(self, member: Member, why: str) -> None:
        member.shunned_until_s = self._clock.seconds() + SHUNNED_S
        member.known = False
        member.trouble = f"etcd at {member.address}: {why}"
        if NO_SPACE in why:
            member.alarm = "etcd-full"

    def _nobody(self) -> ArbiterUnreachable:
        alarms = {one.alarm for one in self.members} - {NO_ARBITER}
        why = "; ".join(one.trouble for one in self.members)
        return ArbiterUnreachable(why, min(alarms) if alarms else NO_ARBITER)

    # ------------------------------------------------------------------ one member

    async def _say(self, member: Member, path: str, body: Any, deadline_s: float) -> Any:
        """ConnectionRefusedError or ConnectionAbortedError: nothing was sent."""
        if not member.known:
            await self._look_at_release(member)
        said = await self._request(member, b"POST", path, body, deadline_s)
        member.shunned_until_s = float("-inf")
        member.trouble, member.alarm = "", NO_ARBITER
        return said

    async def _look_at_release(self, member: Member) -> None:
        try:
            said = await self._request(member, b"GET", "/version", None, ANSWER_S)
        except (ConnectionError, _Refused) as wrong:
            raise ConnectionAbortedError(str(wrong)) from wrong
        release = str(said.get("etcdserver", "")) if isinstance(said, dict) else ""
        why = too_old(release)
        if why:
            member.alarm = "etcd-too-old"
            raise ConnectionAbortedError(why)
        member.known = True

    async def _request(
        self, member: Member, method: bytes, path: str, body: Any, deadline_s: float
    ) -> Any:
        producer = _Body(msgspec.json.encode(body)) if body is not None else None
        uri = f"https://{member.address}{path}".encode()
        try:
            status, raw = await asyncio.wait_for(self._exchange(method, uri, producer), deadline_s)
        except (ConnectError, DNSLookupError) as wrong:
            raise ConnectionRefusedError(str(wrong)) from wrong
        except TimeoutError:
            raise ConnectionError(f"no answer within {deadline_s:g} s") from None
        except Exception as wrong:
            raise ConnectionError(_reasons(wrong)) from wrong
        try:
            said = msgspec.json.decode(raw)
        except msgspec.MsgspecError:
            raise ConnectionError(f"its answer ({status}) is not JSON") from None
        if status != 200 or not isinstance(said, dict):
            detail = said.get("message") or said.get("error") if isinstance(said, dict) else said
            raise _Refused(f"{detail} ({status})")
        return said

    async def _exchange(
        self, method: bytes, uri: bytes, producer: _Body | None
    ) -> tuple[int, bytes]:
        asked = self._agent.request(method, uri, HEADERS, producer)
        response = await to_asyncio(asked)
        reading = _Reading()
        response.deliverBody(reading)
        try:
            return response.code, await reading.whole
        finally:
            reading.leave()


def too_old(release: str) -> str:
    """Why a member of this release (as 3.5.6) is not spoken with, or ''."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", release)
    if numbers is None:
        return f"it does not say its release ({release or 'nothing'}): is it an etcd?"
    major, minor, patch = (int(one) for one in numbers.groups())
    if (major, minor, patch) < OLDEST.get((major, minor), OLDEST[3, 4]):
        return (
            f"it is release {release}, which can lose writes: update it to 3.4.22, 3.5.6 or later"
        )
    return ""


def _reasons(wrong: Exception) -> str:
    """What lies under Twisted's ResponseNeverReceived and its like."""
    inner = getattr(wrong, "reasons", None)
    if inner:
        return "; ".join(_reasons(one.value) for one in inner)
    return str(wrong) or type(wrong).__name__


@implementer(IPolicyForHTTPS)
class _Policy:
    """Each member proves by etcd's own authority that it has the host name it was called by."""

    def __init__(self, settings: EtcdSettings) -> None:
        self._files = TlsFiles(settings.ca, settings.certificate, settings.key)
        self._hosts: dict[str, NamedServer] = {}

    def creatorForNetloc(self, hostname: bytes, port: int) -> NamedServer:
        host = hostname.decode().strip("[]")
        if host not in self._hosts:
            self._hosts[host] = NamedServer(self._files, host)
        return self._hosts[host]


@implementer(IBodyProducer)
class _Body:
    """A whole body at once."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Any) -> Any:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Everything was written."""

    def resumeProducing(self) -> None:
        """Everything was written."""

    def stopProducing(self) -> None:
        """Everything was written."""


class _Reading(Protocol):
    """Collects an answer's body, up to a limit."""

    def __init__(self) -> None:
        self.whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._raw = bytearray()
        self._ended = False

    def dataReceived(self, data: bytes) -> None:
        self._raw += data
        if len(self._raw) > MAX_ANSWER_BYTES and self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]

    def leave(self) -> None:
        """Nobody waits any more: what is still coming is dropped."""
        if not self._ended and self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._ended = True
        if self.whole.done():
            return
        if reason is not None and reason.check(ResponseDone):
            self.whole.set_result(bytes(self._raw))
        else:
            self.whole.set_exception(ConnectionError(str(reason.value if reason else "cut")))
