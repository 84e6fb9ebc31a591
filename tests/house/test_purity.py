"""Pure files reach neither clock, chance nor the world."""

import pytest

from tests.house.purity import impurities, is_pure
from tests.house.sources import texts


def test_pure_files_are_pure() -> None:
    pure = [(path, text) for path, text in texts(".py") if is_pure(path)]
    rooms = {path.split("/")[0] for path, _ in pure}
    assert rooms >= {"protocols", "cluster"}, "the patterns no longer match the house"
    assert [word for path, text in pure for word in impurities(path, text)] == []


@pytest.mark.parametrize(
    "path",
    [
        "protocols/codec.py",
        "protocols/catalogue/payments.py",
        "cluster/machine.py",
        "cluster/states.py",
        "cluster/record.py",
        "cluster/heartbeat.py",
        "cluster/view.py",
        "cluster/machine/table.py",
        "mpowerd/payments/rules.py",
    ],
)
def test_pure_by_name(path: str) -> None:
    assert is_pure(path)


@pytest.mark.parametrize(
    "path",
    [
        "protocols/shell/tls.py",
        "cluster/node.py",
        "cluster/arbiter/witness.py",
        "mpowerd/payments/store.py",
        "tests/x/rules.py",
    ],
)
def test_a_shell_is_not_called_pure(path: str) -> None:
    assert not is_pure(path)


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "import random as chance",
        "from time import monotonic",
        "from twisted.internet import reactor",
        "from twisted import internet",
        "import twisted.internet.defer",
        "def f():\n    import socket",
        "import psycopg",
        "import protocols.shell.clock",
        "from protocols.shell.clock import now",
        "from protocols import shell",
        "from datetime import datetime\nx = datetime.now()",
        "import uuid\nx = uuid.uuid4()",
        "import os\nx = os.urandom(8)",
        "open('x')",
    ],
)
def test_a_planted_violation_is_seen(text: str) -> None:
    assert list(impurities("protocols/planted.py", text))


def test_one_line_is_complained_of_once() -> None:
    assert len(list(impurities("protocols/planted.py", "from time import sleep, time"))) == 1


def test_what_is_allowed_passes() -> None:
    text = "from datetime import date, timedelta\nimport protocols.values\nx = date(2026, 1, 1)\n"
    assert list(impurities("protocols/planted.py", text)) == []
