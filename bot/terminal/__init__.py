"""The conversation and the tables in a terminal, and the JSON that other programs read."""
