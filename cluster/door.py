"""Where other machines of the cluster come in: listens, lets in by kind of certificate, hands each
to its partner.

The TLS layer has already refused strangers, other clusters and wrong kinds; here each kind gets
whoever speaks with it (nodes: links or the register; operators: the verbs). Connections are
bounded, and the newest is refused when full, so that a flood cannot displace the peer. It must not
know what is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory

from cluster.session import Partner, Session
from config.settings import split_address
from protocols.peer import PeerMessage
from protocols.shell.admitted import Recheck

MAX_SESSIONS: Final = 32
"""A peer's links, the witness's two nodes and some operators; each may hold a frame of 256 KiB."""


class Door:
    """Listens on ``addresses``. ``partners``: for each kind of certificate who speaks with it."""

    def __init__(
        self, cluster: str, partners: Mapping[str, Partner], tls: Any, clock: IReactorTime
    ) -> None:
        self._cluster = cluster
        self._partners = partners
        self._tls = tls
        self._clock = clock
        self._sessions: set[Session] = set()
        self._ports: list[Any] = []
        self._recheck = Recheck(tls.recheck, clock)

    def listen(self, reactor: Any, addresses: list[str]) -> None:
        """Open every address; CannotListenError names the one that is taken."""
        for link, address in enumerate(addresses):
            host, port = split_address(address)
            wrapped = _Bounded(self, link, self._tls)
            self._ports.append(reactor.listenTCP(port, wrapped, interface=host))
        self._recheck.start()

    @property
    def full(self) -> bool:
        """There is no room for another connection."""
        return len(self._sessions) >= MAX_SESSIONS

    def enter(self, link: int) -> Any:
        """A new connection: its protocol."""
        session = Session(self._cluster, self, link)
        self._sessions.add(session)
        session.watch(self._sessions.discard)
        return session.stream(self._clock)

    def session_open(self, session: Session) -> None:
        """Hand it to whoever speaks with this kind."""
        partner = self._partners.get(session.who.kind)
        if partner is None:
            kinds = " and ".join(sorted(self._partners))
            session.refuse(
                "wrong-kind",
                f"{session.who} is of kind {session.who.kind}; here only {kinds} may speak.",
            )
            return
        session.hand_to(partner)
        partner.session_open(session)

    def message_came(self, session: Session, message: PeerMessage) -> None:
        """Nobody speaks to the door itself."""
        raise AssertionError("a session is handed on before its first message")

    def session_over(self, session: Session, reason: str) -> None:
        """A connection that never got in."""

    def close(self) -> None:
        """Close the listeners and every connection."""
        self._recheck.stop()
        for port in self._ports:
            port.stopListening()
        for session in tuple(self._sessions):
            session.abort("this side stops")


class _Bounded(TLSMemoryBIOFactory):
    """Closes what comes when the door is full, before any handshake is paid for."""

    noisy = False

    def __init__(self, door: Door, link: int, tls: Any) -> None:
        super().__init__(tls, isClient=False, wrappedFactory=_Sessions(door, link))
        self._door = door

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return None if self._door.full else super().buildProtocol(addr)


class _Sessions(Factory):
    """Makes the session of each accepted connection."""

    noisy = False

    def __init__(self, door: Door, link: int) -> None:
        self._door = door
        self._link = link

    def buildProtocol(self, addr: object) -> Any:
        return self._door.enter(self._link)
