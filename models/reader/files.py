"""A reader on disk: its adapter or prompts and its heads in 16 bits, and what they were made of and from.

Knows nothing about training or about who reads. The encoder's own weights are not kept again: they are named by
their hash.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForQuestionAnswering
from transformers.utils import logging as transformers_logging

from models.embedder import TOKENIZER, packaged_folder
from models.files import READABLE, WEIGHTS, ModelError, sha256
from models.reader import adapter, prompts
from models.reader.adapter import Adapter
from models.reader.codec import PairCodec
from models.reader.network import JointReader, SpanReader
from models.reader.prompts import Prompted

CHANGES, MADE = "reader.safetensors", "reader.json"
ADAPTED, CHANGED, HEADS, PROMPTED = "adapter.", "encoder.", "heads.", "prompts."


@dataclass(frozen=True, slots=True)
class Origin:
    """How a reader was made: `base` is the SHA-256 of the encoder's weights; the rest is for its card."""

    base: str
    scale: float = 0.0
    trained_on: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def fresh(base: Path, seed: int = 0) -> tuple[JointReader, PairCodec]:
    """Build a reader with untrained heads, drawn by the seed, over the encoder in a folder."""
    torch.manual_seed(seed)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    encoder = AutoModel.from_pretrained(base, local_files_only=True, add_pooling_layer=False)
    codec = PairCodec(base / TOKENIZER)
    return JointReader(encoder, encoder.config.hidden_size, codec.separator), codec


def save(
    network: JointReader, origin: Origin, folder: Path, *, before: Adapter | None = None
) -> None:
    """Write a trained reader: what was trained of its encoder, which is all of it without adapter or prompts.

    `before` is an adapter that was in the encoder's weights when the training began.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{HEADS}{name}": weight for name, weight in network.heads().items()}
    adapted = adapter.of(network.encoder)
    if before is not None:
        adapted = adapter.summed(before, adapted)
    if isinstance(network.encoder, Prompted):
        tensors[f"{PROMPTED}weight"] = network.encoder.prompts.weight
    elif adapted.weights:
        tensors |= {f"{ADAPTED}{name}": weight for name, weight in adapter.named(adapted).items()}
    else:
        whole = network.encoder.state_dict()
        tensors |= {f"{CHANGED}{name}": weight for name, weight in whole.items()}
    kept = {name: t.detach().to(torch.float16).contiguous() for name, t in tensors.items()}
    save_file(kept, folder / CHANGES)
    (folder / CHANGES).chmod(READABLE)
    made = {
        "base": origin.base,
        "scale": adapted.scale if adapted.weights else 0.0,
        "trained_on": dict(origin.trained_on),
        "facts": dict(origin.facts),
        "sha256": sha256(folder / CHANGES),
    }
    (folder / MADE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def origin(folder: Path) -> Origin:
    """Read how a reader was made; raises ModelError."""
    made = _made(folder)
    return Origin(made["base"], made["scale"], made["trained_on"], made["facts"])


def adapter_of(folder: Path) -> Adapter:
    """Read a reader's adapter; raises ModelError where it has none."""
    made = _made(folder)
    kept = {
        name.removeprefix(ADAPTED): tensor
        for name, tensor in load_file(folder / CHANGES).items()
        if name.startswith(ADAPTED)
    }
    if not kept:
        raise ModelError(f"The reader {folder} has no adapter, which alone can be trained further.")
    return adapter.read(kept, made["scale"])


def note(folder: Path, facts: Mapping[str, Any]) -> None:
    """Add facts to those that are kept of a reader; raises ModelError where it was not trained here."""
    made = _made(folder)
    made["facts"] |= facts
    (folder / MADE).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def load(folder: Path, base: Path | None = None) -> tuple[torch.nn.Module, PairCodec, str]:
    """Load a reader: its network, its codec and its name, which ends in its weights' hash.

    Without `base` it is built on the packaged encoder. Raises ModelError when files are missing or damaged, or
    were made for another encoder.
    """
    if not folder.is_dir():
        raise ModelError(f"There is no folder {folder}. Name the folder of a reader.")
    if not (folder / MADE).is_file():
        return _foreign(folder)
    made, base = _made(folder), base or packaged_folder()
    file = folder / CHANGES
    if not file.is_file() or sha256(file) != made["sha256"]:
        raise ModelError(f"{file} is missing or damaged. Get it again, or train another reader.")
    if sha256(base / WEIGHTS) != made["base"]:
        raise ModelError(f"The reader {folder} was trained on another encoder than {base}.")
    network, codec = fresh(base)
    try:
        _put(network, load_file(file), made["scale"])
    except (AttributeError, RuntimeError) as error:
        raise ModelError(f"The reader {folder} does not fit its encoder ({error}).") from error
    return network.eval(), codec, f"{folder.resolve().name}@{made['sha256'][:8]}"


def _put(network: JointReader, tensors: Mapping[str, torch.Tensor], scale: float) -> None:
    heads, adapted, whole, learned = (
        {name.removeprefix(kind): t.float() for name, t in tensors.items() if name.startswith(kind)}
        for kind in (HEADS, ADAPTED, CHANGED, PROMPTED)
    )
    if whole:
        network.encoder.load_state_dict(whole)
    adapter.merge(network.encoder, adapter.read(adapted, scale))
    network.load_state_dict(heads, strict=False)
    if learned:
        network.encoder = prompts.loaded(network.encoder, learned["weight"])


def _foreign(folder: Path) -> tuple[torch.nn.Module, PairCodec, str]:
    """Load somebody's model for question answering."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model = AutoModelForQuestionAnswering.from_pretrained(folder, local_files_only=True)
        codec = PairCodec(folder / TOKENIZER)
        digest = sha256(folder / WEIGHTS)
        network = SpanReader(
            model, codec.separator, has_types=getattr(config, "type_vocab_size", 0) > 1
        )
    except Exception as error:
        raise ModelError(
            f"No reader could be loaded from {folder} ({error}). It must be a folder that"
            " threadwise reader train wrote, or a model for question answering with tokenizer.json"
            " and model.safetensors."
        ) from error
    return network.eval(), codec, f"{folder.resolve().name}@{digest[:8]}"


def _made(folder: Path) -> dict[str, Any]:
    """Read what is kept beside the weights; raises ModelError where it is not as `save` writes it."""
    file = folder / MADE
    try:
        made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        kinds = {"base": str, "scale": float, "trained_on": dict, "facts": dict, "sha256": str}
        if wrong := [name for name, kind in kinds.items() if not isinstance(made[name], kind)]:
            raise TypeError(f"{', '.join(wrong)} of another kind")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{file} is missing or damaged ({type(error).__name__} {error}). Get it again, or train"
            " another reader."
        ) from error
    return made
