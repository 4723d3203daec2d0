"""Nothing to search: no document has been read yet, which is told apart from one that does not hold the answer.

Knows nothing about sources, nor about who may see what: documents that an asker may not see are documents.
"""

from collections.abc import Mapping

from store.database import Database
from store.index import documents

NO_DOCUMENTS = "no_documents"
"""Signal of an answer that was looked for before any document was there."""

TOLD = (
    "There are no documents yet, so I have nothing to answer from. To add some: threadwise ingest FOLDER, or a web"
    " address instead of the folder. Are they being read right now? Then ask again when threadwise sources lists them."
)


def signals(database: Database, workspace: str) -> dict[str, float]:
    """Give the signal that there is no document at all; nothing where there is one."""
    with database.reading() as connection:
        return {} if documents.is_any(connection, workspace) else {NO_DOCUMENTS: 1.0}


def told(given: Mapping[str, float], otherwise: str) -> str:
    """Say that there are no documents, where these signals of an answer say so."""
    return TOLD if NO_DOCUMENTS in given else otherwise
