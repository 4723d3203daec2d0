"""PDF to Markdown by where the characters stand on the page."""

from ingest.parsing.pdf.document import LOCKED, read

__all__ = ["LOCKED", "read"]
