"""Which embedder: the one that is set, and the one that made the vectors which are served now.

Models are imported when one is loaded: with torch that takes seconds.
"""

import importlib
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from models.embedder import Embedder


def configured(settings: Settings) -> "Embedder":
    """Load the embedder of the settings; raises models.embedder.ModelError."""
    return _load(settings, settings.embedder, settings.runtime)


def named(settings: Settings, name: str) -> "Embedder | None":
    """Load the embedder whose vectors bear this name: the model of the settings or the packaged
    one, run either way. None when it is neither, or is not to be had."""
    from models import embedder
    from models.onnx import load as onnx_embedder

    for path in dict.fromkeys((settings.embedder, None)):
        try:
            base = embedder.find(path)[1]
            for runtime, known in (("torch", base), ("onnx", onnx_embedder.named(base))):
                if known == name:
                    return _load(settings, path, runtime)
        except embedder.ModelError:
            continue
    return None


def _load(settings: Settings, path: str | None, runtime: str) -> "Embedder":
    if runtime == "onnx":
        from models.onnx import load as onnx_embedder

        root = settings.home / "models" / "onnx"
        return onnx_embedder.load(path, root=root, threads=settings.threads)
    from models import embedder

    return embedder.load(path, threads=settings.threads)


def preload() -> None:
    """Import what loading the embedder of the settings will need, which takes most of the time."""
    with suppress(SettingsError):  # the command that is run beside this says it
        is_onnx = load().runtime == "onnx"
        importlib.import_module("models.onnx.load" if is_onnx else "sentence_transformers")
