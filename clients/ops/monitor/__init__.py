"""``mpower monitor``: the live heartbeat of the pair."""
