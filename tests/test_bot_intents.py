"""The intents' file: what it says, which line is wrong, and that a broken one changes nothing."""

from pathlib import Path

import pytest

from bot import intents
from bot.intents import IntentFile, Intents, IntentsError
from bot.learning.training_set import TrainingSet

GOOD = """
[[intent]]
name = "question"
action = "answer"
examples = ["where is the handbook", "how many days off"]
sources = ["handbook"]

[[intent]]
name = "greeting"
action = "reply"
emoji = "wave"
examples_file = "greeting.txt"
reply = "Hello!"

[[intent]]
name = "access"
action = "route"
route_to = "C0123456789"
examples = ["i need access"]
"""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "greeting.txt").write_text("hi\n\n  hello \nhi\n", encoding="utf-8")
    path = tmp_path / "intents.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_an_intent_has_its_examples_from_the_file_beside_it(file: Path) -> None:
    question, greeting, access = intents.load(file)
    assert question.examples == ("where is the handbook", "how many days off")
    assert question.sources == ("handbook",)
    assert greeting.examples == ("hi", "hello")
    assert (greeting.reply, greeting.emoji, access.route_to) == ("Hello!", "wave", "C0123456789")


def test_the_starter_set_is_valid() -> None:
    found = intents.load(Path(__file__).parent.parent / "intents.toml")
    assert {intent.action for intent in found} == set(intents.ACTIONS)
    assert min(len(intent.examples) for intent in found) >= 45


OUTSIDE = 'out_of_scope_file = "outside.txt"\n'


def test_messages_of_no_intent_stand_in_a_file_of_their_own(file: Path) -> None:
    (file.parent / "outside.txt").write_text("tell me a joke\n\n tell me a joke\nжук\n", "utf-8")
    plain = intents.read(file)
    file.write_text(OUTSIDE + GOOD, encoding="utf-8")
    found = intents.read(file)
    assert found.out_of_scope == ("tell me a joke", "жук")
    assert found.examples() == plain.examples() and found.digest != plain.digest
    assert TrainingSet(found).rows == [
        *found.examples(), ("tell me a joke", "oos"), ("жук", "oos")
    ]  # fmt: skip
    assert not found.can_read("жук")


@pytest.mark.parametrize(
    ("outside", "said"),
    [
        (None, "out_of_scope_file: there is no file outside.txt beside intents.toml"),
        ("I  need ACCESS", "access and out_of_scope_file share the example 'i need access'"),
    ],
)
def test_a_wrong_file_of_other_messages_is_named(
    file: Path, outside: str | None, said: str
) -> None:
    file.write_text(OUTSIDE + GOOD, encoding="utf-8")
    if outside:
        (file.parent / "outside.txt").write_text(outside, encoding="utf-8")
    with pytest.raises(IntentsError, match=said):
        intents.read(file)


def test_the_starter_set_has_messages_of_no_intent() -> None:
    found = intents.read(Path(__file__).parent.parent / "intents.toml")
    assert len(found.out_of_scope) >= 120


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('action = "answer"', 'action = "anwser"', r"line 4: question: unknown action 'anwser'"),
        ("sources =", "source =", r"line 6: unknown key 'source': did you mean sources\?"),
        ('name = "greeting"', 'name = "question"', "two intents named 'question'"),
        ('name = "greeting"', 'name = "oos"', r"line 9: 'oos' cannot name an intent"),
        ('name = "greeting"', "name = 5", "line 9: name must be a text"),
        ('reply = "Hello!"', "", "line 10: greeting needs a reply"),
        ('route_to = "C0123456789"', "", "line 17: access needs a reply"),
        ('"C0123456789"', '"#it-help"', "line 18: access: '#it-help' is no Slack id"),
        ('["i need access"]', "[]", "line 16: access has no examples"),
        ('["i need access"]', "[5]", "line 19: examples must be a list of texts"),
        ('["i need access"]', '["Hello"]', "greeting and access share the example 'hello'"),
        ('action = "route"', 'action = "route"\nemoji = "wave"', ":wave: stands for greeting and"),
        ('"greeting.txt"', '"gone.txt"', "line 12: greeting: there is no file gone.txt"),
        ('name = "greeting"', 'name = "greeting', "not valid TOML: .*line 9"),
        ("[[intent]]", "[[intents]]", "'intents' outside of any"),
    ],
)
def test_a_mistake_is_named_with_its_line(file: Path, old: str, new: str, said: str) -> None:
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(IntentsError, match=said):
        intents.load(file)


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(IntentsError, match="THREADWISE_INTENTS"):
        intents.load(tmp_path / "none.toml")


def test_a_change_is_noticed_without_a_restart(file: Path) -> None:
    clock = Clock()
    watched = IntentFile(file, clock)
    before = watched.now()
    file.write_text(GOOD.replace("Hello!", "Good day!"), encoding="utf-8")
    assert watched.now() is before
    clock.now += intents.CHECK_SECONDS
    assert watched.now().by_name["greeting"].reply == "Good day!"
    assert watched.now().digest == before.digest


def test_new_lines_in_an_example_file_are_noticed(file: Path) -> None:
    clock = Clock()
    watched = IntentFile(file, clock)
    before = watched.now()
    (file.parent / "greeting.txt").write_text("hi\nmorning everyone\n", encoding="utf-8")
    clock.now += intents.CHECK_SECONDS
    assert "morning everyone" in watched.now().by_name["greeting"].examples
    assert watched.now().digest != before.digest


def test_a_broken_file_keeps_the_old_one_serving(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    watched = IntentFile(file, clock)
    before = watched.now()
    file.write_text(GOOD.replace("reply =", "replies ="), encoding="utf-8")
    for _ in range(3):
        clock.now += intents.CHECK_SECONDS
        assert watched.now() is before
    assert caplog.text.count("line 13: unknown key 'replies'") == 1
    file.write_text(GOOD, encoding="utf-8")
    clock.now += intents.CHECK_SECONDS
    assert watched.now() == before


def test_without_a_file_there_are_no_intents(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = IntentFile(tmp_path / "none.toml", Clock())
    assert watched.now() == Intents()
    assert "There is no intents file" in caplog.text


def test_a_hundred_thousand_examples_are_read(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text("\n".join(f"question {i}" for i in range(100_000)))
    path = tmp_path / "intents.toml"
    path.write_text('[[intent]]\nname = "q"\naction = "answer"\nexamples_file = "many.txt"\n')
    assert len(intents.load(path)[0].examples) == 100_000
