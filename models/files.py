"""A model's files: where they are wrong, and by which hashes they are known.

Knows nothing about what the models are, nor where their files come from.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

WEIGHTS = "model.safetensors"

READABLE = 0o644
"""Of weights that are written: safetensors lets only their writer read them, and a worker may run as another."""


class ModelError(Exception):
    """A model cannot be used; the message says which one and what to do."""


def sha256(file: Path) -> str:
    """Give the SHA-256 of a file as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check(folder: Path, expected: Mapping[str, str], cure: str) -> None:
    """Raise ModelError with the cure unless each named file of `folder` has the expected SHA-256."""
    for name, digest in expected.items():
        file = folder / name
        if not file.is_file() or sha256(file) != digest:
            raise ModelError(f"{file} is missing or damaged. {cure}")


def hashes(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of every file under a folder, by its path in it."""
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): sha256(file) for file in found}


def weights_digest(folder: Path) -> str:
    """Give one hash for all weights of a model; raises ModelError where there are none in safetensors."""
    digests = [sha256(file) for file in sorted(folder.rglob("*.safetensors"))]
    if not digests:
        raise ModelError(f"{folder} holds no .safetensors weights. Save the model in that format.")
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def read_json(file: Path) -> dict[str, object]:
    """Read a JSON object; nothing where there is no such file. Raises ModelError when it is none."""
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{file} cannot be read ({error}). Save the model again.") from error
    if not isinstance(found, dict):
        raise ModelError(f"{file} is no JSON object. Save the model again.")
    return found
