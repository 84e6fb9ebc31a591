"""Consumers: found, asked what they owe, loaded with their opening dues."""
