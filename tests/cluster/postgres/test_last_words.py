"""Why PostgreSQL did not start is what a person reads, and not what it said to probes meanwhile."""

from cluster.postgres.last_words import telling

AT = "2026-11-24 13:59:46.090 UTC [9065] "
PROBE = f"{AT}[unknown] FATAL:  the database system is starting up\n"
START = f"{AT} LOG:  starting PostgreSQL 15.18 (Debian) on x86_64-pc-linux-gnu\n"
LOWER = (
    f"{AT} WARNING:  hot standby is not possible because of insufficient parameter settings\n"
    f"{AT} DETAIL:  max_connections = 20 is a lower setting than on the primary server, where its"
    f" value was 60.\n{AT} CONTEXT:  WAL redo at 0/3000028\n"
    f"{AT} FATAL:  recovery aborted because of insufficient parameter settings\n"
    f"{AT} HINT:  You can restart the server after making the necessary configuration changes.\n"
)


def test_the_reason_is_not_drowned_by_probes() -> None:
    log = f"{AT}x FATAL:  an older end\n{START}{PROBE * 40}{LOWER}{PROBE * 40}"
    said = telling(log)
    assert said.startswith("WARNING: hot standby is not possible")
    assert "max_connections = 20 is a lower setting" in said
    assert said.endswith("after making the necessary configuration changes.")
    assert "starting up" not in said
    assert "older" not in said


def test_without_a_grave_word_the_last_lines_are_told() -> None:
    assert telling(f"{START}{AT} LOG:  listening on port 1\n{PROBE}") == "LOG: listening on port 1"
    assert telling("no log of ours") == "no log of ours"
    assert telling("") == ""
    assert telling(f"{START}{PROBE}") == ""


def test_a_name_in_the_prefix_is_taken_off() -> None:
    log = f"{START}{AT}mpower FATAL:  could not open file\n"
    assert telling(log) == "FATAL: could not open file"
