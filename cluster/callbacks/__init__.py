"""The operator's own programs, run when something happens to this node."""
