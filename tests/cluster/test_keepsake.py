"""What a node remembers of itself: never lower, never another node's, never half."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cluster.durable import NotOursError
from cluster.keepsake import FILE_NAME, Keepsake, Kept
from tests.cluster.first_record import FIRST


def reopened(folder: Path, cluster: str = "demo", node: str = "a") -> Kept:
    keepsake = Keepsake(folder, cluster, node)
    keepsake.close()
    return keepsake.kept


def test_everything_kept_is_there_in_the_next_life(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    keepsake.keep_epoch(12, 1)
    keepsake.keep_token(3)
    keepsake.keep_claim("claim-1")
    keepsake.begin_copy(torn=False)
    keepsake.close()
    assert reopened(tmp_path) == Kept(
        cluster="demo", node="a", incarnation=1, epoch=12, token=3, claim="claim-1", rejoining=True
    )


def test_epoch_and_incarnation_never_go_down(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    keepsake.keep_epoch(12, 1)
    keepsake.keep_epoch(11, 1)
    assert keepsake.kept.epoch == 12
    keepsake.keep_epoch(2, 2)
    keepsake.keep_epoch(99, 1)
    assert (keepsake.kept.incarnation, keepsake.kept.epoch) == (2, 2)
    keepsake.close()


@pytest.mark.parametrize(("cluster", "node"), [("other", "a"), ("demo", "b")])
def test_another_node_s_keepsake_is_refused(tmp_path: Path, cluster: str, node: str) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    keepsake.keep_epoch(1, 1)
    keepsake.close()
    with pytest.raises(NotOursError, match="belongs to node a of cluster demo"):
        reopened(tmp_path, cluster, node)
    assert reopened(tmp_path).epoch == 1, "a refusal gives the folder back"


def test_a_torn_keepsake_is_refused(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    keepsake.keep_epoch(1, 1)
    keepsake.close()
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(NotOursError, match="torn"):
        reopened(tmp_path)


def test_a_clone_forgets_what_belonged_to_the_data_it_replaced(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    keepsake.keep_epoch(12, 1)
    keepsake.keep_token(3)
    keepsake.keep_claim("claim-1")
    keepsake.begin_copy(torn=False)
    keepsake.end_copy()
    assert (keepsake.kept.token, keepsake.kept.claim, keepsake.kept.rejoining) == (0, "", True)
    keepsake.keep_token(4)
    assert (keepsake.kept.token, keepsake.kept.rejoining, keepsake.kept.epoch) == (4, False, 12)
    keepsake.close()


def test_a_torn_copy_stays_torn_until_another_stands(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    keepsake.begin_copy(torn=True)
    keepsake.begin_copy(torn=False)
    keepsake.close()
    keepsake = Keepsake(tmp_path, "demo", "a")
    assert (keepsake.kept.torn, keepsake.kept.rejoining) == (True, True)
    keepsake.end_copy()
    assert (keepsake.kept.torn, keepsake.kept.rejoining) == (False, True)
    keepsake.close()


def test_a_start_is_unproven_until_it_is_proven_or_replaced(tmp_path: Path) -> None:
    for ends in (Keepsake.prove, Keepsake.end_copy):
        keepsake = Keepsake(tmp_path, "demo", "a")
        keepsake.begin_life()
        keepsake.close()
        assert reopened(tmp_path).unproven
        keepsake = Keepsake(tmp_path, "demo", "a")
        ends(keepsake)
        keepsake.close()
        assert not reopened(tmp_path).unproven


def test_where_a_start_began_is_kept_until_it_was_far_enough_or_replaced(tmp_path: Path) -> None:
    """A copy that was set back grows with every start; the first tells how far it reached."""
    for ends in (Keepsake.found_whole, Keepsake.end_copy):
        keepsake = Keepsake(tmp_path, "demo", "a")
        assert keepsake.keep_began(500) == 500
        keepsake.close()
        keepsake = Keepsake(tmp_path, "demo", "a")
        assert (keepsake.keep_began(900), keepsake.keep_began(300)) == (500, 300)
        keepsake.begin_life()
        keepsake.prove()
        assert keepsake.keep_began(900) == 300, "a fence is no proof of length"
        ends(keepsake)
        assert keepsake.keep_began(900) == 900
        ends(keepsake)
        keepsake.close()


def test_two_threads_write_one_after_the_other(tmp_path: Path) -> None:
    keepsake = Keepsake(tmp_path, "demo", "a")
    with ThreadPoolExecutor(4) as threads:
        works = [threads.submit(keepsake.keep_epoch, n, 1) for n in range(1, 60)]
        works += [threads.submit(keepsake.keep_claim, f"claim-{n}") for n in range(60)]
        for work in works:
            work.result()
    keepsake.close()
    assert reopened(tmp_path) == keepsake.kept
    assert keepsake.kept.epoch == 59


def test_a_new_incarnation_without_us_leaves_its_mark_in_the_same_write(tmp_path: Path) -> None:
    first = Keepsake(tmp_path, "demo", "a")
    first.keep_epoch(50, 1)
    first.keep_epoch(9, 2, FIRST, excluded=True)
    first.close()
    kept = Keepsake(tmp_path, "demo", "a").kept
    assert (kept.incarnation, kept.epoch, kept.rejoining, kept.record) == (2, 9, True, FIRST)
