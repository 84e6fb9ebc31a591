"""Receipts written on paper while the line was down, entered later from their books."""
