"""The people's side: the link to the pair, the counter, the bank, operators, the demo."""
