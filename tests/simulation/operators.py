"""The people beside the pair: they empty a folder whose small file is torn, and rebuild a lost
arbiter with both nodes' consent. They act on what the nodes know, never on what is true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cluster import record as records
from protocols.peer import Record
from tests.simulation.disk import Disk

if TYPE_CHECKING:
    from tests.simulation.node import Node
    from tests.simulation.scenario import Scenario

LOOKS_S: Final = 0.5
"""Between two looks at the pair."""
LOOKS: Final = 20
"""After so many they take the record from the nodes' logs, which have every one that was acted on.
"""


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

    def reinit(self, node: Node) -> None:
        """The daemon does not start on its small file: folder and file are emptied; it clones."""
        self.run.world.note(f"{node.name} is emptied by a person")
        if node.postgres.up:
            node.postgres.stop()
        node.postgres.empty()
        node.disk = Disk()
        self.run.start(node)

    def rebuild_arbiter(self, looked: int = 1) -> None:
        """A new arbiter with the newest record that the nodes know, as a new incarnation."""
        run = self.run
        record = self._consented()
        if record is None and looked >= LOOKS:
            record = run.checks.record
        if record is None:
            run.world.after(LOOKS_S, self.rebuild_arbiter, looked + 1)
            return
        nodes = run.nodes.values()
        epoch = max(record.epoch, *(node.disk.kept.epoch for node in nodes)) + 1
        seen = [one.mind.vouched[1] for one in nodes if one.mind.vouched[0] == record.sync_gen]
        rebuilt = records.rebuilt(
            record,
            "a person",
            f"rebuilt-{epoch}",
            consented=tuple(sorted(run.nodes)),
            epoch=epoch,
            held_lsn=max(seen, default=0),
        )
        run.world.hit["arbiter rebuilt"] += 1
        run.checks.on_rebuilt(rebuilt)
        run.witness.rebuild(rebuilt)
        run.budget.arbiter_lost = False

    def _consented(self) -> Record | None:
        """Both daemons run, and one of them knows the record of the highest epoch either kept."""
        nodes = list(self.run.nodes.values())
        if not all(node.alive and node.frozen is None for node in nodes):
            return None
        known = [node.mind.record for node in nodes if node.mind.record is not None]
        kept = max(node.disk.kept.epoch for node in nodes)
        # by the term first: on a rolled-back file an old record may have been bumped past the new
        newest = max(known, key=lambda one: (one.term, one.epoch), default=None)
        return newest if newest is not None and newest.epoch >= kept else None
