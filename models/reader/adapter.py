"""Low-rank changes of an encoder's weights (LoRA, Hu et al. 2021): a few MB instead of the whole encoder.

Knows nothing about heads or texts. peft trains them; to serve, they are added into the weights, which needs
no peft and costs no time.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from models.files import ModelError

LAYERS = ("query", "key", "value", "dense")
"""Linear layers that are adapted: all of a BERT encoder's."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """`weights` by the name of the adapted layer: (rank, inputs) `a` and (outputs, rank) `b`; `scale` of b @ a."""

    weights: Mapping[str, tuple[Tensor, Tensor]]
    scale: float


def wrapped(encoder: torch.nn.Module, rank: int, *, dropout: float = 0.0) -> torch.nn.Module:
    """Give the encoder with fresh adapters, which alone are trained; raises ModelError without peft."""
    try:
        from peft import LoraConfig, get_peft_model
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The package {error.name} is missing, which trains a reader."
            " Run: pip install -c constraints.txt -e '.[reader]'"
        ) from error

    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=dropout, target_modules=list(LAYERS)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it asks the encoder by an old name
        made: torch.nn.Module = get_peft_model(encoder, config)
    return made


def of(encoder: torch.nn.Module) -> Adapter:
    """Give the adapters of an encoder that `wrapped` made; none of any other."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, weight in encoder.state_dict().items():
        layer, marker, _ = name.removeprefix("base_model.model.").partition(".lora_")
        if marker:
            found.setdefault(layer, {})["a" if ".lora_A." in name else "b"] = weight.detach()
    return Adapter({layer: (pair["a"], pair["b"]) for layer, pair in found.items()}, 2.0)


def merge(encoder: torch.nn.Module, adapter: Adapter) -> None:
    """Add the adapters into the encoder's weights; raises KeyError or RuntimeError when they do not fit."""
    with torch.no_grad():
        for layer, (a, b) in adapter.weights.items():
            weight = encoder.get_parameter(f"{layer}.weight")
            weight.add_(b.float() @ a.float(), alpha=adapter.scale)


def summed(first: Adapter, second: Adapter) -> Adapter:
    """Give one adapter that changes as much as both together; its rank is the sum of theirs.

    Both have the same scale. Raises KeyError when they are of other layers.
    """
    return Adapter(
        {
            layer: (
                torch.cat([first.weights[layer][0].float(), a.float()]),
                torch.cat([first.weights[layer][1].float(), b.float()], 1),
            )
            for layer, (a, b) in second.weights.items()
        },
        second.scale,
    )


def named(adapter: Adapter) -> dict[str, Tensor]:
    """Give one tensor for each name, as they are kept in a file."""
    return {
        f"{layer}.{part}": tensor
        for layer, pair in adapter.weights.items()
        for part, tensor in zip("ab", pair, strict=True)
    }


def read(tensors: Mapping[str, Tensor], scale: float) -> Adapter:
    """Read what `named` gave."""
    layers = sorted({name[:-2] for name in tensors})
    return Adapter(
        {layer: (tensors[f"{layer}.a"], tensors[f"{layer}.b"]) for layer in layers}, scale
    )
