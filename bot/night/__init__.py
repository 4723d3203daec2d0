"""The night: fit each part to people's votes, and let only what is better serve."""
