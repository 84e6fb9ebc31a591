"""One sink for everything this process says: a JSON line an event, to the stream it was started
with.

Invariant: nothing secret and nothing that moves a terminal's cursor reaches the sink. Values under
a secret's name are struck out, whatever says them; every character outside printable ASCII is
written as its escape, so a line is one line. Times are UTC and local (180 days of both are asked
for in India). Twisted and the libraries log through here as well. This file must not know any
domain.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import provider

SECRETS: Final = re.compile(r"pass|secret|token|totp|private|credential|body", re.IGNORECASE)
STRUCK: Final = "[struck out]"
MAX_TEXT: Final = 2_000
"""Characters of one value: a traceback's end says more than its beginning, and a flood stays small.
"""
UNPRINTABLE: Final = re.compile(r"[\x7f]")


def configure(level: str, sink: TextIO = sys.stderr) -> None:
    """Send every log of this process to ``sink`` as JSON lines, from ``level`` upwards."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            stamped,
            redacted,
            line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sink),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_FromLibraries(threshold)]
    root.setLevel(max(threshold, logging.WARNING))
    globalLogPublisher.addObserver(_from_twisted)


def stamped(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Add the time, in UTC and as the wall shows it here."""
    now = datetime.now(UTC)
    event["utc"] = now.isoformat(timespec="milliseconds")
    event["local"] = now.astimezone().isoformat(timespec="milliseconds")
    return event


def redacted(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Strike out what stands under a secret's name, at any depth, and cut what is too long."""
    return {name: _clean(name, value) for name, value in event.items()}


def line(_logger: Any, _name: str, event: Mapping[str, Any]) -> str:
    """Write one event as one line of printable ASCII."""
    text = json.dumps(event, ensure_ascii=True, default=repr, sort_keys=False)
    return UNPRINTABLE.sub("\\\\u007f", text)


def _clean(name: str, value: Any) -> Any:
    if SECRETS.search(name):
        return STRUCK
    if isinstance(value, Mapping):
        return {str(inner): _clean(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(name, one) for one in value]
    if isinstance(value, bytes):
        return value.hex()[:MAX_TEXT]
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"... {value[-MAX_TEXT:]}"
    return value


class _FromLibraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        said = structlog.get_logger().bind(library=record.name)
        said.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


@provider(ILogObserver)
def _from_twisted(event: LogEvent) -> None:
    level = event.get("log_level", LogLevel.info)
    if level in {LogLevel.debug, LogLevel.info}:
        return  # a line for every connection is the server's own to write, with what it knows
    failure = event.get("log_failure")
    structlog.get_logger().log(
        logging.CRITICAL if level is LogLevel.critical else logging.WARNING,
        formatEvent(event),
        library=str(event.get("log_namespace", "twisted")),
        traceback=failure.getTraceback() if failure is not None else "",
    )
