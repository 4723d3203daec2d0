"""The embedded Postgres: its binaries, its data folder, and the process that supervises it."""
