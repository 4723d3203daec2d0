"""A BERT encoder with mean pooling and a linear head: texts in, one logit per intent out.

Knows nothing about training, thresholds or what an intent makes the bot do.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoConfig, AutoModel, PreTrainedConfig
from transformers.utils import logging as transformers_logging

from models.files import READABLE
from models.tokens import Ids

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"


class BertClassifier(torch.nn.Module):
    """The encoder, its mean-pooled and normalised output, and the head."""

    def __init__(self, encoder: torch.nn.Module, dims: int, intents: int) -> None:
        """Wrap an `encoder` with `dims` outputs per token for `intents` classes."""
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(dims, intents)

    def word_embeddings(self) -> torch.nn.Module:
        """Give the table of word vectors, half of all weights."""
        table: torch.nn.Module = self.encoder.get_input_embeddings()  # type: ignore[operator]
        return table

    def features(self, rows: Sequence[Ids]) -> Tensor:
        """Give (n, dims) unit vectors of token ids, padded here."""
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], True, 0)
        lengths = torch.tensor([len(row) for row in rows])
        return self.pooled(ids, (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).long())

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Give (n, dims) unit vectors of padded ids, whose `mask` is 1 where a token stands. The
        pooled first token of this kind of encoder was never trained to stand for the sentence,
        the mean was."""
        tokens = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return normalize((tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=1)

    def forward(self, rows: Sequence[Ids]) -> Tensor:
        """Give (n, intents) logits."""
        logits: Tensor = self.head(self.features(rows))
        return logits

    def logits(self, rows: Sequence[Ids]) -> NDArray[np.float32]:
        """Give (n, intents) logits without training, in the order of `rows`."""
        with torch.inference_mode():
            found: NDArray[np.float32] = self.head(torch.from_numpy(self.vectors(rows))).numpy()
        return found

    def vectors(self, rows: Sequence[Ids], batch: int = 64) -> NDArray[np.float32]:
        """Give (n, dims) unit vectors without training, in the order of `rows`."""
        self.eval()
        found = np.zeros((len(rows), self.head.in_features), dtype=np.float32)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        with torch.inference_mode():
            for start in range(0, len(order), batch):
                part = order[start : start + batch]
                found[part] = self.features([rows[i] for i in part]).numpy()
        return found

    def set_head(self, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Take over a linear model's (intents, dims) weights and bias."""
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(weights))
            self.head.bias.copy_(torch.from_numpy(bias))

    def fold_last(self) -> None:
        """Take the last class's logit off all others, and drop the class."""
        head = torch.nn.Linear(self.head.in_features, self.head.out_features - 1)
        with torch.no_grad():
            head.weight.copy_(self.head.weight[:-1] - self.head.weight[-1])
            head.bias.copy_(self.head.bias[:-1] - self.head.bias[-1])
        self.head = head


def from_encoder(folder: Path, intents: int) -> BertClassifier:
    """Build a classifier over the pretrained encoder in `folder`, with a fresh head."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    encoder = AutoModel.from_pretrained(folder, local_files_only=True)
    return BertClassifier(encoder, encoder.config.hidden_size, intents)


def save(model: BertClassifier, folder: Path) -> None:
    """Write weights and configuration into `folder`."""
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(READABLE)
    config: PreTrainedConfig = model.encoder.config  # type: ignore[assignment]
    (folder / CONFIG).write_text(config.to_json_string())


def load(folder: Path, intents: int) -> BertClassifier:
    """Read what `save` wrote, ready to serve."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    encoder = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    model = BertClassifier(encoder, config.hidden_size, intents)
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval()
