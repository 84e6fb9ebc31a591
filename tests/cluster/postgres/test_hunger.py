"""Hunger of the machine told from a server that stands still, over a /proc made by hand."""

from pathlib import Path

import pytest

from cluster.postgres.hunger import Hunger, parse_pressure, state_of
from tests.postgres_nodes import on_reactor

POSTMASTER, BACKEND = 100, 101


class Machine:
    """A /proc with these pressures and processes."""

    def __init__(self, proc: Path) -> None:
        self.proc = proc
        self.now_s = 0.0
        (proc / "pressure").mkdir()
        self.presses()
        self.stands(POSTMASTER, "S")
        self.stands(BACKEND, "R")
        self.hunger = Hunger(lambda: POSTMASTER, proc, lambda: self.now_s)

    def presses(self, cpu_s: float = 0.0, io_s: float = 0.0, cpu_percent: float = 0.0) -> None:
        for name, total_s, share in (("cpu", cpu_s, cpu_percent), ("io", io_s, 0.0)):
            text = f"some avg10={share:.2f} avg60=0.00 avg300=0.00 total={total_s * 1e6:.0f}\n"
            (self.proc / "pressure" / name).write_text(text + text.replace("some", "full"))

    def stands(self, pid: int, state: str) -> None:
        (self.proc / str(pid)).mkdir(exist_ok=True)
        (self.proc / str(pid) / "stat").write_text(f"{pid} (post gres) D) {state} 1 2 3")

    async def explains(self, **pressed: float) -> bool:
        before = self.hunger.read()
        self.now_s += 1.0
        self.presses(**pressed)
        return await self.hunger.explains(before, BACKEND)


def test_the_kernels_line_is_read() -> None:
    line = "some avg10=31.50 avg60=0.05 avg300=0.33 total=2500000\nfull avg10=0.00 total=0\n"
    assert parse_pressure(line) == (0.315, 2.5)


def test_a_name_with_brackets_hides_no_state(tmp_path: Path) -> None:
    Machine(tmp_path)
    assert (state_of(BACKEND, tmp_path), state_of(7, tmp_path)) == ("R", "")


@on_reactor
async def test_a_saturated_second_is_hunger_at_once_and_a_calm_one_is_not(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert await machine.explains(cpu_s=0.9)
    assert not await machine.explains(cpu_s=1.0)
    assert await machine.explains(cpu_s=1.0, io_s=0.5)
    assert await machine.explains(cpu_s=1.0, io_s=0.5, cpu_percent=45.0)


@on_reactor
@pytest.mark.parametrize("pid", [POSTMASTER, BACKEND])
@pytest.mark.parametrize("state", ["T", "D"])
async def test_what_stands_still_is_not_starved(tmp_path: Path, pid: int, state: str) -> None:
    machine = Machine(tmp_path)
    machine.stands(pid, state)
    assert not await machine.explains(cpu_s=0.9)


@on_reactor
async def test_a_kernel_that_does_not_count_explains_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    before = machine.hunger.read()
    (tmp_path / "pressure" / "io").unlink()
    assert not await machine.hunger.explains(before, BACKEND)
    assert not await machine.hunger.explains(None, BACKEND)
