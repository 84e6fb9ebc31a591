"""What a scenario plays with: seats at the counters, an officer's desk, the power switch, a report.

Everything goes over the product's own links as declared operations. A figure is agreed when what
the scenario counted itself is what the board says; the report lists each, and one that differs
fails the whole. This file must not know what is played.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from twisted.internet.task import deferLater

from clients.asking import Declined
from clients.demo import board, running, strokes
from clients.demo.commands import status
from clients.link import Link
from clients.running import link_from
from config.load import load_client, with_certificate
from protocols.values import rupees

WAIT_S: Final = 60.0
"""For any one answer: far beyond a failover."""
LOOKS: Final = 20
LOOK_S: Final = 0.5


class Agreed(Struct, frozen=True):
    """One figure of the report, in paise or a count: what was counted here, what the board says."""

    what: str
    counted: int
    said: int
    money: bool = True

    @property
    def fits(self) -> bool:
        """Both are the same, to the paisa."""
        return self.counted == self.said


class Scene:
    """The board whose settings are at ``home``; ``told`` hears each act."""

    def __init__(self, home: Path, reactor: Any, told: Callable[[str], None]) -> None:
        from protocols.shell.clock import BootClock

        self.home, self.told = home, told
        self.agreed: list[Agreed] = []
        self._reactor, self._clock = reactor, BootClock()
        settings = load_client(home)
        self._settings = msgspec.structs.replace(settings, journal=home / "scenario")
        self._links: list[Link] = []

    async def seat(self, kind: str, name: str, user: str) -> Link:
        """Sit down at a machine: a link with ``user`` signed in; it signs in again by itself."""
        made: list[Link] = []

        def again() -> None:
            made[0].sign_in(user, board.PASSWORD).addErrback(lambda _: None)

        tls = with_certificate(self._settings.tls, kind, name)
        settings = msgspec.structs.replace(self._settings, tls=tls)
        link = link_from(settings, self._reactor, self._clock, on_sign_in_needed=again)
        made.append(link)
        self._links.append(link)
        link.start()
        await link.sign_in(user, board.PASSWORD)
        return link

    async def do(self, link: Link, operation: str, body: Struct) -> Any:
        """Do something that must succeed; its reply."""
        try:
            return (await link.submit(operation, body, None, WAIT_S)).body
        except Declined as no:
            raise SceneError(f"{operation} was refused: {no.sentence}") from no

    async def kill_primary(self) -> str:
        """Cut the primary's power; its name. On a busy machine it may not answer at once."""
        looks = 0
        while (victim := status(self.home)["primary"]) is None:
            looks += 1
            if looks > LOOKS:
                raise SceneError("no server serves; see why: mpower cluster status")
            await deferLater(self._reactor, LOOK_S)
        found = running.at(self.home)
        hit = strokes.kill(found.services[victim])
        self.told(f"the power of {victim}, the primary, is cut ({len(hit)} processes)")
        return str(victim)

    def agree(self, what: str, counted: int, said: int, *, money: bool = True) -> None:
        """Put a figure into the report."""
        self.agreed.append(Agreed(what, counted, said, money))

    def leave(self) -> None:
        """End every link."""
        for link in self._links:
            link.stop()


class SceneError(Exception):
    """The scenario could not be played on; str() says at what."""


def report(agreed: list[Agreed]) -> str:
    """Lay the figures out, 80 columns."""
    head = f"{'figure':<38} {'counted here':>18} {'the board says':>18}"
    lines = [head, "-" * len(head)]
    for one in agreed:
        both = [
            rupees(paise).replace("Rs ", "") if one.money else f"{paise:,}"
            for paise in (one.counted, one.said)
        ]
        mark = "" if one.fits else "  NO"
        lines.append(f"{one.what:<38} {both[0]:>18} {both[1]:>18}{mark}")
    wrong = sum(not one.fits for one in agreed)
    end = f"{wrong} DO NOT AGREE" if wrong else "all agree to the paisa"
    return "\n".join([*lines, f"{len(agreed)} figures: {end}"])
