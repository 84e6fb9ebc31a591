"""What goes wrong, one file for each place where it does; ``kinds`` is the list."""
