"""What a person should know of a terminal's line, in words. Not how the line is kept."""

from __future__ import annotations

from msgspec import Struct

from protocols import desk


class Standing(Struct, frozen=True):
    """What a person should know of the line: where it stands, which node is home, how many intents
    wait, the last trouble.
    """

    state: desk.State
    node: str
    pending: int
    trouble: str = ""

    def __str__(self) -> str:
        if self.pending and self.state is not desk.State.READY:
            return f"saved, confirming… ({self.pending} waiting)"
        return f"{self.state.value}{f' at {self.node}' if self.node else ''}"
