"""Serve an approved answer of a person where the question is almost the same, with credit.

Knows nothing about Slack or how answers get approved.
"""

from collections.abc import Sequence
from uuid import uuid4

from store.feedback.faqs import Faq
from store.records import Answer, Citation

SERVED_ABOVE = 0.85
"""Cosine from which two questions are taken for the same; below, paraphrases and neighbours mix."""

SOURCE = "faq"
"""The source that a served answer is cited from."""


def answer(question: str, faq: Faq, similarity: float, vector: Sequence[float]) -> Answer:
    """Make the answer: the person's words, cited as theirs."""
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
        signals={"faq": similarity},
        versions={"faq": str(faq.faq_id)},
        vector=tuple(vector),
    )
