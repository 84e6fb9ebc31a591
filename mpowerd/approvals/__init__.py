"""Four eyes: requests that wait for a second person, and what is done upon them."""
