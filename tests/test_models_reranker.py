"""Rerankers: any cross-encoder, with one logit or several, refused in one line when it is none."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

from models import reranker
from models.files import ModelError
from tests import tiny_bert

PASSAGES = ["pay day is the last day", "book leave", "", "wifi " * 900, "\ud800 👩‍💻"]


def write(folder: Path, labels: dict[int, str]) -> Path:
    """Write a random cross-encoder with a logit for each label."""
    tiny_bert.write(folder)
    config = BertConfig.from_pretrained(
        folder, id2label=labels, label2id={v: k for k, v in labels.items()}
    )
    config.architectures = ["BertForSequenceClassification"]
    torch.manual_seed(1)
    save_file(
        dict(BertForSequenceClassification(config).state_dict()),
        folder / "model.safetensors",
        {"format": "pt"},
    )
    (folder / "config.json").write_text(json.dumps(config.to_dict() | {"model_type": "bert"}))
    return folder


@pytest.mark.parametrize(
    "labels",
    [
        {0: "LABEL_0"},
        {0: "LABEL_0", 1: "LABEL_1"},
        {0: "contradiction", 1: "entailment", 2: "neutral"},
    ],
)
def test_it_gives_one_number_for_each_passage(tmp_path: Path, labels: dict[int, str]) -> None:
    loaded = reranker.load(str(write(tmp_path / "ours", labels)))
    found = loaded.scores("when is pay day", PASSAGES)
    assert len(found) == len(PASSAGES) == len(set(found))
    assert loaded.scores("when is pay day", PASSAGES[:1]) == pytest.approx(found[:1], abs=1e-4)
    assert loaded.scores("when", []) == []
    assert loaded.name.startswith("ours@")


def test_the_label_that_says_so_decides(tmp_path: Path) -> None:
    names = ["irrelevant", "relevant"]
    first = reranker.load(str(write(tmp_path / "a", dict(enumerate(names)))))
    turned = reranker.load(str(write(tmp_path / "b", dict(enumerate(reversed(names))))))
    one, other = (each.scores("pay", PASSAGES) for each in (first, turned))
    assert [-x for x in one] == pytest.approx(other, abs=1e-4)


def test_threads_get_the_same_numbers(tmp_path: Path) -> None:
    loaded = reranker.load(str(write(tmp_path / "ours", {0: "LABEL_0"})))
    expected = loaded.scores("book leave", PASSAGES)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: loaded.scores("book leave", PASSAGES), range(8)))
    assert all(each == pytest.approx(expected, abs=1e-4) for each in found)


def test_an_encoder_is_no_reranker(tmp_path: Path) -> None:
    """Its head would be made of random numbers."""
    with pytest.raises(ModelError, match=r"holds no reranker.*ForSequenceClassification"):
        reranker.load(str(tiny_bert.write(tmp_path / "encoder")))


def test_a_folder_without_a_tokenizer_is_one_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "ours", {0: "LABEL_0"})
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="holds no tokenizer") as told:
        reranker.load(str(folder))
    assert len(str(told.value)) < 1000
