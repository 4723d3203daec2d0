"""Learned vectors before every pair, the encoder's own weights untouched (prompt tuning, Lester et al. 2021).

Knows nothing about heads or texts. A few kilobytes; what they are worth beside an adapter stands in LOG.md.
"""

import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from models.files import ModelError

TOKENS = 20
"""Learned vectors of a fresh encoder: the usual number (Lester et al. 2021 gained little from more)."""


class Prompted(torch.nn.Module):
    """An encoder that sees the same learned vectors before every pair; it gives nothing out for them."""

    def __init__(self, encoder: torch.nn.Module, prompts: torch.nn.Embedding) -> None:
        """Put `prompts`, as many as they are, before what the frozen `encoder` reads."""
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.prompts = prompts

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> BaseModelOutput:
        """Encode ids; the hidden states are those of the ids alone."""
        count, own = len(input_ids), self.prompts.num_embeddings
        words = self.encoder.get_input_embeddings()(input_ids)  # type: ignore[operator]
        before = self.prompts.weight[None].expand(count, -1, -1)
        ones = attention_mask.new_ones((count, own))
        hidden = self.encoder(
            inputs_embeds=torch.cat([before, words], 1),
            attention_mask=torch.cat([ones, attention_mask], 1),
            token_type_ids=torch.cat([torch.zeros_like(ones), token_type_ids], 1),
        ).last_hidden_state
        return BaseModelOutput(last_hidden_state=hidden[:, own:])


def wrapped(encoder: torch.nn.Module) -> Prompted:
    """Give the encoder with fresh prompts, drawn among its words; raises ModelError without peft."""
    try:
        from peft import PromptEmbedding, PromptTuningConfig
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The package {error.name} is missing, which trains a reader."
            " Run: pip install -c constraints.txt -e '.[reader]'"
        ) from error

    words = encoder.get_input_embeddings()  # type: ignore[operator]
    config = PromptTuningConfig(
        num_virtual_tokens=TOKENS,
        token_dim=words.embedding_dim,
        num_transformer_submodules=1,
        prompt_tuning_init="SAMPLE_VOCAB",
    )
    fresh = PromptEmbedding(config, words)
    return Prompted(encoder, fresh.embedding)


def loaded(encoder: torch.nn.Module, weight: Tensor) -> Prompted:
    """Give the encoder with prompts that were learned, (tokens, dims)."""
    count, dims = weight.shape
    return Prompted(encoder, torch.nn.Embedding(count, dims, _weight=weight))
