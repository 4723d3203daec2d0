"""What kind of thing a question asks for (an amount, a length of time, a person), and whether a text tells one.

Knows nothing about passages or scores: "how many seats do we have?" is near to every sentence about seats, and no
vector tells the one with a number from the others. English, with the commonest German and French question words.
"""

import re
from typing import Literal

from store.index import dates

Kind = Literal[
    "money", "share", "clock", "length", "frequency", "moment", "phone", "address", "channel", "command",
    "amount", "person",
]  # fmt: skip

_SPAN = (
    r"(?:seconds?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|months?|quarters?|years?|yrs?|semesters?|sprints?"
    r"|sekunden?|minuten?|stunden?|tage?n?|wochen?|monate?n?|jahre?n?|heures?|jours?|semaines?|mois|ans)"
)
_FEW = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|ninety"
    r"|hundred|thousand|million|dozen|half|quarter|third|double|twice"
    r"|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf)"
)
_MEASURE = (
    r"(?:limit|rate|fee|cost|price|maximum|minimum|max|min|cap|number|amount|percentage|percent|share|budget"
    r"|threshold|quota|size|age|score|version|port|capacity|salary|allowance|charge|fine|penalty|discount|height"
    r"|weight|distance|temperature|dose|speed|count|total|ratio)s?"
)
_ROLE = (
    r"(?:managers?|leads?|supervis\w+|officers?|directors?|heads?|teams?|committee|board|council|departments?|offices?"
    r"|hr|admins?|administrators?|owners?|coordinators?|representatives?|staff|groups?|chief|president|engineers?"
    r"|analysts?|nurses?|doctors?|teachers?|principal|librarian|curator|secretary|assistants?|buddy|people|everyone"
    r"|everybody|anyone|anybody|nobody|employees?|members?|colleagues?|service|desk|support|leitung|leiter\w*"
    r"|abteilung)"
)
_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:days?)?"
_NTH = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|\d{1,2}(?:st|nd|rd|th))"
_AUXILIARY = r"(?:do|does|did|is|are|was|were|will|would|can|could|should|must|has|have|'s|s)"
_BEFORE_WHEN = r"(?:and|so|know|me|wondering|hi|hey|hello|from|until|since|by)"
_WORDS = r"(?: [\w'’-]{1,20}){0,8}? "
_WHICH = r"\b(?:what|which)(?: is| are| was|['’]?s)?"


