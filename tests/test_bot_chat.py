"""A conversation in the terminal: what is typed, what is shown, what is kept."""

import io
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console

from bot.answering.request import Request
from bot.services import Services
from bot.settings import Settings
from bot.terminal.chat import Conversation, Unanswered, converse
from bot.terminal.render import render
from store import queue
from store.database import Database
from store.feedback import faqs, votes
from store.records import EVERYONE, Answer, Citation, Viewer, Vote

PASSAGE = "Refunds are paid by finance. They take five business days. Ask in #finance."
BEST = "They take five business days."


def answer_to(question: str, status: str = "answered", **more: object) -> Answer:
    cited = Citation(
        "Refunds", "refunds.md", None, PASSAGE, "Timing", 0.9, datetime.now(UTC), "wiki", 1
    )
    body = BEST if status in ("answered", "unsure") else None
    citations = (cited,) if body else ()
    made = Answer(uuid4(), question, status, 0.92, body, citations)
    return made if not more else Answer(**{**_fields(made), **more})  # type: ignore[arg-type]


def _fields(answer: Answer) -> dict[str, object]:
    return {name: getattr(answer, name) for name in answer.__slots__}


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    settings = Settings(_env_file=None, home=tmp_path)  # type: ignore[call-arg]
    return Services(settings, database, None, answer=lambda request: answer_to(request.text))


def said(services: Services, *lines: str) -> str:
    console = Console(file=io.StringIO(), width=200)
    converse(Conversation.in_process(services), console, lines)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown(answer: Answer, *, is_terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=is_terminal)
    render(console, answer)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_answer_shows_its_quote_its_source_and_how_sure_it_is(services: Services) -> None:
    text = said(services, "How long do refunds take?")
    assert BEST in text and "Refunds > Timing" in text and "wiki: refunds.md" in text
    assert "Quite sure (92 %)" in text and "updated today" in text


def test_what_of_a_long_message_was_not_read_is_said(services: Services) -> None:
    log = "The printer beeps and shows an error. " * 30
    text = said(services, f"{log}How long do refunds take?")
    assert "Your message is long: I read the last question of it." in text
    assert "Your message is long" not in said(services, "How long do refunds take?")


def test_the_best_sentences_are_bold_and_the_rest_is_not() -> None:
    assert f"\x1b[1m{BEST}\x1b[0m" in shown(answer_to("?"), is_terminal=True)


def test_a_vote_counts_for_the_last_answer(services: Services) -> None:
    conversation = Conversation.in_process(services)
    converse(conversation, Console(file=io.StringIO()), ["How long?", "+1", "-1 that is old"])
    assert conversation.last is not None
    with services.database.connection() as connection:
        (vote,) = votes.of(connection, "local", conversation.last.answer_id)
    assert vote == Vote(
        conversation.last.answer_id, "terminal", -1, "terminal", detail="that is old"
    )


def test_before_the_first_answer_there_is_nothing_to_vote_on_or_explain(services: Services) -> None:
    assert "no answer yet to vote on" in said(services, "+1")
    assert "no answer yet to explain" in said(services, "why")


def test_why_tells_how_the_last_answer_came_about(services: Services) -> None:
    assert "answered, confidence 0.92" in said(services, "How long?", "why")


def test_quit_ends_the_conversation_and_blank_lines_are_nothing(services: Services) -> None:
    assert said(services, "", "quit", "How long?") == ""


def test_what_was_not_found_shows_the_nearest_pages() -> None:
    hint = answer_to("?").citations
    text = shown(answer_to("?", "not_found", hints=hint))
    assert "did not find" in text and "Refunds > Timing" in text and BEST not in text


def test_a_failed_question_shows_the_id_that_the_log_knows() -> None:
    failed = answer_to("?", "failed")
    assert str(failed.answer_id) in shown(failed)


def test_document_text_cannot_steer_the_terminal() -> None:
    evil = "Pay \x1b]0;owned\x07now \x1b[2J[bold red]at once[/]"
    text = shown(answer_to("?", body=evil))
    assert "\x1b" not in text and "\x07" not in text and "[bold red]at once[/]" in text


def test_through_the_queue_a_question_is_claimed_and_its_job_waits(services: Services) -> None:
    conversation = Conversation.through_queue(services, lambda: None, patience=0.2)
    with pytest.raises(Unanswered, match="Is a worker running"):
        conversation.ask("How long?")
    with services.database.connection() as connection:
        assert queue.depths(connection) == [queue.Depth("questions", 1, 0)]


@pytest.mark.parametrize("text", ["😀", "a\x00b", "x" * 40_000, "\ud800", "<!channel>"])
def test_odd_questions_are_answered_like_any_other(services: Services, text: str) -> None:
    assert Conversation.in_process(services).ask(text).status in ("answered", "smalltalk")


def test_a_conversation_keeps_what_was_asked_before_and_a_single_question_has_nothing(
    services: Services,
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return answer_to(request.text)

    services = Services(services.settings, services.database, None, answer=answer)
    talk = Conversation.in_process(services)
    single = Conversation.in_process(services, remembers=False)
    for conversation in (talk, Conversation.in_process(services), single):
        conversation.ask("How many days off?")
        conversation.ask("and for interns?")
    earlier = ("How many days off?",)
    assert [each.earlier for each in asked] == [(), earlier, (), earlier, (), ()]


def test_a_dislike_takes_a_kept_reply_out_of_service_that_a_colleague_dislikes_too(
    services: Services,
) -> None:
    now = datetime.now(UTC)
    with services.database.connection() as connection:
        connection.execute(
            "INSERT INTO faqs (workspace_id, faq_id, question, body, author, asker, audience, channel,"
            " message_ts, embedder_id, embedding, state, kept_at) VALUES (%s, %s, 'Who?', 'Ana.', 'U7',"
            " 'U8', %s, 'C1', '1.2', 1, '[1]', 'approved', %s)",
            (services.workspace, kept := uuid4(), [EVERYONE], now),
        )
    again = Services(
        services.settings, services.database, None,
        answer=lambda request: answer_to(request.text, versions={"faq": str(kept)}),
    )  # fmt: skip
    conversation = Conversation.in_process(again)
    answer = conversation.ask("Who?")

    def is_served() -> bool:
        with services.database.connection() as connection:
            return faqs.serves(connection, services.workspace, str(kept), Viewer((EVERYONE,)))

    assert conversation.vote(-1)
    assert is_served()
    with services.database.connection() as connection:
        colleague = Vote(answer.answer_id, "U9", -1, "button")
        votes.cast(connection, services.workspace, colleague, datetime.now(UTC))
    assert conversation.vote(-1)
    assert not is_served()
