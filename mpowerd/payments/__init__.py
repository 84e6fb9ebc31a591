"""Money over the counter: taken, cancelled, verified and posted to the heads."""
