"""The business day that gives every receipt its date and financial year."""
