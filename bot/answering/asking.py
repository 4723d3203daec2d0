"""What of a message is the question: the end of a long one, or each of two in one message.

Knows nothing about searching. What is left out is said (`note`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.answering import history

LONG_CHARS = 800
"""From here on a message is a story with a question in it; an encoder reads about 1,000 characters of prose.

A sign or digit takes it as much as three letters do: 400 characters of a log are long."""

READ_CHARS = 1000
"""What an encoder reads of prose, about."""

WORDY = 0.8
"""The share of letters and spaces from which a line is what somebody says, not a log's."""

MOST_ASKED = 2
"""Sentences of a long message that are searched for: its last ones that ask."""

SHORT_CHARS = 300
"""Two questions in one message are only told apart in a message of at most so many characters."""

TELLING = 2
"""Words that each of two questions has to say of itself; one that begins with a question word, one less."""

BOTH, FIRST_ALONE, SECOND_ALONE = "two:both", "two:first", "two:second"
"""Signals of an answer to two questions: which of them are answered."""

MORE = "You asked more than two questions: I read the first two."

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

_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|that|this|these|those|he|him|his|she|her|there|then|ones?|same|such|else|both"
    r"|instead|either|another|others?)\b",
    re.IGNORECASE,
)
"""Words of a short question that stand for something said before it; that it is short says nothing here."""
_WORDED = re.compile(
    r"(?:and |so |but )?(?:who|whom|whose|how|where|when|which|what|why)\b", re.IGNORECASE
)

_JOINT = re.compile(
    r",? (?:and|also)(?: also)?,? (?=(?:who|whom|whose|how|where|when|which|what|why|do|does|can|may|is|are)\b[^?]*\?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a message asks: `text` is read, `told` is what it tells besides, `note` says so."""

    text: str
    told: str = ""
    note: str | None = None


def read(message: str, limit: int) -> Asked:
    """Find what a message asks; of one that asks nothing clearly, its last words below a log are read, or its
    first `limit` characters."""
    if not _is_long(message):
        return Asked(message)
    sentences = [each.strip() for each in _BORDER.split(message) if each.strip()]
    asking = [n for n, each in enumerate(sentences) if _asks(each)][-MOST_ASKED:]
    if sentences and not asking and not _is_wordy(message) and _is_wordy(sentences[-1]):
        told = " ".join(sentences[:-1])
        return Asked(sentences[-1][:limit], told, "Your message is long: I read the end of it.")
    if not asking:
        return Asked(message[:limit], note=_cut(message, limit))
    told = " ".join(each for n, each in enumerate(sentences) if n not in asking)
    which = "the last question" if len(asking) == 1 else "the last two questions"
    note = f"Your message is long: I read {which} of it."
    return Asked(" ".join(sentences[n] for n in asking)[:limit], told, note)


def two(question: str) -> tuple[str, str] | None:
    """Tell two questions in one message apart; None where it is one, or the second leans on the first.

    Of more than two, the first two are taken.
    """
    if len(question) > SHORT_CHARS:
        return None
    parts = _parts(question)
    if len(parts) < 2 or not all(_is_clear(each) for each in parts[:2]):
        return None
    first, second = parts[:2]
    is_short = len(history.telling(second)) <= history.FEW_WORDS
    leans = _POINTING.search(second) if is_short else history.leans(second, (first,))
    return None if leans else (first, second)


def _is_clear(question: str) -> bool:
    return len(history.telling(question)) + bool(_WORDED.match(question)) >= TELLING


def _parts(question: str) -> list[str]:
    """Give the questions of a message: each ends with its mark, or an "and" with a question word begins the next."""
    marked = [part.strip() for part in re.split(r"(?<=\?)\s+", question.strip()) if part.strip()]
    parts = [part for each in marked for part in _JOINT.split(each)]
    is_asking = [part.endswith("?") or bool(_ASKED.search(part)) for part in parts]
    if len(parts) < 2 or not all(is_asking[:2]):
        return []
    asked = [part for part, asks in zip(parts, is_asking, strict=True) if asks]
    return [re.sub(r"^(?:and|also)[\s,]+", "", part, flags=re.IGNORECASE) for part in asked]


def notes(message: str, signals: Mapping[str, float], limit: int) -> list[str]:
    """Say what of a message was not read, and which of two questions in it are answered."""
    of_two = next((note for name, note in _NOTES.items() if name in signals), None)
    asked = read(message, limit)
    more = MORE if of_two and len(_parts(" ".join(asked.text.split()))) > 2 else None
    return [note for note in (asked.note, of_two, more) if note]


def _is_long(message: str) -> bool:
    signs = sum(not (sign.isalpha() or sign.isspace()) for sign in message[: LONG_CHARS + 1])
    return len(message) + 2 * signs > LONG_CHARS and len(message) > SHORT_CHARS


def _is_wordy(text: str) -> bool:
    words = sum(sign.isalpha() or sign.isspace() for sign in text)
    return len(text.split()) > 1 and words >= WORDY * len(text)


def _cut(message: str, limit: int) -> str | None:
    """Say how much of a message counts, where it is longer."""
    if len(message) > limit:
        return f"Only the first {limit:,} characters were read."
    if len(message) > READ_CHARS:
        return f"Your message is long: mostly its first {READ_CHARS:,} characters count."
    return None


def _asks(sentence: str) -> bool:
    return (
        len(sentence) <= LONG_CHARS and len(sentence.split()) > 1 and bool(_ASKED.search(sentence))
    )
