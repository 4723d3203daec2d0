"""The checker tells true sentences from false ones, and ships with weights that can be read."""

import random
from collections.abc import Sequence
from pathlib import Path

from models.checker import checker, features, training
from models.checker.training import Example
from tests.fakes import HashEmbedder

PASSAGES = [
    f"The {name} room holds {size} people at the same time. Keys for the {name} room are kept by {keeper} at the desk."
    for name, size, keeper in [
        ("blue", 12, "Reception"), ("red", 8, "Security"), ("green", 30, "Finance"), ("grey", 4, "Payroll"),
        ("white", 16, "Marketing"), ("black", 22, "Support"), ("brown", 41, "Sales"), ("pink", 9, "Legal"),
    ]
]  # fmt: skip


def cut(text: str) -> Sequence[str]:
    first, second = text.split(". ")
    return (f"{first}.", second)


def other_passage(
    draw: random.Random, sentence: str, text: str, others: Sequence[str]
) -> str | None:
    return cut(draw.choice(list(others)))[0]


def other_number(
    draw: random.Random, sentence: str, text: str, others: Sequence[str]
) -> str | None:
    return sentence.replace("people", "thousand people") if "people" in sentence else None


def made(seed: int) -> list[Example]:
    swaps = [other_number, other_passage]
    return [e for n in range(6) for e in training.examples(PASSAGES, swaps, cut, 8, seed + n)]


def test_a_false_sentence_differs_where_the_swap_was() -> None:
    encode = HashEmbedder().encode
    true = features.features("Keys are kept by Reception.", [PASSAGES[0]], encode)
    false = features.features("Keys are kept by Legal for 99 hours.", [PASSAGES[0]], encode)
    assert true["any_missing"] == 0 and false["any_missing"] == 1
    assert false["numbers_missing"] == 1 and false["names_apart"] == 1
    assert features.features("Keys are not kept.", [PASSAGES[0]], encode)["negations"] == 1


def test_fitted_on_examples_it_tells_others_apart(tmp_path: Path) -> None:
    encode = HashEmbedder().encode
    fitted = training.fit(made(0), made(100), encode)
    found = training.quality(fitted, made(200), encode)
    assert found.auroc > 0.8
    training.keep(fitted, {"held out": found}, tmp_path / "weights.json")
    assert checker.load(tmp_path / "weights.json") == fitted


def test_the_same_seed_makes_the_same_examples() -> None:
    assert made(0) == made(0)
    assert {each.is_said for each in made(0)} == {True, False}


def test_odd_texts_have_features_too() -> None:
    for sentence, quotes in (("", [""]), ("?", []), ("a b", ["\n\n", "…"]), ("5", ["5"])):
        found = features.features(sentence, quotes, HashEmbedder().encode)
        assert all(-2 <= value <= 2 for value in found.values())
