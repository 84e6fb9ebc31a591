"""A clerk's custody of a counter's money: opened, picked up, handed over, counted and closed."""
