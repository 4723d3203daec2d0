"""German and French questions are told by their function words, which say nothing of what they are about."""

import pytest

from store.index import language


@pytest.mark.parametrize(
    ("question", "is_foreign"),
    [
        ("wie viele Urlaubstage habe ich?", True),
        ("kosten bei verspäteter Rückgabe?", True),
        ("combien coûte le parking ?", True),
        ("où est la clé", True),
        ("what does the firm Van der Berg cost", False),
        ("who is on call in la Défense?", False),
        ("what was on in March", False),
        ("talon", False),
        ("", False),
    ],
)
def test_a_questions_language_is_told(question: str, is_foreign: bool) -> None:
    assert language.is_foreign(question) == is_foreign


def test_function_words_are_left_out_in_their_own_language_alone() -> None:
    assert language.told("wo ist der Schlüssel der Mühle?").split() == ["Schlüssel", "Mühle?"]
    assert language.told("who pays Van der Berg") == "who pays Van der Berg"


@pytest.mark.parametrize(
    ("question", "text", "share"),
    [
        ("wie viel Urlaub habe ich", "Es gibt 31 Urlaubstage.", 1.0),
        ("wo sind die Lastenräder", "Das Lastenrad steht im Hof.", 1.0),
        ("wo ist der Schluessel", "Den Schlüssel hat Frau Groß.", 1.0),
        ("combien coûte le parking", "Le repas coûte 6 euros.", 0.5),
        ("wie beantrage ich Urlaub", "Die Möwe kostet 12 Euro.", 0.0),
        ("wie ist das?", "Die Möwe kostet 12 Euro.", 0.0),
    ],
)
def test_how_much_of_a_question_a_text_says(question: str, text: str, share: float) -> None:
    assert language.share_said(question, text) == share
