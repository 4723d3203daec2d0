"""Serve an approved answer of a person where the question says the same, with credit.

Knows nothing about how answers get approved.
"""

from collections.abc import Sequence
from uuid import uuid4

from bot.answering import showing
from bot.answering.agreement import NEAR, agrees
from bot.answering.request import Request
from store.database import Database
from store.feedback import faqs
from store.feedback.faqs import Faq
from store.index.embedders import embedder_id
from store.records import Answer, Citation

SOURCE = "faq"
"""The source that a served answer is cited from."""


def reply(
    database: Database,
    workspace: str,
    embedder: str,
    request: Request,
    vector: Sequence[float],
) -> Answer | None:
    """Give the approved answer to the same question in other words, if the viewer may see one.

    `vector` is the question's, by the embedder of that name.
    """
    number, viewer = embedder_id(embedder), request.viewer
    with database.reading() as connection:
        known = faqs.near(connection, workspace, number, vector, viewer, NEAR)
    for faq, similarity in known:
        if agrees(request.text, faq.question):
            return _answer(request.text, embedder, faq, similarity, vector)
    return None


def _answer(
    question: str, embedder: str, faq: Faq, similarity: float, vector: Sequence[float]
) -> Answer:
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
        # The encoder is told, so that a better reply can be kept in the same thread.
        versions={"faq": str(faq.faq_id), "encoder": embedder},
        vector=tuple(vector),
    )
