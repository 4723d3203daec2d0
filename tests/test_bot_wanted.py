"""What kind of thing a question asks for, and which texts tell one."""

import pytest

from bot.answering import wanted


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("How many seats do we have?", ("amount",)),
        ("what's the daily limit on the company card", ("amount",)),
        ("how much notice does a client have to give us", ("length",)),
        ("For how many days do you keep the logs?", ("length",)),
        ("Hi! how often does the council meet?", ("frequency",)),
        ("when does the kitchen close on Fridays?", ("moment",)),
        ("Hello, when's the next training?", ("moment",)),
        ("By when must the form be in?", ("moment",)),
        ("what's the phone number of the front desk", ("phone",)),
        ("which email address takes invoices?", ("address",)),
        ("what is the slack channel for travel?", ("channel",)),
        ("what's the command to restart the queue", ("command",)),
        ("who approves an overseas trip?", ("person",)),
        ("who knows how long the move takes?", ("length",)),
        ("Wie lange ist ein Gutschein gültig?", ("length",)),
        ("wann öffnet die Werkstatt?", ("moment",)),
        ("wer genehmigt Überstunden?", ("person",)),
        ("combien coûte un badge perdu ?", ("money",)),
        ("what does a lost badge cost?", ("money",)),
        ("how much do visitors pay for parking", ("money",)),
        ("price of a new tie?", ("money",)),
        ("what percentage of the budget is ours?", ("share",)),
        ("what time does the cafeteria open?", ("clock",)),
    ],
)
def test_a_question_names_the_kind_of_its_answer(question: str, kinds: tuple[str, ...]) -> None:
    assert wanted.kinds(question) == kinds


@pytest.mark.parametrize(
    "question",
    [
        "When I leave the company, what happens to my laptop?",
        "may I talk about a contract on the phone?",
        "can we download the shared channel?",
        "is there a room for nursing mothers?",
        "how do I turn off the built-in email sending?",
        "what is covered by the warranty?",
        "what do I need to pay attention to?",
        "which form do I fill in to be reimbursed?",
        "is it fine to keep the charger?",
        "",
    ],
)
def test_most_questions_may_be_answered_by_anything(question: str) -> None:
    assert wanted.kinds(question) == ()


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("money", "A lost badge is 15 EUR."),
        ("money", "Item: tie; Price (GBP): 9.50"),
        ("money", "Parking is free of charge."),
        ("share", "Half of the fee is paid back."),
        ("clock", "Lunch is from 11.30."),
        ("clock", "Doors close at six."),
        ("amount", "The travel card has a limit of $2,500."),
        ("amount", "Each person has ten votes."),
        ("amount", "Seats are unlimited."),
        ("amount", "Humidity is kept below 60 %."),
        ("length", "Files are kept for a week."),
        ("length", "It takes two to three business days."),
        ("length", "Tickets are good 48h."),
        ("frequency", "Office roles come in four days a month."),
        ("frequency", "Passwords are changed once a year."),
        ("moment", "A note is needed from the fourth day."),
        ("moment", "Doors open at 07:30."),
        ("phone", "Reception: ext. 12"),
        ("phone", "Ring (555) 010-4477 at night."),
        ("address", "Write to [the desk](mailto:desk@firm.example)."),
        ("channel", "Ask in #travel-help."),
        ("command", "Type `queue restart` and wait."),
        ("person", "Anyone with a badge may enter."),
        ("person", "- Ada Example, office"),
    ],
)
def test_a_text_tells_a_thing_of_a_kind(kind: wanted.Kind, text: str) -> None:
    assert wanted.tells(text, (kind,))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("money", "The price depends on 3 things."),
        ("share", "The 3 parts are of equal size."),
        ("clock", "There is a cafeteria on the 2nd floor."),
        ("amount", "We have limited member seats available."),
        ("amount", "See [the rules](https://firm.example/2/rules?page=7)."),
        ("amount", "In 2022 the rules were changed by team 7B."),
        ("length", "The trial is long enough for most clients."),
        ("frequency", "The council meets in the small hall."),
        ("moment", "The applicant has to be told of the closing."),
        ("phone", "Phone the warehouse if the lorry is late."),
        ("address", "Send an e-mail to the desk."),
        ("channel", "There is a channel for that; ask around."),
        ("person", "Badges are printed in the basement."),
    ],
)
def test_a_text_that_only_speaks_of_it_tells_nothing(kind: wanted.Kind, text: str) -> None:
    assert not wanted.tells(text, (kind,))


def test_what_nobody_asked_for_is_not_told() -> None:
    assert not wanted.tells("Ring 112 at 07:30 every day.", ())
