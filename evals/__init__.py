"""Is it any good? Metrics, scorecards, and a small corpus with questions of our own."""
