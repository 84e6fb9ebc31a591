"""What the board works by, effective from a day."""
