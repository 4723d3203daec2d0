"""Learning: what votes, labels and examples change, and the night that decides on it."""
