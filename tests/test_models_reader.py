"""A reader of a few kilobytes: trained, kept, loaded, and what it says of passages."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft", reason="the extra [reader] is not installed")

from models.files import ModelError, sha256
from models.reader import adapter, files, reader, training
from models.reader.codec import Encoded, Page, PairCodec
from models.reader.pairs import Pair
from models.reader.reader import Numbers, Reader
from tests import tiny_bert

QUESTION = "when is pay day"
RECIPE = training.Recipe(epochs=30, batch=4, rank=4, adapter_rate=1e-2, checkpoint_steps=5)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _train(base, tmp_path_factory.mktemp("reader"))


def _pairs() -> list[Pair]:
    found = []
    for place in range(6):
        words = ["i", "want", "a", "leave", "my", "is"]
        words.insert(place, "salary")
        text = " ".join(words)
        start = text.index("salary")
        found.append(Pair(QUESTION, "", text, ((start, start + 6),), "own", text))
        found.append(Pair(QUESTION, "", text.replace("salary", "wifi"), (), "own", text))
    return found


def _train(base: Path, out: Path, *, stop_after: int | None = None) -> Path:
    def on_step(done: int, steps: int) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    network, codec = files.fresh(base)
    network.encoder = adapter.wrapped(network.encoder, RECIPE.rank)
    rows = training.rows(_pairs(), codec)
    training.train(
        network, rows, recipe=RECIPE, seed=0, checkpoint=out / "checkpoint", on_step=on_step
    )
    origin = files.Origin(sha256(base / "model.safetensors"), trained_on={"own": len(rows)})
    files.save(network, origin, out / "reader")
    return out / "reader"


def test_what_was_trained_is_read_again_from_its_folder(base: Path, trained: Path) -> None:
    told, untold = reader.load(trained, base=base).read(
        QUESTION, [Page("", "my leave is salary"), Page("", "my leave is wifi")]
    )
    assert "my leave is salary"[slice(*told.best)] == "salary"
    assert told.relevance > untold.relevance
    assert told.no_answer < untold.no_answer


def test_a_worker_under_another_account_can_read_what_was_trained(trained: Path) -> None:
    assert all(file.stat().st_mode & 0o044 for file in trained.iterdir() if file.is_file())


def test_a_killed_training_goes_on_to_the_same_weights(
    base: Path, trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        _train(base, tmp_path, stop_after=17)
    again = _train(base, tmp_path)
    assert sha256(again / files.CHANGES) == sha256(trained / files.CHANGES)


def test_the_same_passages_are_read_the_same_whatever_stands_beside_them(
    base: Path, trained: Path
) -> None:
    served = reader.load(trained, base=base, threads=2)
    pages = [Page("leave", "my salary"), Page("", "wifi " * 40), Page("", "")]
    alone = [served.read(QUESTION, [page])[0] for page in pages]
    for one, together in zip(alone, served.read(QUESTION, pages), strict=True):
        assert one.relevance == pytest.approx(together.relevance, abs=1e-5)
        assert one.starts == pytest.approx(together.starts, abs=1e-5)


def test_a_reader_of_another_encoder_is_refused(trained: Path) -> None:
    with pytest.raises(ModelError, match="another encoder"):
        reader.load(trained)


def test_a_damaged_reader_is_refused(base: Path, trained: Path, tmp_path: Path) -> None:
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / files.CHANGES).open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x01")
    with pytest.raises(ModelError, match="damaged"):
        reader.load(tmp_path, base=base)


def test_a_folder_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="threadwise reader train"):
        reader.load(tmp_path)


@pytest.mark.parametrize(
    "body",
    ["", " ", "\x00", "\ud800 pay day", "e\u0301 ﬁ pay day", "pay day\n\n| a | b |", "day " * 2000],
)
def test_strange_bodies_keep_their_places(base: Path, body: str) -> None:
    (encoded,) = PairCodec(base / "tokenizer.json").encode(QUESTION, [Page("leave", body)])
    assert all(0 <= start < end <= len(body) for start, end in encoded.slices)
    assert len(encoded.ids) <= 224
    words = {body[start:end] for start, end in encoded.slices}
    assert not words & {"leave"}
    assert ("pay" in words) == ("pay" in body)


def test_a_question_longer_than_the_window_leaves_room_for_the_passage(base: Path) -> None:
    (encoded,) = PairCodec(base / "tokenizer.json").encode("pay " * 3000, [Page("", "my salary")])
    assert len(encoded.slices) == 2


class Fixed(Reader):
    """A reader whose network says the same of every token, but for those that are named."""

    def __init__(self, codec: PairCodec, peaks: dict[int, float]) -> None:
        super().__init__("fixed", codec)
        self._peaks = peaks

    def numbers(self, rows: Sequence[Encoded]) -> list[Numbers]:
        found = [np.zeros((len(row.ids), 3), np.float32) for row in rows]
        for numbers, row in zip(found, rows, strict=True):
            for place, peak in self._peaks.items():
                numbers[row.tokens[place], :2] = peak
        return found


def test_the_mass_of_a_slice_is_where_the_answer_is_sure_to_lie(base: Path) -> None:
    codec = PairCodec(base / "tokenizer.json")
    (read,) = Fixed(codec, {3: 20.0}).read(QUESTION, [Page("", "my leave is salary")])
    assert read.mass(12, 18) == pytest.approx(1.0, abs=1e-3)
    assert read.mass(0, 8) == pytest.approx(0.0, abs=1e-3)
    assert read.mass(100, 120) is None
