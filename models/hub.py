"""Models by name: a folder as it is, or a hub's model that is downloaded once and then stays as it was.

Knows nothing about what runs them. What was downloaded is kept with its revision and the hash of every file,
so that it never changes by itself; code that comes with a model is not downloaded.
"""

import fcntl
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models import files
from models.files import ModelError

PIN = "pinned.json"
"""Beside the files: the name, the revision, and the hashes."""

FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is downloaded of a model: settings, vocabularies and weights. No Python, no pickles."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?(?:@[\w./-]+)?")

Download = Callable[[str, str | None, Path], str]
"""Puts a model (name, revision or None for the newest) into a folder; gives the revision that it is."""


@dataclass(frozen=True, slots=True)
class Hub:
    """The models that were downloaded, under `root`; nothing new is where `is_offline`."""

    root: Path
    is_offline: bool = True
    download: Download | None = None
    """What downloads; huggingface_hub where none is given."""

    def folder(self, name: str) -> Path:
        """Give the folder of a model: `name` itself where it is one, else what was downloaded by that name
        (OWNER/NAME or OWNER/NAME@REVISION), which happens now if it must.

        Several processes wait for the one that downloads. Raises ModelError.
        """
        if Path(name).expanduser().is_dir():
            return Path(name).expanduser()
        if not _NAME.fullmatch(name) or ".." in name:
            raise ModelError(
                f"There is no model folder {name}, and it is no name of a model hub such as"
                " sentence-transformers/all-mpnet-base-v2."
            )
        place = self.root / name.replace("/", "--")
        if not (place / PIN).is_file():
            self._fetch(name, place)
        return _checked(place)

    def _fetch(self, name: str, place: Path) -> None:
        if self.is_offline:
            raise ModelError(
                f"The model {name} is not on this machine, and HF_HUB_OFFLINE forbids to download it."
                " Set that to 0 once, or name the folder of a model that was saved elsewhere."
            )
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (place / PIN).is_file():
                return
            with tempfile.TemporaryDirectory(dir=self.root, prefix=".downloading-") as made:
                out = Path(made) / "model"
                out.mkdir()
                self._fill(name, out)
                shutil.rmtree(place, ignore_errors=True)
                out.rename(place)

    def _fill(self, name: str, out: Path) -> None:
        repository, _, revision = name.partition("@")
        try:
            found = (self.download or _from_hub)(repository, revision or None, out)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0][:200] or type(error).__name__
            raise ModelError(
                f"There is no model folder {name}, and it could not be downloaded by that name"
                f" ({reason}). Check the name and the network, or name the folder of a model that was"
                " saved elsewhere."
            ) from error
        shutil.rmtree(out / ".cache", ignore_errors=True)  # of huggingface_hub's own
        files.weights_digest(out)
        pin = {"name": repository, "revision": found, "sha256": files.hashes(out)}
        (out / PIN).write_text(json.dumps(pin, indent=1) + "\n", encoding="utf-8")


def _checked(place: Path) -> Path:
    """Give the folder, every file of it as it was downloaded."""
    pin = files.read_json(place / PIN)
    hashes = pin.get("sha256")
    cure = f"Delete {place} to download it again."
    if not isinstance(hashes, dict):
        raise ModelError(f"{place / PIN} is damaged. {cure}")
    files.check(place, {str(name): str(digest) for name, digest in hashes.items()}, cure)
    return place


def _from_hub(name: str, revision: str | None, out: Path) -> str:
    from huggingface_hub import HfApi, snapshot_download

    with _allowed():
        found = HfApi().model_info(name, revision=revision, timeout=20).sha
        if found is None:
            raise ModelError(f"The hub tells no revision of {name}")
        snapshot_download(name, revision=found, allow_patterns=FILES, local_dir=out)
    return found


@contextmanager
def _allowed() -> Iterator[None]:
    """Let huggingface_hub ask its hub for as long as something is downloaded on purpose.

    Elsewhere in this process it may not (bot/cli/main.py): no library that loads a model is to ask for news.
    """
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
