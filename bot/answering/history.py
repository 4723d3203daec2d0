"""Follow-ups: does a question lean on what was said before it, and with what is it to be understood?

Knows nothing about Slack or the database; what was said before is handed in, oldest first.
"""

import re
from collections.abc import Sequence

MESSAGES = 3
"""Earlier messages that a question is understood with, at most: with all of a long talk, recall falls again."""

MESSAGE_CHARS = 300
"""Of each of them, the beginning: what it is about stands there."""

FEW_WORDS = 2
"""What has so few words that tell something, and asks nothing with a verb, is rarely whole."""

FEW_ASKED = 1
"""A sentence that asks is rarely whole with so few. With two, history helped one of eleven such turns of MTRAG."""

ASKS = re.compile(
    r"\?|\b(?:how|what|whats|when|where|who|whose|which|why|can i|could i|do i|may i|am i)\b",
    re.IGNORECASE,
)
"""A message that asks something."""

_TALK = re.compile(
    r"^(?:(?:ok(?:ay)?|oh|ah|hm+|well|great|good|cool|nice|perfect|thx|sorry|oops|please|hi|hey"
    r"|thanks?(?: you)?(?: a lot| so much| very much| again)?"
    r"|yes|yeah|no|got it|i see|that(?: i|')s (?:ok(?:ay)?|fine|great|good))\b[\s,.!:;-]*)+",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^(?:and|or|but|so|then|also|plus|what about|how about|what if|same (?:for|with)|what else|anything else"
    r"|any other|i mean|i meant|you (?:mean|said|say)|do you mean|what do you mean|if so|if not|in that case"
    r"|why|why not|how so|how come|even|only|not|what then|is that|are those|are these|per"
    r"|und|oder|aber|auch|dann|gilt (?:das|dies|es)|was ist mit|wie (?:ist|sieht) (?:es|das)|et|mais|y|pero)\b"
    r"|^for\b(?! (?:how long|what|which|whom?)\b)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"^(?:if|unless|when (?:i|we|you)|as an?)\b[^,]*$", re.IGNORECASE)
_PLACED = re.compile(
    r"^(?:in|on|at|with|without|during|after|before|from|since|until|within|below|above|over|under)\b",
    re.IGNORECASE,
)
_MAIN = re.compile(
    r"\b(?:how|what|when|where|who|whom|whose|which|why)\b|\b(?:can|could|do|does|did|is|are|am|was|were|will|would|shall"
    r"|should|may|must|have|has) (?:i|we|you|he|she|it|they|the|my|our|your|there|this|that|an?|any\w*|some\w*|every\w*)\b",
    re.IGNORECASE,
)
"""A part of a sentence that asks: without one, "if I work three days a week?" or "in Berlin?" is no whole question."""

_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|these|those|he|him|his|she|her|hers|then|same|such|another(?= one\b|\W*$)|others"
    r"|else|instead|either|neither|former|latter|ones?|above|again|(?:what|is|was|does|did|like|about|after|before|for"
    r"|of|with|to|do|in) that|that (?:one|is|was|case|page|also|mean|too)|over there|there\?|more\?)(?![\w'])",
    re.IGNORECASE,
)
"""Words that stand for something said before; what they stand for may be in the question itself."""

_EMPTY_IT = re.compile(
    r"\b(?:is|was|if|does|will|would) it (?:ok(?:ay)?|possible|allowed|necessary|true|safe|worth|take|mandatory|legal"
    r"|required|cost|mean|matter|count)\b|\bit (?:is possible|depends)\b|\bthis (?:year|week|month|morning)\b"
    r"|\b(?:one|each) (?:of|day|week|month|year|hour)\b|\bone\b(?= \w)",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"^what(?:'?s| is| are| does)? (?:an? )?(?!the\b|this\b|that\b)[\w&#./'-]+(?: mean)?\W*$",
    re.IGNORECASE,
)
"""Asks what a word means: short, and whole."""

_NAMES = re.compile(r"\b(?!OK\b)[A-Z]{2,}\b|(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{4,}\b")
"""An acronym or a code: the message names what it is about."""

_EXISTS = re.compile(
    r"^(?:(?:is|are) there (?:an?|any|some)|do (?:we|you) have|who(?:'s| is| are) (?:the|our)"
    r"|where(?:'s| is| are) (?:the|our)|how (?:many|much) [\w'-]+ (?:do (?:we|you) have|(?:are|is) there))\b",
    re.IGNORECASE,
)
"""Asks for something new, unless what it asks for belongs to something else (_RELATED)."""

_CALL = re.compile(
    r"(?:(?:(?:hi|hey|hello|please|pls|plz|fyi|bump|help|hilfe|bitte|this|that|above|here|this one|(?:see|look|check)(?: at)?"
    r" (?:this|that|above|here)"
    r"|(?:can|could|would|will) (?:you|u|anyone|anybody|someone|somebody)(?: please)? (?:help|answer|reply|respond|look|check)"
    r"|kannst du (?:helfen|das beantworten)|(?:please )?answer|any (?:ideas?|clues?|thoughts|input)|ideas|thoughts|anyone|anybody"
    r"|(?:do you|anyone|anybody|who) knows?|what do you (?:think|say)(?: to| about| of| on)?|wei(?:ss|ß) das (?:jemand|wer)"
    r"|me|us|with|on|out)\b|:(?:point_up(?:_2)?|arrow_up|pray|eyes|question|thinking_face|wave):)[\s,.!?…\u2191^-]*)+",
    re.IGNORECASE,
)
"""A message that only calls for an answer: to what stands above it, or to what it forwards."""

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_GRAMMAR = frozenset(
    _WORD.findall("""a an the of to in on at by for from with about into as and or but so if then than also too not no is are
    was were be been being am do does did done have has had will would can could may might must shall should i me my
    mine we us our you your he him his she her it its they them their this that these those there here what when where
    which who whom whose why how any some all more much many few far long often soon please tell know mean meant want
    need get go let say said think ask just really still even only same such other another else one ones thing things
    way kind ok okay thanks thank i'm i've don't doesn't can't it's what's how's that's find give where's who's when's
    happen happens happened otherwise until till since include includes included exactly""")
)
_RELATED = frozenset(
    _WORD.findall("""limit limits exception exceptions deadline form forms fee fees cost costs price rule rules process procedure
    approval date time place option options alternative alternatives contact link example examples template list maximum
    minimum cap budget requirement requirements condition conditions step steps penalty difference reason details
    restrictions person owner lead""")
)
"""Nouns of which one asks "of what?"."""


def leans(question: str, earlier: Sequence[str]) -> bool:
    """Whether a question is only understood with the messages before it.

    It begins like the middle of a talk, points to something that it does not name itself, or says too
    little to stand alone.
    """
    if not earlier:
        return False
    said = _TALK.sub("", question.strip())
    if not any(sign.isalnum() for sign in said):
        return False
    if _OPENING.search(said) or _is_fragment(said):
        return True
    if _says_little(said):
        return True
    bare = _EMPTY_IT.sub(" ", said)
    return any(len(telling(bare[: m.start()])) < FEW_WORDS for m in _POINTS.finditer(bare))


def _says_little(said: str) -> bool:
    """Whether it has too few words of its own to be understood alone."""
    words = telling(said)
    if _DEFINED.match(said) or _NAMES.search(said):
        return not words
    if _EXISTS.match(said):
        return set(words[:1]) <= _RELATED and len(words) <= FEW_WORDS
    return len(words) <= (FEW_ASKED if _MAIN.search(said) else FEW_WORDS)


def _is_fragment(said: str) -> bool:
    """Whether it is a condition or a circumstance of which nothing is asked."""
    begins = re.match(r"\w+", said)
    rest = said[begins.end() :] if begins else said
    is_asked = said.rstrip(" !.\"')").endswith("?")
    is_part = _CLAUSE.search(said) or (is_asked and _PLACED.search(said))
    return bool(is_part) and not _MAIN.search(rest)


def recent(earlier: Sequence[str]) -> tuple[str, ...]:
    """Give the last messages, each cut to its beginning."""
    said = (" ".join(text.split())[:MESSAGE_CHARS] for text in earlier)
    return tuple(text for text in said if any(sign.isalnum() for sign in text))[-MESSAGES:]


def asked_last(earlier: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Give the last message that asks, else the last one, and those before it; None where there is none."""
    said = [text for text in earlier if any(sign.isalnum() for sign in text)]
    if not said:
        return None
    at = max((n for n, text in enumerate(said) if ASKS.search(text)), default=len(said) - 1)
    return said[at], tuple(said[:at])


def only_calls(message: str) -> bool:
    """Whether a message asks nothing itself, and only that something else be answered."""
    return bool(_CALL.fullmatch(" ".join(message.split())))


def telling(text: str) -> list[str]:
    """Give the words that say what a text is about."""
    return [word for word in _WORD.findall(text.lower()) if word not in _GRAMMAR]
