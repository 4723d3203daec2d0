"""Looks at strangers' text for a source: in the parser's child, which a run gives it.

Without one, as where a source is opened by itself, it looks here.
"""

from collections.abc import Mapping

from ingest.entries import Source
from ingest.parsing import looks


def looked(source: Source, what: str, data: bytes, address: str = "") -> Mapping[str, object]:
    """Look at bytes, see ingest.parsing.looks; raises Unreadable."""
    return (source.look or looks.look)(what, data, address)
