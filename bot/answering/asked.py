"""A question taken apart: what it asks for, whether what one may or what one must, and what it says besides.

Knows nothing about other questions.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.answering.lexicon import in_order, lexicon, plain

_KINDS = (
    (r"\bhow (?:many|often|long|far|old|much)\b", "how {}"),
    (r"\bwhose\b", "whose"),
    (r"\b(?:who|whos|who's)\b", "who"),
    (r"\b(?:when|whens|when's)\b", "when"),
    (r"\b(?:where|wheres|where's)\b", "where"),
    (r"\b(?:why)\b", "why"),
    (r"\b(?:how|hows|how's)\b", "how"),
)
_WHETHER = re.compile(
    r"\W*(?:can|could|may|might|am|is|are|do|does|did|should|must|will|would|was|were|have|has)\b"
)
_MUST = re.compile(
    r"\b(?:must|required|mandatory|necessary|compulsory|obligatory|(?:have|has|had|need|needs) to)\b"
)
_MAY = re.compile(r"\b(?:can|may|could|might|allowed|permitted|possible|able)\b")

_ASKING = r"\b(?:who|whose|what|which|where|how|why)\b"
_LEADS_IN = re.compile(
    r"\b(?:know|(?:tell|remind|ask) (?:me|us)|say|sure|idea|wonder|wondering|remember|clear|out|about|of|and|from|since"
    r"|until|by)\W*$"
)
_SIZES = {
    "heavy": "weight", "fast": "speed", "high": "height", "tall": "height", "wide": "width",
    "deep": "depth", "big": "size", "large": "size", "hot": "temperature", "cold": "temperature",
    "warm": "temperature",
}  # fmt: skip
_SEASONS = "christmas|easter|weekend|holiday|winter|summer|night|lunch|year"
_EVENTS = "party|meeting|event|workshop|training|outing|trip|lunch|dinner"

Instead = str | Callable[[re.Match[str]], str]

_FORMS: tuple[tuple[str, Instead], ...] = (
    (r"['’](?:m|d|ll|ve|re)\b", " "),
    (rf"\bhow ({'|'.join(_SIZES)})\b", lambda found: f"what {_SIZES[found[1]]}"),
    (r"\bhow (?:do|does) (?!i\b|we\b|you\b)(.*?)\bwork\b", r"how \1"),
    (r"\bhow (?:is|are) (.*?)\bdone\b", r"how \1"),
    (r"\bwho (?:is |are )?responsible (?:for )?(?=\w+ing\b)", "who "),
    (
        r"\bwhom? (?:do|can|could|should|must|to)(?: i| we)?(?: have to| need to)? (?:call|ring|phone|contact|ask)\b",
        "who contact",
    ),
    (r"\bwho (?:runs?|performs?|conducts?)\b", "who does"),
    (rf"\b(?:join|come to|come along to|go to) (?=(?:the )?(?:\w+ )?(?:{_EVENTS})\b)", "attend "),
    (r"\bopen (?=(?:an? )?(?:\w+ )?(?:ticket|case)\b)", "create "),
    (r"\b(?:max|maximum|highest)\b", "limit"),
    (rf"\b(?:over|during) (?=(?:the )?(?:{_SEASONS}))", "at "),
)
"""Forms of asking that say nothing by themselves, and what stands for them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in plain letters; `kind` has what it asks for ("who", "how much", "whether" ...), and `words`
    each word by what stands for it, in their order, with the word as it was written."""

    text: str
    kind: frozenset[str]
    modal: str | None
    words: Mapping[str, str]

    @classmethod
    def of(cls, question: str) -> "Asked":
        """Take a question apart."""
        text = plain(question)
        for form, instead in _FORMS:
            text = re.sub(form, instead, text)
        text = _with_conditions(text)
        words = in_order(text)
        return cls(text, frozenset(_kind(text, words)), _modal(text), words)


def _with_conditions(text: str) -> str:
    """Give "when" as "if" where it says under which condition something is asked: who do I call when it burns?"""
    found = re.search(r"\bwhen\b", text)
    if not found:
        return text
    before, after = text[: found.start()], text[found.end() :]
    asked_before = re.search(_ASKING, before) or _WHETHER.match(before)
    is_asked = not asked_before or _LEADS_IN.search(before)
    if is_asked and not (_asks_later(after) and not before.strip()):
        return text
    return f"{before}if{after}"


def _asks_later(text: str) -> bool:
    """Whether something is asked behind a comma."""
    later = text.partition(",")[2]
    parts = later.split(",") if later else []
    return bool(re.search(_ASKING, later)) or any(_WHETHER.match(part) for part in parts)


def _kind(text: str, words: Mapping[str, str]) -> set[str]:
    found, rest = set[str](), text
    for pattern, name in _KINDS:
        match = re.search(pattern, rest)
        if match:
            found.add(name.format(match[0].split()[-1]))
            rest = re.sub(pattern, " ", rest)
    if found == {"where"} and words.keys() & lexicon().errands:
        return {"where", "how"}
    return found or ({"whether"} if _WHETHER.match(text) else found)


def _modal(text: str) -> str | None:
    """Tell a question about what must be from one about what may be: "must I wear it?", "may I wear it?"

    "Who do I have to ask" is neither, since "who can I ask" is the same.
    """
    is_other = any(re.search(pattern, text) for pattern, _ in _KINDS)
    if is_other or not (_WHETHER.match(text) or re.search(r"\b(?:what|which)\b", text)):
        return None
    return "must" if _MUST.search(text) else "may" if _MAY.search(text) else None
