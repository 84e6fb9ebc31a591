"""The people beside the pair: they empty a folder whose small file is torn, and rebuild a lost
arbiter with both nodes' consent, by the verbs. They act on what the nodes know, never on what is
true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from protocols.peer import Record
from tests.simulation.disk import Disk

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.scenario import Scenario

LOOKS_S: Final = 0.5
"""Between two looks at the pair."""


class Operators:
    """Of one run."""

    def __init__(self, run: Scenario) -> None:
        self.run = run

    def look(self, *, peace: bool = False) -> None:
        """Now and then: a pair that has paused itself is resumed, in the end any that is paused."""
        run = self.run
        record = run.checks.record
        if record is not None and record.paused and (peace or record.capped):
            for node in run.nodes.values():
                if peace or run.world.chance(0.2):
                    run.ask(node, "resume")
        if record is not None and peace and (record.strict or record.maintenance):
            for node in run.nodes.values():
                if record.strict:  # one thing at a time: a node that asks the arbiter is busy
                    run.ask(node, "strict", to="off")
                else:
                    run.ask(node, "maintenance", node=record.maintenance, to="off")
        run.world.after(LOOKS_S, lambda: self.look(peace=peace))

    def mend(self, node: Node) -> None:
        """Somebody called for a daemon that does not start; it may have been seen to meanwhile."""
        if node.disk.broken:
            self.reinit(node)

    def reinit(self, node: Node) -> None:
        """The daemon does not start on its small file: folder and file are emptied; it clones."""
        self.run.world.note(f"{node.name} is emptied by a person")
        if node.postgres.up:
            node.postgres.stop()
        node.postgres.empty()
        node.disk = Disk()
        self.run.start(node)

    def rebuild_arbiter(self, *, begun: bool = False) -> None:
        """A new witness on an empty folder; both nodes agree, and who knows most proposes. Asked
        again until the record is there.
        """
        run = self.run
        if not run.budget.arbiter_lost:
            return
        record = self._consented()
        if record is not None and not begun:
            run.witness.begin_anew()
            begun = True
        elif record is not None:
            nodes = list(run.nodes.values())
            epoch = max(record.epoch, *(node.disk.kept.epoch for node in nodes))
            for node in nodes:
                run.ask(node, "adopt")
            proposer = next(node for node in nodes if _knows(node) == record)
            run.ask(proposer, "rebuild", consented=",".join(run.nodes), epoch=str(epoch))
        run.world.after(LOOKS_S, lambda: self.rebuild_arbiter(begun=begun))

    def rebuilt(self) -> None:
        """The record is there."""
        self.run.world.hit["arbiter rebuilt"] += 1
        self.run.budget.arbiter_lost = False

    def _consented(self) -> Record | None:
        """Both daemons run, and one of them knows the latest record either kept."""
        nodes = list(self.run.nodes.values())
        if not all(node.alive and node.frozen is None for node in nodes):
            return None
        known = [one for one in map(_knows, nodes) if one is not None]
        kept = [one for one in (node.disk.kept.record for node in nodes) if one is not None]
        newest = max(known, key=_late, default=None)
        return newest if newest and all(_late(newest) >= _late(one) for one in kept) else None


def _late(record: Record) -> tuple[int, int]:
    """By the term first: on a rolled-back file an old record may have been bumped past the new."""
    return record.term, record.epoch


def _knows(node: Node) -> Record | None:
    """The record that this daemon has read, or kept from an earlier life."""
    mind = node.mind
    return mind.record if mind.record is not None else mind.disk.record
