"""Bank links: a scroll posted whole or refused whole."""
