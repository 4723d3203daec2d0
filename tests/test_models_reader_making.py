"""A reader is made out of a folder of sets: every kind, killed runs, and what cannot be trained on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

pytest.importorskip("peft", reason="the extra [reader] is not installed")

from models.files import ModelError, sha256
from models.reader import card, files, making, pairs, reader
from models.reader.codec import Page
from models.reader.making import Kind, Order
from models.reader.pairs import Collection, Pair
from models.reader.training import Recipe
from tests import tiny_bert
from tests.fakes import HashEmbedder

QUESTION = "when is pay day"
FILLING = ["i", "want", "a", "leave", "my", "is"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write(tmp_path_factory.mktemp("base"))


@pytest.fixture
def given(tmp_path: Path) -> Collection:
    return _set(tmp_path, "own", 40)


def _set(folder: Path, name: str, count: int) -> Collection:
    """A set of sections, half of which answer."""
    (folder / name).mkdir()
    rows = []
    for number in range(count):
        words = list(FILLING)
        words.insert(number % 7, "salary" if number % 2 else "wifi")
        text = " ".join(words)
        row = {"question": QUESTION, "title": f"day {number}", "passage": text}
        rows.append(row | {"answerable": bool(number % 2), "selected": ["salary"][: number % 2]})
    (folder / name / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return pairs.read(folder / name)


def _make(
    given: Collection, base: Path, out: Path, kind: Kind = "adapter", *, stop_after: int = 0
) -> files.Origin:
    def progress(name: str, done: int, steps: int) -> None:
        if done == stop_after:
            raise KeyboardInterrupt

    rate = {"adapter": 1e-2, "prompts": 1e-1, "whole": 1e-2}[kind]
    recipe = Recipe(epochs=15, batch=4, rank=4, adapter_rate=rate, checkpoint_steps=5)
    order = Order(kind=kind, recipe=recipe, command="threadwise reader train")
    return making.make(
        [given], base, out, order=order, encode=HashEmbedder().encode, progress=progress, threads=1
    )


@pytest.mark.parametrize(
    ("kind", "kept"), [("adapter", "adapter"), ("prompts", "prompts"), ("whole", "encoder")]
)
def test_every_kind_of_reader_reads_after_it_was_kept(
    base: Path, given: Collection, tmp_path: Path, kind: Kind, kept: str
) -> None:
    made = _make(given, base, tmp_path / "out", kind)
    assert made.trained_on["own"] > 20
    assert made.facts["kind"] == kind
    served = reader.load(tmp_path / "out", base=base)
    told, untold = served.read(QUESTION, [Page("", "i want salary"), Page("", "i want wifi")])
    assert told.relevance > untold.relevance
    assert not (tmp_path / "out" / "checkpoint").exists()
    names = load_file(tmp_path / "out" / files.CHANGES)
    assert {name.split(".")[0] for name in names} == {"heads", kept}


def test_a_killed_run_with_other_arguments_is_not_gone_on_with(
    base: Path, given: Collection, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        _make(given, base, out, stop_after=7)
    with pytest.raises(ModelError, match=r"checkpoint is of a training with other arguments"):
        _make(given, base, out, "whole")
    with pytest.raises(ModelError, match="other arguments"):
        _make(_set(tmp_path, "other", 30), base, out)
    _make(given, base, out)
    assert reader.load(out, base=base).name.startswith("out@")


def test_a_reader_that_is_trained_further_learns_what_is_new(
    base: Path, given: Collection, tmp_path: Path
) -> None:
    _make(given, base, tmp_path / "first")
    text = "my leave is wifi"
    told = Pair("want a day", "", text, ((12, 16),), "own documents", "a.md")
    untold = Pair("want a day", "", "my leave is salary", (), "own documents", "a.md")
    order = Order(recipe=Recipe(epochs=15, batch=4, rank=4, adapter_rate=1e-2))
    made = making.tune(
        [told, untold] * 20,
        tmp_path / "first",
        tmp_path / "second",
        order=order,
        progress=lambda *_: None,
        threads=1,
        base=base,
    )
    assert made.trained_on["own"] > 20 and made.trained_on["own documents"] == 40
    served = reader.load(tmp_path / "second", base=base)
    pages = [Page("", text), Page("", "my leave is salary")]
    right, wrong = served.read("want a day", pages)
    assert right.relevance > 0.5 > wrong.relevance
    ranks = {
        weight.shape[0]
        for name, weight in load_file(tmp_path / "second" / files.CHANGES).items()
        if name.startswith("adapter.") and name.endswith(".a")
    }
    assert ranks == {8}


def test_a_killed_training_further_goes_on_with_its_own_pairs_alone(
    base: Path, given: Collection, tmp_path: Path
) -> None:
    _make(given, base, tmp_path / "first")
    pair = Pair("want a day", "", "my leave is wifi", ((12, 16),), "own documents", "a.md")
    recipe = Recipe(epochs=3, batch=4, rank=4, checkpoint_steps=2)

    def tune(pairs: list[Pair], stop_after: int = 0) -> None:
        def progress(name: str, done: int, steps: int) -> None:
            if done == stop_after:
                raise KeyboardInterrupt

        making.tune(
            pairs, tmp_path / "first", tmp_path / "second", order=Order(recipe=recipe),
            progress=progress, threads=1, base=base,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        tune([pair] * 12, stop_after=5)
    with pytest.raises(ModelError, match="other arguments"):
        tune([replace(pair, question="want a leave")] * 12)
    tune([pair] * 12)
    assert not (tmp_path / "second" / "checkpoint").exists()


def test_only_an_adapter_is_trained_further(base: Path, given: Collection, tmp_path: Path) -> None:
    _make(given, base, tmp_path / "first", "prompts")
    with pytest.raises(ModelError, match="has no adapter"):
        making.tune(
            [], tmp_path / "first", tmp_path / "second", order=Order(),
            progress=lambda *_: None, base=base,
        )  # fmt: skip


def test_a_damaged_checkpoint_is_named(base: Path, given: Collection, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"half of one")
    with pytest.raises(ModelError, match=r"checkpoint is damaged .*: remove that file"):
        _make(given, base, tmp_path)


def test_sets_without_a_question_that_is_not_held_out_are_refused(
    base: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no question to train on"):
        _make(Collection("none", (), {}), base, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"base": 1, "scale": 2.0, "trained_on": {}, "facts": {}, "sha256": ""}',
    ],
)
def test_what_is_kept_beside_the_weights_is_checked(
    base: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / files.MADE).write_text(content)
    with pytest.raises(ModelError, match=r"reader\.json is missing or damaged"):
        reader.load(tmp_path, base=base)


def test_weights_of_another_shape_are_one_line(
    base: Path, given: Collection, tmp_path: Path
) -> None:
    _make(given, base, tmp_path)
    weights = load_file(tmp_path / files.CHANGES)
    save_file({k: v[:1].clone() for k, v in weights.items()}, tmp_path / files.CHANGES)
    made = json.loads((tmp_path / files.MADE).read_text())
    made["sha256"] = sha256(tmp_path / files.CHANGES)
    (tmp_path / files.MADE).write_text(json.dumps(made))
    with pytest.raises(ModelError, match="does not fit its encoder"):
        reader.load(tmp_path, base=base)


def test_the_card_names_data_licence_seed_command_and_figures(
    base: Path, given: Collection, tmp_path: Path
) -> None:
    made = _make(given, base, tmp_path)
    served = reader.load(tmp_path, base=base)
    found = making.tried(
        served, [given], made.trained_on, encode=HashEmbedder().encode, progress=lambda *_: None
    )
    assert list(found) == ["own, in domain"]
    files.note(tmp_path, {"figures": {"own, in domain": {"pairs": 7, "f1": 0.5, "bleu": None}}})
    text = card.write(tmp_path, files.origin(tmp_path)).read_text()
    assert "| own | 3" in text
    assert "do not give it away" in text
    for line in (
        "| seed | 0 |",
        "| command | threadwise reader train |",
        "| own, in domain | 7 | 0.500 |  |",
    ):
        assert line in text
    assert reader.load(tmp_path, base=base).name == served.name
