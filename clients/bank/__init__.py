"""A bank's side: scrolls of payments, posted whole or refused whole."""
