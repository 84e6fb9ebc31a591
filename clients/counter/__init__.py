"""The counter: a plain line-mode terminal for clerk and officer, by hand or over a pipe."""
