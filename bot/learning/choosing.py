"""What is looked at before an admin lets a version serve.

Knows nothing about who chooses, nor how.
"""

from pathlib import Path

from store.records import ModelVersion


def check_files(home: Path, version: ModelVersion) -> None:
    """Refuse a version whose files are damaged; raises models.shelf.ShelfError."""
    if version.path is not None:
        from bot.answering.classifier import root
        from models import shelf

        shelf.verify(root(home) / version.path)
