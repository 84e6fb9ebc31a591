"""Writes the manual's page of alarms from the runbook: ``python -m tests.protocols.alarms``."""

from pathlib import Path

from protocols.runbook import manual_page

PAGE = Path(__file__).parents[2] / "docs" / "operator" / "alarms.md"

if __name__ == "__main__":
    PAGE.write_text(manual_page(), encoding="utf-8")
