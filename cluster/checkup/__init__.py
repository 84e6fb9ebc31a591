"""The check-up of one server before and while it runs: what is there, and what to do about it."""
