"""The reader's network: an encoder with two small heads, read out in one pass.

Knows nothing about texts, training or files. For every token it gives three numbers: how well the answer
begins there, how well it ends there, and (the same for all tokens of a pair) how well the passage answers.
Beginning and end at the first token mean that the passage does not answer.
"""

import torch
from torch import Tensor

HIDDEN = 128
"""Width of the relevance head; it sees the first token and the means of question and passage."""


class JointReader(torch.nn.Module):
    """An encoder of question and passage together, with a head for spans and one for relevance."""

    def __init__(self, encoder: torch.nn.Module, dims: int, separator: int) -> None:
        """Wrap an `encoder` with `dims` outputs per token; `separator` is the id that ends a text."""
        super().__init__()
        self.encoder = encoder
        self.separator = separator
        self.span = torch.nn.Linear(dims, 2)
        self.relevance = torch.nn.Sequential(
            torch.nn.Linear(3 * dims, HIDDEN), torch.nn.GELU(), torch.nn.Linear(HIDDEN, 1)
        )

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Give (pairs, tokens, 3) numbers of padded ids, whose `mask` is 1 where a token stands."""
        second = in_passage(ids, self.separator) * mask
        hidden = self.encoder(
            input_ids=ids, attention_mask=mask, token_type_ids=second
        ).last_hidden_state
        about = torch.cat([hidden[:, 0], _mean(hidden, mask - second), _mean(hidden, second)], -1)
        relevance = self.relevance(about)[:, None].expand(-1, ids.shape[1], -1)
        return torch.cat([self.span(hidden), relevance], -1)

    def heads(self) -> dict[str, Tensor]:
        """Give the weights of both heads by name."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("encoder.")}


class SpanReader(torch.nn.Module):
    """A reader that somebody else trained for spans alone; its relevance is that of its best span."""

    def __init__(self, model: torch.nn.Module, separator: int, *, has_types: bool) -> None:
        """Wrap a `model` for question answering; `has_types` when it tells question and passage apart."""
        super().__init__()
        self.model, self.separator, self.has_types = model, separator, has_types

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Give (pairs, tokens, 3) numbers as JointReader does."""
        second = in_passage(ids, self.separator) * mask
        types = {"token_type_ids": second} if self.has_types else {}
        found = self.model(input_ids=ids, attention_mask=mask, **types)
        both = torch.stack([found.start_logits, found.end_logits], -1)
        best = both.masked_fill((second == 0)[..., None], -1e4).amax(1).sum(-1)
        relevance = (best - both[:, 0].sum(-1))[:, None, None].expand(-1, ids.shape[1], 1)
        return torch.cat([both, relevance], -1)


def in_passage(ids: Tensor, separator: int) -> Tensor:
    """Give 1 for every token after the first separator, 0 up to it."""
    is_end = (ids == separator).long()
    return ((torch.cumsum(is_end, 1) - is_end) > 0).long()


def _mean(hidden: Tensor, where: Tensor) -> Tensor:
    weights = where[..., None].to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
