"""The ledger: keys with their one outcome, accounts, entries, and the proof and reading of them."""
