"""The JSON that others rely on: answers and sources as the command line gives them.

Knows nothing about printing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.answering import showing
from store.records import Answer, Citation, Passage, Phrasing, Rewriting, Shown, SourceStatus


def answer_json(answer: Answer, notes: Sequence[str] = ()) -> dict[str, object]:
    """Write an answer as the contract says (docs/json.md); `notes` say what of the message was not read."""
    return {
        "id": str(answer.answer_id),
        "question": answer.question,
        "status": answer.status,
        "confidence": round(answer.confidence, 4),
        "intent": {
            "name": answer.intent,
            "confidence": round(answer.intent_confidence, 4),
        },
        "answer": answer.body,
        "citations": [citation_json(citation) for citation in answer.citations],
        "shown": [_shown_json(shown) for shown in showing.of(answer)],
        "notes": list(notes),
        "understood": answer.understood or None,
        "rewriting": rewriting_json(answer.rewriting),
        "phrasing": phrasing_json(answer.phrasing),
        "hints": [citation_json(hint) for hint in answer.hints],
        "passages": [_passage_json(passage) for passage in answer.passages[:10]],
        "signals": {name: round(value, 4) for name, value in answer.signals.items()},
        "versions": dict(answer.versions),
        "timings_ms": dict(answer.timings_ms),
    }


def phrasing_json(phrasing: Phrasing | None) -> dict[str, object] | None:
    """Write what an LLM made of it; None where none was asked."""
    if phrasing is None:
        return None
    return {
        "sentences": [{"text": s.text, "quotes": list(s.quotes)} for s in phrasing.sentences],
        "sent": list(phrasing.sent),
        "model": phrasing.model,
        "seconds": phrasing.seconds,
        "drops": dict(phrasing.drops),
    }


def rewriting_json(rewriting: Rewriting | None) -> dict[str, object] | None:
    """Write what an LLM made of a follow-up; None where none was asked."""
    if rewriting is None:
        return None
    return {
        "text": rewriting.text or None,
        "model": rewriting.model,
        "seconds": rewriting.seconds,
        "dropped": rewriting.dropped or None,
    }


def citation_json(citation: Citation) -> dict[str, object]:
    return {
        "title": citation.title,
        "path": citation.path,
        "url": citation.url,
        "quote": citation.quote,
        "heading": citation.heading,
        "score": round(citation.score, 4),
        "updated_at": _date(citation.updated_at),
        "source": citation.source,
        "left_out": list(citation.left_out),
    }


def _shown_json(shown: Shown) -> dict[str, object]:
    return {
        "text": shown.text,
        "marked": list(shown.marked),
        "path": shown.path,
        "heading": shown.heading,
    }


def _passage_json(passage: Passage) -> dict[str, object]:
    return {
        "path": passage.path,
        "heading": passage.heading,
        "score": round(passage.score, 4),
        "vector": _rounded(passage.vector),
        "lexical": _rounded(passage.lexical),
        "source": passage.source,
        "chunk_id": str(passage.chunk_id),
    }


def source_json(
    source: SourceStatus, partial: Sequence[tuple[str, tuple[str, ...]]] = ()
) -> dict[str, object]:
    """Write how a source is doing; `partial` are the documents that were read in part."""
    run: Mapping[str, object] | None = None
    if source.run is not None:
        run = {
            "state": source.run.state,
            "total": source.run.total,
            "seen": source.run.seen,
            "changed": source.run.changed,
            "unchanged": source.run.unchanged,
            "removed": source.run.removed,
            "embedded": source.run.embedded,
            "started_at": _date(source.run.started_at),
            "finished_at": _date(source.run.finished_at),
        }
    return {
        "name": source.name,
        "kind": source.kind,
        "address": source.address,
        "documents": source.documents,
        "chunks": source.chunks,
        "failed": source.failed,
        "skipped": source.skipped,
        "partial": source.partial,
        "partly_read": [{"path": path, "left_out": list(left)} for path, left in partial],
        "last_success": _date(source.last_success),
        "next_run": _date(source.next_run),
        "last_error": source.last_error,
        "complaint": source.complaint,
        "run": run,
    }


def _date(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
