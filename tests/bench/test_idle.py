"""What idle processes spent is read from /proc, children that have ended included."""

import os

from bench.idle import spent_s

TICKS = os.sysconf("SC_CLK_TCK")
STAT = "{pid} (a (odd) name) S 1 2 3 0 -1 4 5 6 7 8 {user} {system} {child} {kernel} 20 0 1 0 99"


def test_time_of_a_family_is_its_own_and_that_of_its_ended_children() -> None:
    stats = {
        1: STAT.format(pid=1, user=TICKS, system=2 * TICKS, child=3 * TICKS, kernel=0),
        2: STAT.format(pid=2, user=0, system=0, child=0, kernel=TICKS // 2),
        3: "",
    }
    assert spent_s(stats, stats.__getitem__) == 6.5
