"""The audit: links in a few chains, written in the transaction they speak of, and their proof."""
