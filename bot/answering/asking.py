"""What of a message is the question: the end of a long one, or each of two in one message.

Knows nothing about searching. What is left out is said (`note`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.answering import history

LONG_CHARS = 800
"""From here on a message is a story with a question in it; an encoder reads about 1,000 characters."""

MOST_ASKED = 2
"""Sentences of a long message that are searched for: its last ones that ask."""

SHORT_CHARS = 300
"""Two questions in one message are only told apart in a message of at most so many characters."""

TELLING = 2
"""Words that each of two questions has to say of itself."""

BOTH, FIRST_ALONE, SECOND_ALONE = "two:both", "two:first", "two:second"
"""Signals of an answer to two questions: which of them are answered."""

_NOTES: Mapping[str, str] = {
    BOTH: "You asked two questions: the second passage is for the second one.",
    FIRST_ALONE: "You asked two questions: for the second I found nothing that I am sure of.",
    SECOND_ALONE: "You asked two questions: this is for the second; for the first I found nothing.",
}

_BORDER = re.compile(r"(?<=[.!?])\s+|\n+")
_ASKED = re.compile(
    r"\?[\"')\]]*$|^(?:please |pls |so |and |but |hi,? |hello,? )*(?:how|what|when|where|who|whose|which|why"
    r"|can|could|may|do|does|did|is there|are there|should)\b[^=:{}|]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message asks: `text` is read, `told` is what it tells besides, `note` says so."""

    text: str
    told: str = ""
    note: str | None = None


def read(message: str, limit: int) -> Asked:
    """Find what a message asks; of one that asks nothing clearly, the first `limit` characters are read."""
    if len(message) <= LONG_CHARS:
        return Asked(message)
    sentences = [each.strip() for each in _BORDER.split(message) if each.strip()]
    asking = [n for n, each in enumerate(sentences) if _asks(each)][-MOST_ASKED:]
    if not asking:
        note = f"Only the first {limit:,} characters were read." if len(message) > limit else None
        return Asked(message[:limit], note=note)
    told = " ".join(each for n, each in enumerate(sentences) if n not in asking)
    which = "the last question" if len(asking) == 1 else "the last two questions"
    note = f"Your message is long: I read {which} of it."
    return Asked(" ".join(sentences[n] for n in asking)[:limit], told, note)


def two(question: str) -> tuple[str, str] | None:
    """Tell two questions in one message apart; None where it is one, or the second leans on the first."""
    parts = [part.strip() for part in re.split(r"(?<=\?)\s+", question.strip()) if part.strip()]
    if len(question) > SHORT_CHARS or len(parts) != 2 or not parts[1].endswith("?"):
        return None
    first, second = parts[0], re.sub(r"^(?:and|also)[\s,]+", "", parts[1], flags=re.IGNORECASE)
    is_clear = all(len(history.telling(each)) >= TELLING for each in (first, second))
    return (first, second) if is_clear and not history.leans(second, (first,)) else None


def notes(message: str, signals: Mapping[str, float], limit: int) -> list[str]:
    """Say what of a message was not read, and which of two questions in it are answered."""
    of_two = next((note for name, note in _NOTES.items() if name in signals), None)
    return [note for note in (read(message, limit).note, of_two) if note]


def _asks(sentence: str) -> bool:
    return (
        len(sentence) <= LONG_CHARS and len(sentence.split()) > 1 and bool(_ASKED.search(sentence))
    )
