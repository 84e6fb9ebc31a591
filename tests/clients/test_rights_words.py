"""The verbs of rights and approvals as a person meets them; the server is tested elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import click.testing
import msgspec
import pytest
from msgspec.structs import replace

from clients.ops import edit_request, matrix
from protocols.catalogue import CATALOGUE
from protocols.catalogue import approvals as words
from protocols.catalogue.body import Body
from protocols.catalogue.consumers import ChangeDetails, ChangeLoad
from protocols.catalogue.security import (
    Appoint,
    EnrolFactor,
    FactorEnrolled,
    GrantPower,
    PowersHeld,
    WithdrawPower,
)
from protocols.catalogue.transfers import Refund
from protocols.codec import decode_body
from protocols.operation import Operation, Role
from protocols.powers import Power
from tests.clients.links import Board
from tests.protocols import examples

Call = Callable[..., click.testing.Result]
CallJson = Callable[..., Any]
WORD = "correct horse battery\n"
BY_STDIN = ("--password-file", "-")
OF_MEERA = ("--as", "meera", *BY_STDIN)
SHOWN = words.Shown(
    examples.WAITING,
    [words.Change("role", "clerk", "officer")],
    [words.Act("ASKED", 1, "E1001", "adil", "", "", "promoted", examples.AT)],
)


def test_the_matrix_is_the_declarations(call: Call, call_json: CallJson, board: Board) -> None:
    got = call_json("admin", "roles", "matrix")["matrix"]
    assert set(got) == {operation.name for operation in CATALOGUE}
    for operation in CATALOGUE:
        asks = {role for role, mark in got[operation.name].items() if mark[:1] in {"x", "2"}}
        assert asks == {role.value for role in operation.roles}
    assert got["security.appoint"]["admin"] == "2a"
    lines = call("admin", "roles", "matrix").stdout.splitlines()
    for operation in CATALOGUE:
        (line,) = (one for one in lines if one.split()[0] == operation.name)
        marks = [got[operation.name][role.value] or "·" for role in Role]
        assert line.split()[1 : 1 + len(Role)] == marks
        row = matrix.rows()[operation.name]
        assert line.endswith(f"  {row.within}")
        assert f"  {row.again or '·'}  " in line
    assert board.settings == [], "it asks no server"


def test_an_appointment_waits_or_founds(call: Call, board: Board) -> None:
    board.answers["security_appoint"] = examples.PENDING
    asked = ("admin", "appoint", "asha", "--role", "officer", "--reason", "order 17", *BY_STDIN)
    said = call(*asked, stdin=WORD).stdout
    assert "request 17 waits until" in said
    assert board.said[-1] == ("security.appoint", Appoint("asha", Role.OFFICER, "order 17"))
    board.answers["security_appoint"] = replace(examples.PENDING, done=True)
    assert "done, as request 17: nobody else holds RIGHTS" in call(*asked, stdin=WORD).stdout


def test_a_power_is_granted_in_its_unit(call: Call, board: Board) -> None:
    board.answers["security_grant_power"] = examples.PENDING
    grant = ("admin", "grant", "E1042", "refund", "--office", "SD-101", "--reason", "order 17")
    more = ("--most", "5,000", "--from", "2026-04-01", *BY_STDIN)
    assert call(*grant, *more, stdin=WORD).exit_code == 0
    body = GrantPower("E1042", Power.REFUND, 500_000, "SD-101", "2026-04-01", "order 17")
    assert board.said[-1] == ("security.grant_power", body)


@pytest.mark.parametrize(
    ("power", "most", "sentence"),
    [
        ("refund", "five", "REFUND is limited in rupees above zero"),
        ("load", "2.5", "LOAD is limited in watts above zero"),
        ("rights", "5", "has no limit"),
        ("refund", "0", "above zero"),
    ],
)
def test_a_limit_that_is_none_is_a_usage_error(
    call: Call, power: str, most: str, sentence: str
) -> None:
    grant = (
        "admin",
        "grant",
        "E1042",
        power,
        "--office",
        "HO",
        "--reason",
        "order",
        "--most",
        most,
    )
    said = call(*grant)
    assert (said.exit_code, sentence in said.stderr) == (2, True), said.stderr


def test_powers_are_listed_and_withdrawn(call: Call, board: Board) -> None:
    board.answers = {
        "security_powers": PowersHeld([examples.HELD]),
        "security_withdraw_power": examples.HELD,
    }
    listed = call("admin", "powers", *BY_STDIN, stdin=WORD).stdout
    assert listed == "    3  E1042 REFUND at SD-101 up to Rs 5,000.00 from 2026-04-01\n"
    call("admin", "withdraw", "3", "--reason", "transferred", *BY_STDIN, stdin=WORD)
    assert board.said[-1][1] == WithdrawPower(3, "transferred")


def test_what_is_approved_is_what_was_shown(call: Call, board: Board) -> None:
    board.answers = {
        "approvals_show": SHOWN,
        "approvals_approve_many": words.ApprovedMany([words.Decided(17, "", "")]),
    }
    said = call("approvals", "approve", "17", "17", "--yes", *OF_MEERA, stdin=WORD)
    assert "role: clerk → officer" in said.stderr
    assert said.stdout == "17: approved and carried out\n"
    seen = words.Decision(17, 1, examples.CONTENT)
    assert board.said[-1] == ("approvals.approve_many", words.ApproveMany([seen], ""))


def test_who_took_long_to_look_signs_in_again_and_approves(call: Call, board: Board) -> None:
    board.answers = {
        "approvals_show": SHOWN,
        "approvals_approve_many": words.ApprovedMany([words.Decided(17, "", "")]),
    }
    board.ending = True
    said = call("approvals", "approve", "17", "--as", "meera", stdin=f"{WORD}y\n{WORD}")
    assert "Your sign-in is over. Sign in again as meera and what waits goes on." in said.stderr
    assert said.stdout == "17: approved and carried out\n"
    assert [one for one in board.said if one[0] == "sign in"] == [("sign in", "meera")] * 2


def test_what_is_not_confirmed_is_not_approved(call: Call, board: Board) -> None:
    board.answers["approvals_show"] = SHOWN
    said = call("approvals", "approve", "17", "--as", "meera", stdin=f"{WORD}n\n")
    assert said.stdout == "nothing was approved\n"
    assert board.said[-1][0] == "approvals.show"


def test_a_refused_approval_ends_with_the_refusals_code(call: Call, board: Board) -> None:
    refused = words.Decided(17, "OWN_REQUEST", "The request 17 is your own.")
    board.answers = {
        "approvals_show": SHOWN,
        "approvals_approve_many": words.ApprovedMany([refused]),
    }
    said = call("approvals", "approve", "17", "--yes", *OF_MEERA, stdin=WORD)
    assert (said.exit_code, said.stdout) == (5, "17: The request 17 is your own.\n")


def waiting_for(operation: str, body: Body, acts: list[words.Act]) -> words.Shown:
    waits = replace(examples.WAITING, operation=operation)
    return words.Shown(waits, [], acts, "", msgspec.msgpack.encode(body))


FORWARDED = words.Act("FORWARDED", 1, "E1001", "adil", "", "E1042", "above me", examples.AT)
GRANT = GrantPower("E1042", Power.REFUND, 500_00, "SD-101", "2026-04-01", "order 17")


def test_an_edit_says_what_it_changes_and_what_it_voids(call: Call, board: Board) -> None:
    board.answers = {
        "approvals_show": waiting_for("security.grant_power", GRANT, [FORWARDED]),
        "approvals_edit": replace(examples.PENDING, version=2),
    }
    edit = ("approvals", "edit", "17", "--set", "most=4,500", "--set", "valid_to=2026-06-30")
    said = call(*edit, "--reason", "order 18", "--yes", *OF_MEERA, stdin=WORD)
    assert said.exit_code == 0, said.stderr
    assert "most: 500.00 → 4,500.00" in said.stderr
    assert "valid_to: — → 2026-06-30" in said.stderr
    assert "What was said about version 1 (an approval under way, an endorsement, a return) is" in (
        said.stderr
    )
    assert "forwarded v1 by E1001 to E1042: above me" in said.stderr
    assert "request 17 is version 2 now" in said.stdout
    assert "void" in said.stdout
    body = replace(GRANT, most=4_500_00, valid_to="2026-06-30", reason="order 18")
    raw = msgspec.msgpack.encode(body)
    put = words.Edit(17, 1, examples.CONTENT, "security.grant_power", raw, "order 18")
    assert board.said[-1] == ("approvals.edit", put)


def test_an_edit_that_is_not_confirmed_is_not_sent(call: Call, board: Board) -> None:
    board.answers["approvals_show"] = waiting_for("security.grant_power", GRANT, [])
    edit = ("approvals", "edit", "17", "--set", "most=45", "--reason", "order 18", "--as", "meera")
    said = call(*edit, stdin=f"{WORD}n\n")
    assert (said.exit_code, said.stdout) == (0, "nothing was edited\n")
    assert board.said[-1][0] == "approvals.show"


@pytest.mark.parametrize(
    ("operation", "body", "fields"),
    [
        (
            "security.grant_power",
            GRANT,
            "person=E1042 power=REFUND most=500.00 office=SD-101 valid_from=2026-04-01 valid_to=",
        ),
        (
            "transfers.refund",
            Refund("1234567890", 45_050, "asked"),
            "consumer=1234567890 amount=450.50",
        ),
        (
            "consumers.change_details",
            ChangeDetails("1234567890", {"name": "RK"}, "deed"),
            "consumer=1234567890 fields.name=RK",
        ),
    ],
)
def test_an_edit_without_values_lists_what_may_be_set(
    call: Call, board: Board, operation: str, body: Body, fields: str
) -> None:
    board.answers["approvals_show"] = waiting_for(operation, body, [])
    said = call("approvals", "edit", "17", *OF_MEERA, stdin=WORD)
    assert said.stdout.split() == fields.split()
    assert board.said[-1] == ("approvals.show", words.Show(17, body=True))


@pytest.mark.parametrize(
    "operation", [one for one in CATALOGUE if one.four_eyes], ids=attrgetter("name")
)
def test_every_request_of_two_can_be_edited_by_the_words_it_lists(operation: Operation) -> None:
    raw = msgspec.msgpack.encode(examples.BODIES[operation.name][0])
    reason = "a pencilled word"
    settings = edit_request.listed(operation.name, raw)
    again = edit_request.edited(operation.name, raw, settings, reason)
    assert edit_request.differences(operation.name, raw, again) == []
    assert decode_body(operation, again).reason == reason


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (("most",), "--set 'most': give FIELD=VALUE."),
        (("colour=red",), "may be one of person, power, most, office"),
        (("reason=mine",), "the reason is --reason"),
        (("office.name=x",), "may be one of person"),
        (("power=FLYING",), "--set power=FLYING: Invalid enum value"),
        (("most=many",), "REFUND is limited in rupees above zero"),
        (("valid_from=soon",), "valid_from"),
    ],
)
def test_what_cannot_be_set_is_named_before_anything_is_sent(
    call: Call, board: Board, settings: tuple[str, ...], sentence: str
) -> None:
    board.answers["approvals_show"] = waiting_for("security.grant_power", GRANT, [])
    sets = [word for one in settings for word in ("--set", one)]
    said = call("approvals", "edit", "17", *sets, "--reason", "order 18", *OF_MEERA, stdin=WORD)
    assert (said.exit_code, sentence in said.stderr) == (2, True), said.stderr
    assert board.said[-1][0] == "approvals.show"
    assert call("approvals", "edit", "17", *sets, *OF_MEERA, stdin=WORD).exit_code == 2


@pytest.mark.parametrize(
    ("verb", "operation"),
    [("reject", "reject"), ("return", "send_back"), ("withdraw", "withdraw")],
)
def test_deciding_names_what_was_seen(call: Call, board: Board, verb: str, operation: str) -> None:
    board.answers = {
        "approvals_show": SHOWN,
        f"approvals_{operation}": words.Settled(17, "REJECTED"),
    }
    said = call("approvals", verb, "17", "--remark", "no such order", *OF_MEERA, stdin=WORD)
    assert said.stdout == "request 17 is rejected\n"
    body = words.Answer(17, 1, examples.CONTENT, "no such order")
    assert board.said[-1] == (f"approvals.{operation}", body)
    assert call("approvals", verb, "17", *OF_MEERA).exit_code == 2


def test_forwarding_lending_and_the_inbox(call: Call, board: Board) -> None:
    board.answers = {
        "approvals_show": SHOWN,
        "approvals_forward": words.Settled(17, "PENDING"),
        "approvals_delegate": examples.DELEGATION,
        "approvals_end_delegation": examples.DELEGATION,
        "approvals_inbox": words.Requests([examples.WAITING]),
    }
    to = ("approvals", "forward", "17", "E1001", "--remark", "above my power", *OF_MEERA)
    assert call(*to, stdin=WORD).stdout == "request 17 waits for E1001\n"
    lend = (
        "approvals",
        "delegate",
        "E1001",
        "refund",
        "--from",
        "2026-04-06",
        "--to",
        "2026-04-17",
    )
    said = call(*lend, "--reason", "on leave", *OF_MEERA, stdin=WORD).stdout
    assert said.startswith("REFUND is lent to E1001 until")
    assert "taken back" in call("approvals", "take-back", "4", *OF_MEERA, stdin=WORD).stdout
    assert "Adil Khan" in call("approvals", "inbox", *OF_MEERA, stdin=WORD).stdout


def test_what_waits_is_asked_for_page_after_page(call: Call, board: Board) -> None:
    pages = {"": words.Requests([examples.WAITING], "17"), "17": words.Requests([examples.WAITING])}
    board.answers["approvals_inbox"] = lambda asked: pages[asked.mark]
    assert call("approvals", "inbox", *OF_MEERA, stdin=WORD).stdout.count("Adil Khan") == 2
    asked = [body for name, body in board.said if name == "approvals.inbox"]
    assert asked == [words.Inbox(), words.Inbox(mark="17")]


def test_a_login_with_a_second_factor_is_asked_for_its_code(call: Call, board: Board) -> None:
    board.code = "287082"
    board.answers["approvals_inbox"] = words.Requests([])
    inbox = ("approvals", "inbox", "--as", "meera")
    said = call(*inbox, stdin=f"{WORD}287082\n")
    assert (said.exit_code, said.stdout) == (0, "nothing waits for you\n")
    assert call(*inbox, stdin=f"{WORD}000000\n").exit_code == 5
    without = call(*inbox, stdin=WORD)
    assert (without.exit_code, "MPOWER_CODE" in without.stderr) == (2, True)


def test_a_device_is_enrolled_with_its_first_code(call: Call, board: Board) -> None:
    board.answers["security_enrol_factor"] = FactorEnrolled("meera")
    said = call("second-factor", "enrol", *OF_MEERA, "--code", "287082", stdin=WORD)
    assert said.stdout == "meera signs in with a one-time code from now on\n"
    (address,) = re.findall(r"otpauth://totp/\S+", said.stderr)
    (secret,) = re.findall(r"secret=([A-Z2-7]{32})&", address)
    assert board.said[-1] == ("security.enrol_factor", EnrolFactor(secret, "287082"))


def test_who_does_not_say_who_they_are_is_told_so(call: Call, board: Board) -> None:
    said = call("approvals", "inbox", *BY_STDIN, stdin=WORD)
    assert (said.exit_code, said.stdout, board.said) == (2, "", [])
    assert "needs --as (Sign in as this user). Type, for example: mpower" in said.stderr


def test_a_consumers_data_are_shown_and_changes_asked_for(call: Call, board: Board) -> None:
    board.answers = {
        name.replace(".", "_"): examples.BODIES[name][1]
        for name in (
            *("consumers.account", "consumers.change_details", "consumers.change_load"),
            *("consumers.change_mobile", "consumers.note_contact", "consumers.contacts"),
        )
    }
    n, why = "1234567890", ("--reason", "sale deed")
    shown = call("consumer", "show", n, *OF_MEERA, stdin=WORD).stdout
    assert "mobile             ••••••4321" in shown
    assert "name: R SHARMA → R K SHARMA (meera: as in deed)" in shown
    asked = call("consumer", "change", n, "--name", "R K", *why, *OF_MEERA, stdin=WORD)
    assert "request 17 waits" in asked.stdout
    assert board.said[-1][1] == ChangeDetails(n, {"name": "R K"}, "sale deed")
    assert call("consumer", "change", n, *why, *OF_MEERA).exit_code == 2
    call("consumer", "load", n, "5000", *why, "--counter", "C001", *OF_MEERA, stdin=WORD)
    assert board.said[-1][1] == ChangeLoad(n, 5_000, "sale deed")
    assert board.settings[-1].tls.certificate.name == "counter-C001.crt"
    call("consumer", "mobile", n, "9876543210", *why, *OF_MEERA, stdin=WORD)
    note = ("consumer", "note", n, "CALL", "IN", "asks about the bill", *OF_MEERA)
    assert call(*note, stdin=WORD).stdout == "kept as contact 9\n"
    listed = call("consumer", "contacts", n, *OF_MEERA, stdin=WORD).stdout
    assert "CALL    IN  asks about the bill — explained slab 2 (asha)" in listed
