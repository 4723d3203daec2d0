"""Answering: what a message is, what the documents say to it, and whether to say so."""
