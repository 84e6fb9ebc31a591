"""Cheques, drafts and postal orders that came back: dishonour, its charge, the bar, the notice."""
