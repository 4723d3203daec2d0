"""What was asked, page by page and as a table for a spreadsheet; and one conversation with all that explains it.

Knows nothing about how answers are made: it shows what was kept. What was asked in private is shown to
its asker alone.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import get_args
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot import jobs
from bot.answering import showing
from bot.screen import onlookers, overview
from bot.screen.parts import Parts
from store import answers, conversations, testset
from store.conversations import Conversation, Onlooker, Thumbs, Wanted
from store.feedback import faqs, votes
from store.index import scopes, sources
from store.records import READER, Answer, Status
from store.testset import Trial

SHOWN = 50
EXPORTED = 10_000
"""Rows of one table: more than a person looks through, little enough for one reply."""

COLUMNS = ("asked at", "channel", "question", "status", "confidence", "liked", "disliked", "intent",
           "source", "document")  # fmt: skip

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a text for a formula by."""


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the list, the table and the pages of single conversations."""

    @pages.get("/conversations")
    def conversations_() -> str:
        names = onlookers.open_channels(parts)
        wanted, before = _wanted(parts), _before()
        with parts.connection() as connection:
            found = conversations.search(
                connection, parts.workspace, wanted, onlookers.onlooker(names), limit=SHOWN + 1,
                before=before,
            )  # fmt: skip
            known = [status.name for status in sources.statuses(connection, parts.workspace)]
        return render_template(
            "conversations.html",
            title="Conversations",
            found=found[:SHOWN],
            more=_more(found[SHOWN - 1]) if len(found) > SHOWN else None,
            table=f"{url_for('screen.table')}?{urlencode(_given())}",
            names=names,
            sources=known,
            statuses=get_args(Status),
            wanted=wanted,
            is_first=before is None,
        )

    @pages.get("/conversations.csv")
    def table() -> Response:
        names = onlookers.open_channels(parts)
        with parts.connection() as connection:
            found = conversations.search(
                connection, parts.workspace, _wanted(parts), onlookers.onlooker(names), limit=EXPORTED
            )  # fmt: skip
            parts.note(connection, "exported conversations", f"{len(found)} rows")
        reply = Response(_csv(found, names), mimetype="text/csv")
        reply.headers["Content-Disposition"] = 'attachment; filename="conversations.csv"'
        return reply

    @pages.get("/conversations/<uuid:question_id>")
    def conversation(question_id: UUID) -> str:
        one, names = _one(parts, question_id)
        with parts.connection() as connection:
            answer = answers.of(connection, parts.workspace, question_id)
            cast = votes.of(connection, parts.workspace, answer.answer_id) if answer else []
        return render_template(
            "conversation.html",
            title=one.body or "A question without words",
            one=one,
            names=names,
            answer=answer,
            shown=showing.of(answer) if answer else (),
            votes=cast,
        )

    @pages.post("/conversations/<uuid:question_id>/reply")
    def adopt(question_id: UUID) -> ResponseReturnValue:
        one, _ = _one(parts, question_id)
        body = request.form.get("body", "").strip()
        if not body:
            abort(400, "Write what is to be answered.")
        with parts.connection() as connection:
            is_public = _is_public(parts, answers.of(connection, parts.workspace, question_id))
            kept = faqs.adopt(
                connection, parts.workspace, question_id, body, g.person, parts.now(),
                is_public=is_public,
            )  # fmt: skip
            if kept is None:
                abort(409, "This question cannot get a kept reply: it has one, was asked in private, or"
                      " nothing was searched for it.")  # fmt: skip
            jobs.defer_retry(connection, parts.queue)  # it may answer what was asked in vain
            parts.note(connection, "made a kept reply", str(kept.faq_id))
        return _back(one, "saved")

    @pages.post("/conversations/<uuid:question_id>/test")
    def add_to_tests(question_id: UUID) -> ResponseReturnValue:
        one, _ = _one(parts, question_id)
        form = request.form
        trial = Trial(
            question_id,
            one.body,
            "answerable" in form,
            form.get("path", "").strip(),
            form.get("quote", "").strip(),
        )
        if trial.answerable and not (trial.path and trial.quote):
            abort(400, "Say on which page the answer stands, and in which words.")
        with parts.connection() as connection:
            testset.put(connection, parts.workspace, trial, g.person, parts.now())
            parts.note(connection, "added to the test set", str(question_id))
        return _back(one, "saved")


def _one(parts: Parts, question_id: UUID) -> tuple[Conversation, dict[str, str]]:
    """Give a conversation that the admin may read, and the names of open channels."""
    with parts.connection() as connection:
        channel = conversations.channel_of(connection, parts.workspace, question_id)
    names = dict(parts.channels([channel])) if channel else {}
    with parts.connection() as connection:
        onlooker = Onlooker(g.person, tuple(names))
        found = conversations.get(connection, parts.workspace, question_id, onlooker)
    if found is None:
        abort(404, "There is no such question, or it was asked where you may not read it.")
    return found, names


def _is_public(parts: Parts, answer: Answer | None) -> bool:
    """Whether all that an answer cites is open to everyone: only then a reply made of it is."""
    cited = [(each.source, each.path) for each in answer.citations] if answer else []
    if not cited:
        return True
    with parts.connection() as connection:
        return not scopes.hides(connection, parts.workspace, READER, cited, strict=True)


def _wanted(parts: Parts) -> Wanted:
    """Read the filters of the address; what cannot be read is not asked for."""
    since, until = overview.span(parts.now())
    given = request.args
    return Wanted(
        datetime.combine(since, time(), UTC),
        datetime.combine(until, time(), UTC),
        words=given.get("text", "").strip()[:200],
        status=next((s for s in get_args(Status) if s == given.get("status")), None),
        thumbs=next((t for t in get_args(Thumbs) if t == given.get("thumbs")), None),
        least=_share("least"),
        most=_share("most"),
        channel=given.get("channel", "")[:100],
        source=given.get("source", "")[:200],
    )


def _share(name: str) -> float | None:
    """Read a percentage."""
    text = request.args.get(name, "")
    return (
        min(int(text), 100) / 100 if text.isascii() and text.isdecimal() and len(text) < 4 else None
    )


def _before() -> tuple[datetime, UUID] | None:
    """Read behind which conversation the list goes on."""
    moment, _, question_id = request.args.get("after", "").partition("_")
    try:
        return datetime.fromisoformat(moment), UUID(question_id)
    except ValueError:
        return None


def _given() -> dict[str, str]:
    """The filters as they stand in the address."""
    kept = ("text", "status", "thumbs", "least", "most", "channel", "source", "days", "from", "to")
    return {name: value for name in kept if (value := request.args.get(name, ""))}


def _more(last: Conversation) -> str:
    """Give the address of the next page."""
    after = (
        f"{last.asked_at.astimezone(UTC).replace(tzinfo=None).isoformat()}+00:00_{last.question_id}"
    )
    return f"{url_for('screen.conversations_')}?{urlencode(_given() | {'after': after})}"


def _csv(found: list[Conversation], names: Mapping[str, str]) -> Iterator[str]:
    """Write a table line by line; what a spreadsheet would calculate is a text."""
    yield "\ufeff" + _line(COLUMNS)
    for one in found:
        yield _line(
            (
                f"{one.asked_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", names.get(one.channel, "private"),
                one.body, one.status or "open",
                "" if one.confidence is None else f"{one.confidence:.2f}", one.liked, one.disliked,
                one.intent or "", one.source or "", one.title or "",
            )
        )  # fmt: skip


def _line(values: tuple[object, ...]) -> str:
    out = io.StringIO()
    texts = (str(value) for value in values)
    csv.writer(out).writerow([f"'{text}" if text.startswith(FORMULA) else text for text in texts])
    return out.getvalue()


def _back(one: Conversation, said: str) -> ResponseReturnValue:
    return redirect(url_for("screen.conversation", question_id=one.question_id, said=said), 303)
