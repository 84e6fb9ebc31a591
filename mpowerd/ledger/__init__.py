"""The ledger: keys with their one outcome, accounts, entries, and the proof that every balance is
the sum of its entries.
"""
