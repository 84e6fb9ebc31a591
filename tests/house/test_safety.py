"""Nothing of ours runs, unpacks or follows what came from outside, and no secret stands in the
repository: this is also the secrets scan of ``make audit``.
"""

from pathlib import Path

import pytest

from tests.house import safety, sources
from tests.house.sources import CODE, everything, texts, under

SHOWN = {
    "tests/database/abuse/test_canary.py",
}
"""Files of made-up secrets that are looked for: nobody could use them."""


def test_no_code_runs_or_follows_what_came_from_outside() -> None:
    found = [
        word
        for path, text in texts(".py")
        if under(path, *CODE)
        for word in safety.dangerous(path, text)
    ]
    assert found == []


def test_no_secret_stands_in_the_repository() -> None:
    found = [
        word
        for path, text in everything()
        if path not in SHOWN
        for word in safety.secrets(path, text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "import xml.etree.ElementTree as tree",
        "from zipfile import ZipFile",
        "tarfile.open(path).extractall(folder)",
        "yaml.load(data)",
        "eval(text)",
        "exec(text)",
        "subprocess.run(text, shell=True)",
        "subprocess.run(text, shell=wanted)",
        "os.system(text)",
        "get(url, verify=False)",
        "context.verify_mode = ssl.CERT_NONE",
    ],
)
def test_a_planted_danger_is_seen(text: str) -> None:
    assert list(safety.dangerous("a.py", text))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQEE",
        "AKIA" + "A1B2C3D4E5F6G7H8",
        "ghp_" + "a" * 36,
        "db_pass" + 'word = "hunter2hunter2"',
        '"to' + 'ken": "0123456789abcdef"',
    ],
)
def test_a_planted_secret_is_seen(text: str) -> None:
    assert list(safety.secrets("a.py", text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("docs/a.md", "postgres://mpower:hunter2" + "hunter2@db/mpower"),
        ("bench/a.py", 'CONN = "host=db user=mpower pass' + 'word=hunter2hunter2"'),
        ("deploy/a.yaml", "port: 1\nadmin_pass" + "word: hunter2hunter2  # for now"),
        ("deploy/.env", "API_" + "KEY=hunter2hunter2"),
    ],
)
def test_a_secret_in_an_address_or_a_settings_file_is_seen(path: str, text: str) -> None:
    assert list(safety.secrets(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("deploy/a.yaml", "replication_password: secrets/replication.password"),
        ("a.py", "password=read_password_of(user)"),
        ("a.py", 'f"host={host} user=x password={word}"'),
        ("docs/a.md", "https://example.org:8443/path@2"),
    ],
)
def test_where_a_secret_is_may_be_said(path: str, text: str) -> None:
    assert not list(safety.secrets(path, text))


@pytest.mark.parametrize("name", [".env", "deploy/node.pem", "docs/x.json", "tests/x.bin"])
def test_every_file_is_read_whatever_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "HOUSE", tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"\xff" + b"AKIA" + b"A1B2C3D4E5F6G7H8")
    ((path, text),) = everything()
    assert (path, len(list(safety.secrets(path, text)))) == (name, 1)


@pytest.mark.parametrize(
    "text", ["yaml.SafeLoader", "connection.execute(query)", "run([program], shell=False)"]
)
def test_what_is_allowed_passes(text: str) -> None:
    assert not list(safety.dangerous("a.py", text))
