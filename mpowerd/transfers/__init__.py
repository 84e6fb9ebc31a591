"""Money moved after it was posted: between consumers, out of suspense, up to head office, back."""
