"""Pulses: on time, lateness told and not added up, an error is a fault and the last beat."""

from twisted.internet.task import Clock

from cluster.pulse import Pulse


class Beating:
    def __init__(self, period_s: float = 0.25) -> None:
        self.clock = Clock()
        self.period_s = period_s
        self.beats: list[tuple[float, float]] = []
        self.faults: list[str] = []
        self.broken = False
        self.pulse = Pulse(
            "beat",
            self.clock,
            lambda: self.period_s,
            self.beat,
            lambda name, wrong: self.faults.append(f"{name}: {wrong}"),
        )
        self.pulse.start()

    def beat(self, late_s: float) -> None:
        if self.broken:
            raise ZeroDivisionError("planted")
        self.beats.append((round(self.clock.seconds(), 3), round(late_s, 3)))


def test_it_beats_every_period() -> None:
    one = Beating()
    for _ in range(8):
        one.clock.advance(0.125)
    assert one.beats == [(0.25, 0.0), (0.5, 0.0), (0.75, 0.0), (1.0, 0.0)]


def test_lateness_is_told_and_a_stall_is_not_made_up_for() -> None:
    one = Beating()
    one.clock.advance(5.0)
    one.clock.advance(0.25)
    assert one.beats[0] == (5.0, 4.75)
    assert len(one.beats) <= 3, "no burst of the beats that were missed"


def test_a_shorter_period_counts_at_once() -> None:
    one = Beating()
    one.clock.advance(0.05)
    one.period_s = 0.01
    one.pulse.hasten()
    one.clock.advance(0.01)
    assert one.beats == [(0.06, 0.0)]


def test_an_error_is_a_fault_and_the_last_beat() -> None:
    one = Beating()
    one.broken = True
    one.clock.advance(0.25)
    one.clock.advance(5.0)
    assert one.faults == ["beat: planted"]


def test_a_stopped_pulse_is_silent() -> None:
    one = Beating()
    one.pulse.stop()
    one.clock.advance(1.0)
    assert one.beats == []
    assert one.clock.getDelayedCalls() == []
