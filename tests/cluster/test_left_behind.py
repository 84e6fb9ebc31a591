"""What a replaced copy held: counted from pg_waldump's words, kept on the disk, bounded."""

from pathlib import Path

from msgspec import structs

from cluster.left_behind import FILE_NAME, MAX_REPORTS, LeftBehind, Reports
from cluster.postgres.stock import counted

SAID = """WAL statistics between 0/3000148 and 0/3000A58:
Type                        N      (%)          Record size      (%)
----                        -      ---          -----------      ---
XLOG/CHECKPOINT_ONLINE      1 (  4.76)                  114 (  7.76)
Transaction/COMMIT          7 ( 33.33)                  238 ( 16.20)
Heap/INSERT                 5 ( 23.81)                  400 ( 27.23)
Heap/INSERT+INIT            2 (  9.52)                  300 ( 20.42)
Heap/HOT_UPDATE             1 (  4.76)                   70 (  4.77)
Btree/INSERT_LEAF           5 ( 23.81)                  347 ( 23.62)
                     --------                    --------                --------
Total                      21              1469 [65.00%]       791 [35.00%]      2260 [100%]
"""
REPORT = LeftBehind(1.0, 1, 0x3000148, 2260, 7, 8)


def test_statistics_are_counted() -> None:
    ended = "pg_waldump: error: error in WAL record at 0/3000A58: invalid record length"
    stock = counted(SAID, ended, fits=True)
    assert (stock.wal_bytes, stock.commits, stock.changes, stock.trouble) == (2260, 7, 8, "")


def test_an_end_right_at_the_switch_is_nothing_and_a_missing_log_is_said() -> None:
    nothing = counted("", "error: could not find a valid record after 0/3000148", fits=False)
    assert (nothing.fits, nothing.wal_bytes, nothing.trouble) == (False, 0, "")
    assert "could not open" in counted("", "error: could not open file", fits=True).trouble


def test_reports_outlive_the_process_and_are_bounded(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    for number in range(MAX_REPORTS + 5):
        reports.add(structs.replace(REPORT, left_at=number))
        reports.add(structs.replace(REPORT, left_at=number))
    again = Reports(tmp_path)
    again.read()
    assert again.kept == reports.kept
    assert [one.left_at for one in again.kept] == list(range(5, MAX_REPORTS + 5))
    (tmp_path / FILE_NAME).write_bytes(b"torn")
    again.read()
    assert again.kept == []


def test_every_report_is_a_sentence() -> None:
    assert "7 commits" in REPORT.sentence
    assert "unacknowledged only" in REPORT.sentence
    assert "Nothing" in structs.replace(REPORT, wal_bytes=0).sentence
    assert "not known" in structs.replace(REPORT, left_at=0).sentence
    assert "late" in structs.replace(REPORT, trouble="late").sentence
