"""The reader: where in a passage the answer stands, whether it stands there at all, and how it is trained."""
