"""Training on a tiny random BERT: train, save, load, predict; kills, odd rows, damage."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.files import ModelError
from models.intents import classifier, folds, training
from models.intents.examples import Example, TrainingError
from models.intents.finetune import Recipe, Rows
from tests import tiny_bert

QUICK = Recipe(epochs=4, encoder_rate=3e-3, head_rate=1e-2, checkpoint_seconds=0)
SHORT = replace(QUICK, epochs=1)
"""Where what was learned does not matter."""
SENTENCES = {
    "payday": ["when is pay day", "pay day", "salary day when", "my salary is when", "when salary"],
    "leave": ["book leave", "i want leave", "book a holiday", "holiday i want", "i want a holiday"],
    "password": ["reset my password", "password reset", "my password", "i want a password reset"],
    "wifi": ["wifi broken", "my wifi is broken", "is wifi broken", "broken wifi", "wifi"],
    "hello": ["a", "i", "my", "is", "when"],
}
Progress = list[tuple[int, int]]


def rows() -> list[Example]:
    return [
        Example(f"{text}{end}", name)
        for name, texts in SENTENCES.items()
        for text in texts
        for end in ("", " a", " i", " is")
    ]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def progress() -> Progress:
    """How far the training was, each time that it said so."""
    return []


@pytest.fixture(scope="module")
def trained(encoder: Path, progress: Progress, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    training.train(
        rows(), encoder=encoder, out=out, recipe=QUICK, on_progress=lambda *at: progress.append(at)
    )
    return out


@pytest.mark.parametrize("kind", classifier.KINDS)
def test_what_was_trained_is_predicted(trained: Path, encoder: Path, kind: str) -> None:
    model = classifier.load(trained, encoder=encoder, kind=kind)
    asked = ["when is pay day", "book leave", "reset my password", "wifi broken"]
    found = [prediction.nearest for prediction in model.predict(asked)]
    assert found == ["payday", "leave", "password", "wifi"]


def test_a_prediction_is_whole(trained: Path, encoder: Path) -> None:
    prediction = classifier.load(trained, encoder=encoder).predict(["reset my password"])[0]
    assert prediction.runner_up != prediction.nearest
    assert 0 <= prediction.margin <= prediction.confidence <= 1
    assert (prediction.intent is None) == (prediction.in_scope < classifier.IN_SCOPE_FLOOR)


def test_any_text_is_classified(trained: Path, encoder: Path) -> None:
    model = classifier.load(trained, encoder=encoder)
    odd = ["", "\x00", "\ud800", "🔥" * 500, "休暇の申請", "pay " * 50_000]
    assert len(model.predict(odd)) == len(odd)
    assert model.predict([]) == []


def test_predictions_do_not_depend_on_their_neighbours(trained: Path, encoder: Path) -> None:
    model = classifier.load(trained, encoder=encoder)
    together = model.predict(["pay day", "i want a holiday " * 20])
    assert together[0].confidence == pytest.approx(model.predict(["pay day"])[0].confidence, 1e-4)


def test_the_report_lies_beside_the_weights_and_is_strict_json(trained: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    report = json.loads((trained / "report.json").read_text(), parse_constant=refuse)
    assert report["rows"] == report["held_out"] == len(rows())
    assert report["serves"] in classifier.KINDS
    assert set(report["bert"]["intents"]) == set(SENTENCES)
    assert not (trained / "checkpoint").exists()


def test_progress_rises_to_its_end(trained: Path, progress: Progress) -> None:
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    assert all(done <= total for done, total in progress)
    assert len({total for _, total in progress}) == 1
    assert progress[-1][0] == progress[-1][1]


def test_a_killed_training_goes_on_where_it_was(encoder: Path, tmp_path: Path) -> None:
    plan = Recipe(epochs=4, encoder_rate=3e-3, patience=9, checkpoint_seconds=0)
    many = [Example(f"{row.text} {'a ' * i}my", row.intent) for row in rows() for i in range(2)]
    whole: list[int] = []
    first = tmp_path / "first"
    training.train(
        many, encoder=encoder, out=first, recipe=plan, on_progress=lambda *_: whole.append(1)
    )

    class Killed(BaseException):
        """Stands for a SIGKILL."""

    def kill_late(done: int, total: int) -> None:
        if done > total * 0.9:
            raise Killed

    second = tmp_path / "second"
    with pytest.raises(Killed):
        training.train(many, encoder=encoder, out=second, recipe=plan, on_progress=kill_late)
    rest: list[int] = []
    training.train(
        many, encoder=encoder, out=second, recipe=plan, on_progress=lambda *_: rest.append(1)
    )
    assert len(rest) < len(whole) / 2
    one, other = (classifier.load(out, encoder=encoder, kind="bert") for out in (first, second))
    assert one.predict(["pay day"])[0].confidence == pytest.approx(
        other.predict(["pay day"])[0].confidence, abs=1e-4
    )


def test_an_intent_with_one_example_is_learned_and_named(encoder: Path, tmp_path: Path) -> None:
    report = training.train(
        [*rows(), Example("broken broken", "odd one")], encoder=encoder, out=tmp_path, recipe=SHORT
    )
    assert "odd one" in report.intents
    assert any("odd one" in warning for warning in report.warnings)
    assert classifier.load(tmp_path, encoder=encoder).predict(["pay day"])


def test_the_same_examples_under_two_intents_are_named(encoder: Path, tmp_path: Path) -> None:
    double = [Example(row.text, "wages") for row in rows() if row.intent == "payday"]
    report = training.train([*rows(), *double], encoder=encoder, out=tmp_path, recipe=SHORT)
    assert any("payday, wages" in warning for warning in report.warnings)


def test_two_intents_with_one_example_each_train(encoder: Path, tmp_path: Path) -> None:
    two = [Example("pay day", "payday"), Example("book leave", "leave")]
    report = training.train(two, encoder=encoder, out=tmp_path, recipe=QUICK)
    assert report.held_out == 0
    model = classifier.load(tmp_path, encoder=encoder)
    assert [p.intent for p in model.predict(["pay day", "book leave"])] == ["payday", "leave"]


def test_rows_out_of_scope_are_used_and_never_an_intent(encoder: Path, tmp_path: Path) -> None:
    oos = [Example(f"{a} {b}", "oos") for a in ("broken", "day", "a") for b in tiny_bert.WORDS]
    report = training.train([*rows(), *oos], encoder=encoder, out=tmp_path, recipe=SHORT)
    assert "oos" not in report.intents
    assert report.oos_rows == len(oos)
    model = classifier.load(tmp_path, encoder=encoder)
    assert len(model.labels) == len(SENTENCES) and model.predict(["broken day", "pay day"])


@pytest.mark.parametrize("given", [[], [Example("pay day", "payday")], [Example(" ", "x")]])
def test_too_few_intents_are_refused(encoder: Path, tmp_path: Path, given: list[Example]) -> None:
    with pytest.raises(TrainingError, match="at least two intents"):
        training.train(given, encoder=encoder, out=tmp_path, recipe=QUICK)


@pytest.mark.parametrize("file", ["model.safetensors", "intent.json", "tokenizer.json"])
def test_a_truncated_model_is_refused(
    trained: Path, encoder: Path, tmp_path: Path, file: str
) -> None:
    for source in trained.iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / file).write_bytes((trained / file).read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be read"):
        classifier.load(tmp_path, encoder=encoder, kind="bert")


def test_the_baseline_is_refused_on_another_encoder(trained: Path, tmp_path: Path) -> None:
    other = tiny_bert.write(tmp_path)
    with (other / "model.safetensors").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelError, match="another encoder"):
        classifier.load(trained, encoder=other, kind="baseline")


def test_rows_that_others_nearly_repeat_are_not_held_out() -> None:
    chance = np.random.default_rng(0)
    vectors = chance.normal(size=(80, 64)).astype(np.float32)
    vectors[50] = vectors[3] + 0.01
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    data = folds.Data(Rows([[1]] * 80, np.zeros(80, dtype=np.int64)), vectors, 1)
    turn = np.arange(80) >= 40
    assert set(np.flatnonzero(turn & ~folds.without_twins(data, turn))) == {50}
