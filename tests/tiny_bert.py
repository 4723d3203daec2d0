"""A random BERT of a few kilobytes with a tokenizer of whole words, for tests of training."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

TEXT = "pay day salary when is leave holiday book i want a reset password my wifi broken"
WORDS = TEXT.split()


def write(folder: Path) -> Path:
    """Write the model into `folder`, in the layout of a pretrained encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
    )
    (folder / "config.json").write_text(json.dumps(config.to_dict() | {"model_type": "bert"}))
    torch.manual_seed(0)
    save_file(dict(BertModel(config).state_dict()), folder / "model.safetensors", {"format": "pt"})
    return folder
