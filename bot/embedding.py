"""Which models: the encoder that is set, the one that made the vectors which are served now, and what may
stand beside it, a second encoder, a reranker and a reader.

Models are imported when one is loaded: with torch that takes seconds.
"""

import importlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from models.embedder import Embedder
    from models.hub import Hub
    from models.reader.reader import Reader
    from models.reranker import Reranker

SECOND = ("all-mpnet-base-v2", "sentence-transformers/all-mpnet-base-v2")
"""The second encoder of THREADWISE_MODELS=better: out of packages, or the same files from a hub."""

RERANKER = ("cross-encoder/ms-marco-MiniLM-L6-v2",)
"""The reranker of THREADWISE_MODELS=better, which no package brings."""

log = logging.getLogger(__name__)

T = TypeVar("T")


def configured(settings: Settings) -> "Embedder":
    """Load the embedder of the settings; raises models.files.ModelError."""
    return any_embedder(settings, settings.embedder)


def any_embedder(settings: Settings, name: str | None, runtime: str | None = None) -> "Embedder":
    """Load an embedder by its folder or name, None for the packaged one; raises models.files.ModelError."""
    if (runtime or settings.runtime) == "onnx":
        from models.onnx import load as onnx_embedder

        root = settings.home / "models" / "onnx"
        return onnx_embedder.load(name, root=root, hub=hub(settings), threads=settings.threads)
    from models import embedder

    return embedder.load(name, hub=hub(settings), threads=settings.threads)


def wants_second(settings: Settings) -> bool:
    """Tell whether the settings name a second encoder, without looking for it."""
    return bool(settings.second_embedder) or settings.models == "better"


def any_model(settings: Settings, name: str) -> "Embedder | Reranker":
    """Load a model by its folder or name, whichever of the two it is; raises models.files.ModelError."""
    from models import reranker

    if reranker.is_one(folder(settings, name)):
        return _reranker(settings, name)
    return any_embedder(settings, name)


def second(settings: Settings) -> "Embedder | None":
    """Load the encoder that is used beside the first, None where there is none.

    One that is set has to be there, or models.files.ModelError is raised; of a profile's, one line says that
    it is left out.
    """
    if settings.second_embedder:
        return any_embedder(settings, settings.second_embedder)
    names = SECOND if wants_second(settings) else ()
    return _first(names, lambda name: any_embedder(settings, name), "second_embedder")


def reranker(settings: Settings) -> "Reranker | None":
    """Load the reranker, None where there is none; fails and is left out as `second` is."""
    if settings.reranker:
        return _reranker(settings, settings.reranker)
    names = RERANKER if settings.models == "better" else ()
    return _first(names, lambda name: _reranker(settings, name), "reranker")


def reader(settings: Settings) -> "Reader | None":
    """Load the reader, None where there is none; raises models.files.ModelError."""
    if settings.reader in (None, "off"):
        return None
    from models.reader import reader

    is_onnx = settings.runtime == "onnx"
    return reader.load(
        folder(settings, str(settings.reader)),
        threads=settings.threads,
        exports=settings.home / "models" / "onnx" if is_onnx else None,
    )


def hub(settings: Settings) -> "Hub":
    """Give the models that were downloaded or unpacked for this installation."""
    from models.hub import Hub

    return Hub(settings.home / "models" / "hub", settings.hub_offline)


def folder(settings: Settings, name: str) -> Path:
    """Give the folder of a model by its folder or name; raises models.files.ModelError."""
    from models import embedder

    return embedder.folder_of(name, hub(settings))


def named(settings: Settings, name: str) -> "Embedder | None":
    """Load the embedder whose vectors bear this name: the model of the settings or the packaged
    one, run either way. None when it is neither, or is not to be had."""
    from models import embedder
    from models.files import ModelError
    from models.onnx import load as onnx_embedder

    for path in dict.fromkeys((settings.embedder, None)):
        try:
            base = embedder.find(path, hub(settings))[1]
            for runtime, known in (("torch", base), ("onnx", onnx_embedder.named(base))):
                if known == name:
                    return any_embedder(settings, path, runtime)
        except ModelError:
            continue
    return None


def _reranker(settings: Settings, name: str) -> "Reranker":
    from models import reranker

    return reranker.load(name, hub=hub(settings))


def _first(names: Sequence[str], load_one: Callable[[str], T], part: str) -> T | None:
    """Load the first of these that is to be had; say in one line when none is."""
    from models.files import ModelError

    reason = ""
    for name in names:
        try:
            return load_one(name)
        except ModelError as error:
            reason = reason or str(error)
    if reason:
        log.warning("left_out part=%s reason=%s", part, reason)
    return None


def preload() -> None:
    """Import what loading the embedder of the settings will need, which takes most of the time."""
    with suppress(SettingsError):  # the command that is run beside this says it
        is_onnx = load().runtime == "onnx"
        importlib.import_module("models.onnx.load" if is_onnx else "sentence_transformers")