def _like(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_ASKED: dict[Kind, re.Pattern[str]] = {
    "money": _like(
        rf"\bhow much{_WORDS}(?:costs?|pay|paid|charged?|billed?|fees?|salary|earn|reimbursed)\b",
        rf"\bwhat (?:do|does|did|will|would){_WORDS}(?:costs?|pay|charge|earn)\b(?! (?:with|by|attention)\b)",
        rf"{_WHICH}(?: \w+){{0,3}} (?:costs?|prices?|fees?|salary|charge)\b",
        r"^\W*(?:the )?(?:costs?|prices?|fees?) (?:of|for|to)\b",
        r"\bhow (?:pricey|expensive|cheap)\b",
        r"\bhow much (?:is|are) (?:an?|the|each|one|it)\b",
        r"\bwas kostet\b|\bwie teuer\b|\bcombien coûte",
    ),
    "share": _like(r"\b(?:what|which) (?:percentage|percent|share)\b", r"\bhow many percent\b"),
    "clock": _like(
        r"\b(?:what|which) time\b", r"\bopening (?:hours|times)\b", r"\bum wie viel uhr\b", r"\bquelle heure\b"
    ),
    "length": _like(
        r"\bhow (?:long|soon|quickly|fast|late|early)\b",
        r"\bhow far (?:in advance|ahead|before(?:hand)?|back|out)\b",
        rf"\bhow (?:many|much) (?:\w+ )?(?:{_SPAN}|time|notice|warning)\b",
        r"\bwie (?:lange|schnell)\b",
        r"\bcombien de (?:temps|jours)\b",
    ),
    "frequency": _like(
        r"\bhow (?:often|frequently|regularly|many times)\b", r"\bwie oft\b", r"\bà quelle fréquence\b"
    ),
    "moment": _like(
        # Not "When I leave, ...", which asks for something else.
        rf"(?:^|[.?!,:;–—-]\s*|\b{_BEFORE_WHEN}\s+)when\s?{_AUXILIARY}\b",
        r"\b(?:what|which) (?:time|date|day|month|year|weekday|hours?|week|quarter)\b",
        r"\b(?:until|till|by|since) when\b",
        r"\bopening (?:hours|times)\b",
        r"\bwann\b",
        r"\bquand\b",
    ),
    "phone": _like(
        r"\b(?:phone|telephone|extension|hotline|emergency) ?numbers?\b",
        r"\bnumber (?:to|do i|should i|can i) (?:call|ring|dial)\b",
        rf"{_WHICH} (?:the )?(?:extension|hotline)\b",
        r"\btelefonnummer\b",
    ),
    "address": _like(
        r"\be-?mail address\w*",
        rf"{_WHICH} (?:the |our )?(?:\w+ )?(?:e-?mail|mailbox)\b",
        r"\bwho (?:do|should|can) (?:i|we) e-?mail\b",
    ),
    "channel": _like(rf"{_WHICH} (?:the )?(?:slack )?channels?\b", r"\bname of the (?:\w+ )?channel\b"),
    "command": _like(
        rf"{_WHICH} (?:the )?(?:\w+ )?(?:command|flag|env(?:ironment)? var\w*)\b",
        r"\bwhat (?:do|should) i (?:type|run)\b",
    ),
    "amount": _like(
        r"\bhow (?:many|much|high|low|big|large|heavy|old|far)\b",
        rf"{_WHICH} (?:the |our |my |an? )?(?:\w+ ){{0,3}}?{_MEASURE}\b",
        r"\bwhat does (?:\w+ ){1,6}costs?\b",
        r"\bis there an? (?:\w+ )?(?:cap|limit|maximum|minimum)\b",
        r"\bwie ?viele?\b",
        r"\bwie (?:hoch|groß|alt)\b",
        r"\bcombien\b",
    ),
    "person": _like(r"\bwho(?:m|se|['’]?s)?\b", r"\b(?:wer|wen|wem)\b"),
}  # fmt: skip
"""How each kind is asked for, the narrow ones first."""

_COUNTED: tuple[Kind, ...] = ("money", "share", "clock", "length", "frequency", "phone")
"""Kinds that are asked for in the words of an amount or a moment too."""

_TOLD: dict[Kind, re.Pattern[str]] = {
    "money": _like(
        r"[$€£¥]|\b(?:usd|eur|gbp|chf|dollars?|euros?|pounds?|cents?|pence)\b|\d ?p\b",
        r"\bfree\b",
        r"\b(?:no|without) (?:charge|costs?|fee)\b",
        r"\b(?:fully|all) (?:paid|covered)\b",
        r"\bpaid in full\b",
    ),
    "share": _like(r"\d ?%", r"\bper ?cent\b", r"\b(?:half|thirds?|quarters?|double|all|prozent|hälfte)\b"),
    "clock": _like(
        r"\b\d{1,2}[:.]\d\d\b",
        r"\b\d{1,2} ?[ap]\.?m\b",
        r"\b(?:noon|midnight|o['’]?clock|uhr|mittags?|mitternacht)\b",
        r"\b(?:at|until|till|from|before|after) (?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b",
        r"\b\d{1,2} ?(?:-|–|to) ?\d{1,2}\b",
    ),
    "length": _like(
        rf"(?:(?<![\d.,])\d[\d.,]{{0,12}}\+?|\b(?:an?|one|few|several|couple(?: of)?|{_FEW}))(?:\s*(?:-|–|to|or)\s*\w+)?[\s-]*"
        rf"(?:\w{{1,15}}[\s-])?{_SPAN}\b",
        r"\b(?:overnight|immediately|indefinite\w*|permanent\w*|forever|instant\w*|24/7|real[- ]time|until)\b",
        r"\bno (?:limit|deadline)\b",
        r"\b\d+h\b",
        r"\b(?:same|next)[- ](?:\w+ )?day\b",
    ),
    "frequency": _like(
        r"\b(?:daily|weekly|bi-?weekly|fortnightly|monthly|quarterly|yearly|annual(?:ly)?|hourly|nightly)\b",
        r"\b(?:semi-?annual\w*|every|each|once|twice|times|per)\b",
        rf"\ban? {_SPAN}\b",
        r"\b(?:täglich|wöchentlich|monatlich|jährlich|jede\w?)\b",
    ),
    "moment": _like(
        rf"\b(?:{dates.MONTH}|{_WEEKDAY}|{_NTH})\b",
        r"\b(?:noon|midnight|morning|afternoon|evening|today|tomorrow|q[1-4]|quarter|end of|start of|beginning of)\b",
        r"\b(?:within|before|after|until|during|as soon as|once|spring|summer|autumn|winter|every|uhr)\b",
        r"\b(?:daily|weekly|monthly|quarterly|annual(?:ly)?)\b",
        r"\b\d{1,2}:\d\d\b",
        r"\b\d{1,2}\s?[ap]\.?m\b",
        r"\b(?:19|20)\d\d\b",
        r"\b\d{1,2}[./]\d{1,2}\b",
        rf"\b\d{{1,4}} (?:\w{{1,12}} )?{_SPAN}\b",
    ),
    "phone": _like(
        r"(?:\+\d|\(\d{2,4}\)|\b\d{3})[\d\s().-]{4,20}\d", r"\bext(?:ension)?\b\.?\s*\d", r"\b\d{3,6}\b"
    ),
    "address": _like(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.\w", r"\[email\]"),
    "channel": _like(r"(?<![\w/&])#[a-z][\w-]+", r"slack_channel"),
    "command": _like(
        r"`[^`]+`", r"```|~~~", r"(?<!\w)--?[a-z][\w-]+", r"\b[a-z]+_[a-z_]+\b", r"\b[a-z]+\.[a-z.]+\b"
    ),
    "amount": _like(
        r"(?<![\w.#/-])[$€£¥~≥≤<>]?(?!(?:19|20)\d\d\b)\d[\d,.]{0,15}"
        r"(?:\s?[%°]|[km]|[gmkt]i?b|h|x|kg|km|cm|mm|ml|mg|th|st|nd|rd|am|pm|c|f)?(?!\w)",
        rf"\b(?:one|once|both|unlimited|none|free|{_FEW})\b",
        r"\b(?:no limit|as many as|any number)\b",
    ),
    # Names by their capitals, so that case counts.
    "person": re.compile(
        r"(?:(?<=[\w,;:|(*] )|^[\s*|-]*)[A-Z][\w'’-]+ [A-Z][\w'’-]+|[@#]\w+"
        rf"|(?i:\b{_ROLE}\b)"
    ),
}  # fmt: skip
"""How a text tells each kind."""

_AIMED = re.compile(r"\]\([^()\s]{0,500}\)|https?://\S+|<[^<>\s]{1,300}>")
"""Where a link leads: numbers in it tell nothing."""


def kinds(question: str) -> tuple[Kind, ...]:
    """Name the kinds of things of which one would answer the question; none where anything may."""
    asked = [kind for kind, pattern in _ASKED.items() if pattern.search(question)]
    if any(kind in asked for kind in _COUNTED):
        asked = [kind for kind in asked if kind not in ("amount", "moment")]
    # "Hello, who knows how long it takes?" asks for a time.
    return tuple(kind for kind in asked if kind != "person" or len(asked) == 1)


def tells(text: str, wanted: tuple[Kind, ...]) -> bool:
    """Whether a text tells a thing of one of the kinds."""
    if not wanted:
        return False
    told = _AIMED.sub(" ", text)
    return any(
        _TOLD[kind].search(text if kind in ("address", "channel") else told) for kind in wanted
    )
