"""Bytes to Markdown: one file a format, run in a child process with limits."""
