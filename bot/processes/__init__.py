"""The processes: what runs, when, and how it is kept alive."""
