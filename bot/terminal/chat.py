"""A conversation in the terminal: questions in, cited answers out, +1 and -1 as votes.

Knows nothing about how an answer is found: `Conversation` is given what answers a claimed question.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

from rich.console import Console
from rich.text import Text

from bot import jobs
from bot.answering import asking
from bot.services import Services
from bot.terminal import console, explain
from bot.terminal.render import render
from store import answers, questions
from store.feedback import faqs, votes
from store.records import Answer, Ask, Vote

TERMINAL = "terminal"
"""Origin, channel and person of what is typed here."""

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 120.0

WORDS = {"+1": 1, "-1": -1, ":+1:": 1, ":-1:": -1, "👍": 1, "👎": -1}
HELP = """\
Type a question. About the last answer:
  +1 or -1   it was right, it was wrong (words after -1 are kept: -1 that page is outdated)
  why        how it came about: passages, scores, versions
quit (or Ctrl-D) ends the conversation."""


class Unanswered(Exception):
    """No answer came in time; the message says where to look."""


class Conversation:
    """Questions asked one after the other, and what is said about the last answer."""

    def __init__(
        self,
        services: Services,
        answer: Callable[[str, UUID], None],
        *,
        is_queued: bool = False,
        remembers: bool = True,
    ) -> None:
        """Take what sees to it that a claimed question ends: answer(workspace, question_id).

        A conversation that `remembers` understands a question with those before it.
        """
        self._services = services
        self._answer = answer
        self._is_queued = is_queued
        self._thread = uuid4().hex if remembers else None
        self.last: Answer | None = None

    @classmethod
    def in_process(cls, services: Services, *, remembers: bool = True) -> "Conversation":
        """Answer here, with models loaded into this process."""
        from bot.answering import lifecycle

        def answer(workspace: str, question_id: UUID) -> None:
            lifecycle.handle(
                services.database,
                workspace,
                question_id,
                services.answer,
                lambda *_: None,  # who asks in the terminal fetches the answer
                max_question=services.settings.max_question,
                phrase=services.phrase,
            )

        return cls(services, answer, remembers=remembers)

    @classmethod
    def through_queue(
        cls, services: Services, check: Callable[[], None], patience: float = PATIENCE_SECONDS
    ) -> "Conversation":
        """Let a worker answer, as it does for Slack; wait at most `patience` seconds for it.

        `check` is called while waiting and may raise, to give up.
        """

        def answer(workspace: str, question_id: UUID) -> None:
            deadline = time.monotonic() + patience
            while not _has_ended(services, workspace, question_id):
                check()
                if time.monotonic() > deadline:
                    raise Unanswered(
                        f"No answer within {patience:.0f} s; it will be kept when it comes."
                        f" Is a worker running? See {services.settings.home / 'logs'}."
                    )
                time.sleep(POLL_SECONDS)

        return cls(services, answer, is_queued=True)

    def ask(self, text: str) -> Answer:
        """Claim a question and wait until it has ended; gives the recorded answer."""
        workspace = self._services.workspace
        question_id = self._claim(workspace, text)
        self._answer(workspace, question_id)
        with self._services.database.connection() as connection:
            answer = answers.of(connection, workspace, question_id)
            question = questions.get(connection, workspace, question_id)
        if answer is None:
            # Nothing was recorded for what was ignored or failed: the question's id leads to it.
            status = question.status if question and question.status else "failed"
            answer = Answer(question_id, text, status, 0.0, None)
        self.last = answer
        return answer

    def notes(self, text: str) -> list[str]:
        """Say what of the last question, which was this text, was not read or not answered."""
        signals = self.last.signals if self.last else {}
        return asking.notes(text, signals, self._services.settings.max_question)

    def vote(self, value: int, detail: str | None = None) -> bool:
        """Vote on the last answer; False when there is none to vote on.

        A kept reply that others dislike, too, goes out of service.
        """
        if self.last is None:
            return False
        now, where = datetime.now(UTC), self._services.workspace
        vote = Vote(self.last.answer_id, TERMINAL, value, "terminal", detail=detail)
        with self._services.database.connection() as connection:
            votes.cast(connection, where, vote, now)
            if value < 0:
                faqs.flag_disliked(connection, where, vote.answer_id, now)
        return True

    def why(self, console: Console) -> bool:
        """Show how the last answer came about; False when there is none."""
        if self.last is None:
            return False
        console.print(explain.render(explain.find(self._services, str(self.last.answer_id))))
        return True

    def _claim(self, workspace: str, text: str) -> UUID:
        now = datetime.now(UTC)
        ask = Ask(
            workspace, TERMINAL, uuid4().hex, TERMINAL, text, "terminal",
            is_private=True, thread_ts=self._thread,
        )  # fmt: skip
        with self._services.database.connection() as connection:
            question_id = questions.claim(connection, ask, now)
            assert question_id is not None
            if self._is_queued:
                jobs.defer_answer(connection, self._services.queue, workspace, question_id)
        return question_id


def chat(services: Services) -> None:
    """Hold a conversation on stdin and stdout, answering in this process."""
    notices = console.notices()
    with notices.status("Loading the models"):
        services.load()
    notices.print(Text(HELP if sys.stdin.isatty() else "", "dim"))
    converse(Conversation.in_process(services), console.data(), lines(console.data()))


def lines(console: Console) -> Iterator[str]:
    """Give what is typed, line by line, until the end of the input or Ctrl-C at the prompt."""
    if not sys.stdin.isatty():
        yield from (line.strip() for line in sys.stdin)
        return
    import readline  # noqa: F401  (its import gives input() history and editing)

    while True:
        try:
            yield console.input("\n[bold cyan]?[/] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return


def converse(conversation: Conversation, console: Console, said: Iterable[str]) -> None:
    """Take what is said, line by line, until there is no more or `quit`."""
    for line in said:
        word, _, rest = line.partition(" ")
        if line.lower() in ("quit", "exit", "q"):
            return
        if line.lower() in ("help", "?"):
            console.print(Text(HELP))
        elif word in WORDS:
            _vote(conversation, console, WORDS[word], rest.strip() or None)
        elif line.lower() == "why":
            if not conversation.why(console):
                console.print("There is no answer yet to explain.")
        elif line:
            _ask(conversation, console, line)


def _ask(conversation: Conversation, console: Console, line: str) -> None:
    if not sys.stdin.isatty():
        console.print(Text(f"\n? {line}", "bold cyan"))
    try:
        if console.is_terminal:
            with console.status("Looking it up"):
                answer = conversation.ask(line)
        else:
            answer = conversation.ask(line)
    except Unanswered as error:
        console.print(Text(str(error), "red"))
        return
    render(console, answer, conversation.notes(line))


def _vote(conversation: Conversation, console: Console, value: int, detail: str | None) -> None:
    if not conversation.vote(value, detail):
        console.print("There is no answer yet to vote on.")
    elif value > 0:
        console.print("Thanks: noted as right.")
    else:
        console.print("Thanks: noted as wrong; it counts from tonight on.")


def _has_ended(services: Services, workspace: str, question_id: UUID) -> bool:
    with services.database.connection() as connection:
        question = questions.get(connection, workspace, question_id)
    return question is not None and question.status is not None
