"""One line an event, nothing secret in it, nothing that moves a cursor."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from twisted.logger import globalLogPublisher

from mpowerd import logs

CANARY = "canary-4711-password"


@pytest.fixture
def sink() -> Iterator[io.StringIO]:
    before, level = list(logging.getLogger().handlers), logging.getLogger().level
    said = io.StringIO()
    logs.configure("info", said)
    yield said
    structlog.reset_defaults()
    globalLogPublisher.removeObserver(logs._from_twisted)
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(level)


def lines(sink: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(one) for one in sink.getvalue().splitlines()]


def test_secrets_are_struck_out_at_any_depth(sink: io.StringIO) -> None:
    structlog.get_logger().info(
        "said", password=CANARY, inner={"token": CANARY, "list": [{"totp": CANARY}]}, user="asha"
    )
    assert CANARY not in sink.getvalue()
    assert lines(sink)[0]["user"] == "asha"


def test_a_traceback_shows_no_values_of_variables(sink: io.StringIO) -> None:
    def check(password: str) -> None:
        raise ValueError("wrong")

    try:
        check(CANARY)
    except ValueError as error:
        structlog.get_logger().error("fault", exc_info=error)
    assert "ValueError" in lines(sink)[0]["exception"]
    assert CANARY not in sink.getvalue()


def test_control_characters_and_lines_cannot_be_forged(sink: io.StringIO) -> None:
    structlog.get_logger().info("x", name="a\n{}\x1b[2J\x7f\x85\u2028ü")
    text = sink.getvalue()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()
    assert text.isascii()
    assert lines(sink)[0]["name"].startswith("a\n{}")


def test_times_are_utc_and_local(sink: io.StringIO) -> None:
    structlog.get_logger().warning("x")
    event = lines(sink)[0]
    assert event["utc"].endswith("+00:00")
    assert event["local"][:4] == event["utc"][:4]


def test_libraries_log_into_the_same_sink(sink: io.StringIO) -> None:
    logging.getLogger("psycopg").warning("connection %s", "lost")
    assert lines(sink)[0]["event"] == "connection lost"


def test_what_is_long_is_cut_and_below_the_level_is_not_said(sink: io.StringIO) -> None:
    structlog.get_logger().info("x", text="y" * 10_000, raw=b"\x00\xff")
    structlog.get_logger().debug("quiet")
    event = lines(sink)[0]
    assert len(event["text"]) < 2_100
    assert event["raw"] == "00ff"
    assert len(lines(sink)) == 1
