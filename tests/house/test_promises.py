"""Every setting is read, every refusal is raised."""

from msgspec import Struct

from config import settings
from protocols.refusals import SENTENCES
from tests.house import promises
from tests.house.sources import CODE, texts, under

OUTSIDE = tuple(folder for folder in CODE if folder != "config")


def groups() -> list[type[settings.Settings]]:
    """Give every group of settings there is."""
    found = [one for one in vars(settings).values() if isinstance(one, type)]
    return [one for one in found if issubclass(one, settings.Settings)]


def test_every_setting_is_read_outside_its_declaration() -> None:
    read: set[str] = set()
    for path, text in texts(".py"):
        if under(path, *OUTSIDE):
            read |= promises.attributes_read(text)
    assert len(groups()) > 5
    assert list(promises.unread_settings(groups(), read)) == []


def test_every_refusal_is_raised() -> None:
    said: set[str] = set()
    for path, text in texts(".py", ".sql"):
        if under(path, *CODE) and path != "protocols/refusals.py":
            said |= promises.codes_said(path, text)
    assert list(promises.unraised_refusals(SENTENCES, said)) == []


def test_what_is_promised_in_vain_is_seen() -> None:
    class Lights(Struct):
        on: bool
        colour: str

    read = promises.attributes_read("lights.colour = 1\nif lights.on: pass")
    assert list(promises.unread_settings([Lights], read)) == [
        "Lights.colour is a setting that nobody reads"
    ]
    said = promises.codes_said("a.py", "raise Refused('BUSY')\nif code == 'GONE': pass")
    said |= promises.codes_said("a.sql", "PERFORM mpower.refuse('DAY_OPEN'); -- DAY_SHUT")
    assert list(promises.unraised_refusals(["BUSY", "GONE", "DAY_OPEN", "DAY_SHUT"], said)) == [
        "GONE is a refusal that nothing raises",
        "DAY_SHUT is a refusal that nothing raises",
    ]
