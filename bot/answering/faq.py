"""Serve an approved answer of a person where the question is almost the same, with credit.

Knows nothing about how answers get approved.
"""

from collections.abc import Sequence
from uuid import uuid4

from bot.answering import showing
from bot.answering.request import Request
from store.database import Database
from store.feedback import faqs
from store.feedback.faqs import Faq
from store.index.embedders import embedder_id
from store.records import Answer, Citation

SERVED_ABOVE = 0.85
"""Cosine from which two questions are taken for the same; below, paraphrases and neighbours mix."""

SOURCE = "faq"
"""The source that a served answer is cited from."""


def reply(
    database: Database,
    workspace: str,
    embedder: str,
    request: Request,
    vector: Sequence[float],
) -> Answer | None:
    """Give the approved answer to almost the same question, if the viewer may see one.

    `vector` is the question's, by the embedder of that name.
    """
    number, viewer = embedder_id(embedder), request.viewer
    with database.reading() as connection:
        known = faqs.best(connection, workspace, number, vector, viewer, SERVED_ABOVE)
    return _answer(request.text, *known, vector) if known else None


def _answer(question: str, faq: Faq, similarity: float, vector: Sequence[float]) -> Answer:
    """Give the person's words, cited as theirs."""
    citation = Citation(
        title=f"Answered by {faq.author_name or faq.author}",
        path=f"{SOURCE}/{faq.faq_id}",
        url=faq.permalink,
        quote=faq.body,
        heading=faq.question,
        score=similarity,
        updated_at=faq.kept_at,
        source=SOURCE,
        chunk_id=0,
    )
    return Answer(
        answer_id=uuid4(),
        question=question,
        status="answered",
        confidence=similarity,
        body=faq.body,
        citations=(citation,),
        shown=showing.shown((citation,), faq.body, ((faq.body,),)),
        signals={"faq": similarity},
        versions={"faq": str(faq.faq_id)},
        vector=tuple(vector),
    )
