"""What a training said about each of its rows by a fit that had not seen the row.

Knows nothing about training. Two trainings are compared by it, row by row, without training again.
Rows are kept by a hash of their text, so that nobody's words lie in a model's folder.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

FILE = "held_out.json"
DIGITS = 16


def key(text: str) -> str:
    """Give what stands for a text: the same but for case and spaces is the same text."""
    folded = " ".join(text.casefold().split())
    return hashlib.sha256(folded.encode("utf-8", "replace")).hexdigest()[:DIGITS]


def write(folder: Path, rows: Iterable[str], told: Mapping[str, str]) -> None:
    """Write what was `told` about texts; rows that no fit left out, or out of scope, get none."""
    found = {key(text): told.get(text) for text in rows}
    (folder / FILE).write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, str | None]:
    """Give the intent told per key, None where none was; {} for a version that was kept without."""
    file = folder / FILE
    if not file.is_file():
        return {}
    found: dict[str, str | None] = json.loads(file.read_text(encoding="utf-8"))
    return found
