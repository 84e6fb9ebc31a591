"""Every settings file says what the failover stands on, and reads back what was written."""

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.postgres.files import (
    BLOCKING_NAMES,
    LiveSettings,
    parse_auto,
    quote,
    render_auto,
    render_conf,
    render_conninfo,
    render_hba,
    render_ident,
    render_passfile,
    with_application_name,
)
from cluster.postgres.place import PostgresPlan, TlsFiles

PLAN = PostgresPlan(
    node="a",
    data_dir=Path("/srv/it's here"),
    port=6001,
    listen=("127.0.0.1",),
    peers=("127.0.0.1", "10.0.0.2", "fd00::2", "10.1.0.0/16"),
    tls=TlsFiles(Path("c"), Path("k"), Path("a")),
)
LINES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


def settings(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: value for name, _, value in (line.partition(" = ") for line in lines)}


@given(LINES, LINES, LINES)
def test_live_settings_there_and_back(names: str, conninfo: str, slot: str) -> None:
    live = LiveSettings(names, conninfo, slot)
    assert parse_auto(render_auto(live)) == live


def test_live_settings_of_another_hand() -> None:
    text = "# comment\nwork_mem = '4MB'\nsynchronous_standby_names = x\nprimary_slot_name='b'\n"
    assert parse_auto(text + "synchronous_standby_names = 'y'\n") == LiveSettings("y", "", "b")
    assert parse_auto(text) == LiveSettings("x", "", "b")
    assert parse_auto("") == LiveSettings("")


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_a_line_break_cannot_smuggle_a_setting(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        quote(value)


@pytest.mark.parametrize("major", [15, 16, 17, 18])
def test_what_the_failover_stands_on(major: int) -> None:
    conf = settings(render_conf(PLAN, major, tls=True))
    expected = {
        "wal_level": "replica",
        "wal_log_hints": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "restart_after_crash": "off",
        "hot_standby": "on",
        "recovery_target_timeline": "latest",
        "wal_sender_timeout": "3s",
        "wal_receiver_timeout": "3s",
        "wal_retrieve_retry_interval": "200ms",
        "tcp_user_timeout": "3000",
        "max_standby_streaming_delay": "10s",
        "wal_keep_size": "1024MB",
        "shared_buffers": "128MB",
        "listen_addresses": "127.0.0.1",
        "port": "6001",
        "unix_socket_directories": "/srv/it''s here/postgres/run",
        "ssl": "on",
    }
    assert expected.items() <= {name: value[1:-1] for name, value in conf.items()}.items()
    assert ("idle_replication_slot_timeout" in conf) == (major >= 18)
    assert ("allow_alter_system" in conf) == (major >= 17)
    assert int(conf["max_wal_senders"].strip("'")) >= 10


def test_the_live_settings_live_nowhere_else() -> None:
    conf = settings(render_conf(PLAN, 15, tls=False))
    assert not {"synchronous_standby_names", "primary_conninfo", "primary_slot_name"} & set(conf)
    assert "ssl" not in conf


SOCKET = ["local all postgres peer map=mpower", 'local "mpower" all peer map=mpower']


def test_who_may_connect_with_tls() -> None:
    assert render_hba(PLAN, tls=True, admits=True).splitlines() == [
        *SOCKET,
        "hostssl replication mpower_replication 127.0.0.1/32 scram-sha-256",
        "hostssl postgres mpower_replication 127.0.0.1/32 scram-sha-256",
        "hostssl replication mpower_replication 10.0.0.2/32 scram-sha-256",
        "hostssl postgres mpower_replication 10.0.0.2/32 scram-sha-256",
        "hostssl replication mpower_replication fd00::2/128 scram-sha-256",
        "hostssl postgres mpower_replication fd00::2/128 scram-sha-256",
        "hostssl replication mpower_replication 10.1.0.0/16 scram-sha-256",
        "hostssl postgres mpower_replication 10.1.0.0/16 scram-sha-256",
    ]


def test_in_clear_only_from_this_machine() -> None:
    assert render_hba(PLAN, tls=False, admits=True).splitlines() == [
        *SOCKET,
        "host replication mpower_replication 127.0.0.1/32 scram-sha-256",
        "host postgres mpower_replication 127.0.0.1/32 scram-sha-256",
    ]


def test_nobody_follows_a_copy_that_was_not_shown_to_be_whole() -> None:
    assert render_hba(PLAN, tls=True, admits=False).splitlines() == SOCKET


def test_who_may_be_whom() -> None:
    assert render_ident(PLAN, "root", "mpower").splitlines() == [
        'mpower "root" "postgres"',
        'mpower "root" "mpower_app"',
        'mpower "mpower" "postgres"',
    ]
    assert render_ident(PLAN, "mpower", "mpower").splitlines() == [
        'mpower "mpower" "postgres"',
        'mpower "mpower" "mpower_app"',
    ]


def test_a_conninfo_that_libpq_reads_as_meant() -> None:
    text = render_conninfo(PLAN, "10.0.0.2", 6002, "a_7", tls=True)
    read = psycopg.conninfo.conninfo_to_dict(text)
    assert read["host"] == "10.0.0.2"
    assert read["sslmode"] == "verify-full"
    assert read["sslrootcert"] == "/srv/it's here/postgres/secrets/authority.crt"
    assert read["passfile"] == "/srv/it's here/postgres/secrets/replication.pass"
    assert "password" not in read
    assert read["application_name"] == "a_7"
    renamed = psycopg.conninfo.conninfo_to_dict(with_application_name(text, "a_8"))
    assert renamed == {**read, "application_name": "a_8"}
    assert (
        psycopg.conninfo.conninfo_to_dict(
            render_conninfo(PLAN, "127.0.0.1", 6002, "a_7", tls=False)
        )["sslmode"]
        == "disable"
    )
    assert with_application_name("", "a_8") == ""


def test_the_password_file_escapes_what_libpq_would_split_at() -> None:
    assert render_passfile("a:b\\c") == "*:*:*:mpower_replication:a\\:b\\\\c\n"


def test_the_blocking_name_is_no_node_s() -> None:
    assert BLOCKING_NAMES == 'ANY 1 ("nobody_0")'
