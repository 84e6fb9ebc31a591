"""One torture from the empty folder to the verdict, inside the cage.

    build · bootstrap · terminals · story · last answers · judge both databases · one JSON line

Whatever ends it, its processes are ended, the databases' logs are kept beside the journals, and the
cage takes the rest with it. This file must not know a kind of fault.
"""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any, Final

import psycopg

from bench.figures import table, tell
from tests.torture import able, checks, evidence, gaps
from tests.torture.board import Board
from tests.torture.checks import Flaw
from tests.torture.crowd import END_S, SEATS, Crowd
from tests.torture.outages import keep_record
from tests.torture.place import Place
from tests.torture.plan import chosen, rounds
from tests.torture.planted import PLANTED
from tests.torture.story import NotConvergedError, Story, unexpected
from tests.torture.system import RigError
from tests.torture.watching import Watch

LACKING: Final = 5
"""The exit code if this machine cannot do a kind that was asked for by name."""
LONGEST: Final = 12
ANSWER_S: Final = 90.0
EQUAL_S: Final = 60.0


def torture(home: Path, minutes: float, seed: int, plant: str, only: Sequence[str]) -> int:
    """Run it all; 0 if the pair came through clean, or if a planted bug was caught."""
    began_s = time.monotonic()
    lies, lacks = able.build(home)
    for kind, why in lacks.items():
        tell(f"Left out: {kind}. {why}")
    if lacks.keys() & set(only):
        return LACKING
    kinds = [one.name for one in chosen(only) if one.name not in lacks]
    replication = Random(seed).choice(("town", "cross"))
    board = Board(home, replication, plant)
    watch = Watch(board)
    place = Place(board, Crowd(board), watch, lies, lacks)
    played = repeat(PLANTED[plant]) if plant else rounds(seed, kinds)
    story = Story(place, played, () if plant else kinds, seed)
    trouble = ""
    verdict: list[Flaw] = []
    try:
        _open(story, seed, replication)
        story.play(began_s + minutes * 60)
        verdict = _judge(story)
    except (NotConvergedError, RigError, psycopg.Error) as wrong:
        trouble = f"{type(wrong).__name__}: {wrong}"
        tell(trouble)
    except KeyboardInterrupt:
        trouble = "interrupted"
    finally:
        _close(story)
    clean = _report(story, seed, minutes, verdict, trouble)
    if plant:
        caught = bool(story.flaws or verdict or trouble.startswith("NotConverged"))
        tell(f"The planted bug {plant} was {'caught' if caught else 'NOT caught'}.")
        return 0 if caught else 1
    return 0 if clean else 1


def _open(story: Story, seed: int, replication: str) -> None:
    place = story.place
    for host in place.hosts.values():
        host.start()
    answers = {"a", "b"}
    if not story.wait(lambda: set(place.watch.states()) == answers, ANSWER_S):
        raise RigError(f"The nodes do not answer: {place.watch.story()}.")
    place.board.bootstrap()
    keep_record(place)  # from the first round on there is an older one to roll back to
    tell(f"seed {seed}: the board is open, replication over the {replication} link")
    for office in SEATS:
        place.crowd.start(office)


def _judge(story: Story) -> list[Flaw]:
    """Let everything be answered, then read both databases."""
    place = story.place
    place.crowd.end()
    story.wait(place.crowd.ended, END_S)
    flaws = []
    if not place.crowd.answered_all():
        flaws.append(Flaw("unanswered", "intents are open after two minutes of peace"))
    asked = evidence.journals(place.board.journals)
    primary, standby = (place.board.socket(place.watch.who(one)) for one in ("primary", "standby"))
    with evidence.connect(primary) as base:
        flaws += checks.judge(asked, evidence.books(base))
        with evidence.connect(standby) as copy:
            flaws += _unequal(story, base, copy)
    return flaws


def _unequal(
    story: Story, base: psycopg.Connection[Any], copy: psycopg.Connection[Any]
) -> list[Flaw]:
    """The standby holds row for row what the primary holds, when both stand still."""
    query = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
    end = time.monotonic() + EQUAL_S
    while time.monotonic() < end:
        before = evidence.prints(base)
        lsn = base.execute("SELECT pg_current_wal_lsn()").fetchone()
        while copy.execute(query, lsn).fetchone() != (True,) and time.monotonic() < end:
            story.tick()
        there = evidence.prints(copy)
        if before == evidence.prints(base):
            return list(checks.copies(before, there))
    return [Flaw("standby", "the primary does not stand still without traffic")]


def _close(story: Story) -> None:
    place = story.place
    place.crowd.dismiss()
    place.watch.close()
    for name, host in place.hosts.items():
        host.disk.thaw()
        if name != "w":
            _keep_logs(host.disk.at / "data" / "postgres", place.board.logs / f"postgres-{name}")
        with suppress(RigError):
            host.strike(signal.SIGCONT, host.members())
            host.kill_all()


def _keep_logs(source: Path, target: Path) -> None:
    for file in source.rglob("*.log"):
        with suppress(OSError):
            target.mkdir(exist_ok=True)
            shutil.copy2(file, target)


def _report(story: Story, seed: int, minutes: float, verdict: list[Flaw], trouble: str) -> bool:
    asked = evidence.journals(story.place.board.journals)
    waits = gaps.longest(story.hits, asked)
    tell("The longest waits of faults that were alone:")
    for wait in sorted((it for it in waits if it.hit.alone), key=lambda it: -it.ms)[:LONGEST]:
        hit = wait.hit
        tell(f"  {wait.ms:>6} ms at {wait.owner}: {hit.kind} of {hit.whom}, {gaps.clock(hit)}")
    rows = gaps.table(waits)
    tell(table(("fault", "hits", "median alone ms", "worst alone ms", "worst ms"), rows))
    flaws = story.flaws + verdict
    for one in flaws[:20]:
        tell(f"{one.kind}: {one.text}")
    faults = Counter(hit.kind for hit in story.hits)
    never = story.never_hit()
    kinds = Counter(one.kind for one in flaws)
    clean = not flaws and not trouble and not never
    told = {
        "seed": seed,
        "minutes": minutes,
        "acknowledged": sum(bool(one.answer) for one in asked),
        "lost": kinds["lost"],
        "doubled": kinds["doubled"],
        "flaws": dict(kinds),
        "faults": dict(sorted(faults.items())),
        "left_out": sorted(story.place.lacks),
        "missed": len(story.missed),
        "never_hit": never,
        "gaps_ms": {row[0]: {"median_alone": row[2], "worst": row[4]} for row in rows},
        "rounds": len(story.converged_s),
        "converged_s_worst": round(max(story.converged_s, default=0), 1),
        "ended_by_themselves": unexpected(story.place),
        "converged": not trouble,
        "trouble": trouble,
        "clean": clean,
    }
    print(json.dumps(told), flush=True)
    return clean
