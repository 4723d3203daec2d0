"""Who may see a source's documents, read from its table: whatever is unclear is refused, never open.

Knows nothing about files: what is wrong goes out as text, and the caller says on which line.
"""

import difflib
import re
from collections.abc import Callable, Mapping

from store.records import EVERYONE

RULE_KEYS = ("paths", "audience")

_ID = re.compile(r"[CDGUW][A-Z0-9]+")
_CURE = (
    f'write a list such as ["C0HR00001", "U0BOSS001"], ["{EVERYONE}"] for everyone, [] for nobody'
)

_SHAPE = 'a rule has paths = ["hr/**"] and audience = ["C..."]'

Wrong = Callable[[str, str], Exception]
"""Makes the error for a key and what is wrong with it."""


def audience(value: object, wrong: Wrong) -> tuple[str, ...]:
    """Read an `audience`: sorted ids, or everyone; an empty list is nobody."""
    if not isinstance(value, list):
        raise wrong("audience", f"audience = {value!r} is not a list: {_CURE}.")
    for member in value:
        if member != EVERYONE and not (isinstance(member, str) and _ID.fullmatch(member)):
            raise wrong(
                "audience",
                f"{member!r} in audience is not the id of a channel or person: {_CURE}."
                " Slack shows an id at the end of 'About' of a channel and under 'Copy member ID'.",
            )
    return tuple(sorted(set(value)))


def patterns(key: str, value: object, wrong: Wrong) -> tuple[str, ...]:
    """Read a list of path patterns; refuses those that can never match, which would guard nothing."""
    if not isinstance(value, list) or not value:
        raise wrong(key, f'{key} = {value!r} names no path: write a list such as ["hr/**"].')
    for pattern in value:
        if not isinstance(pattern, str) or not pattern.strip():
            raise wrong(key, f"{pattern!r} in {key} is not a path: write one such as hr/**.")
        if (
            pattern != pattern.strip()
            or pattern.startswith(("/", "./", "~"))
            or "\\" in pattern
            or ".." in pattern.split("/")
        ):
            raise wrong(
                key,
                f"{pattern!r} in {key} matches no document: paths count from the source's root,"
                " with / between folders and without spaces around, / or ./ before them.",
            )
    return tuple(value)


def rules(
    value: object, wrong: Callable[[int | None], Wrong]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Read `[[source.rule]]` tables to (pattern, audience).

    `wrong` is given the number of the rule that is wrong; None stands for all of them.
    """
    if not isinstance(value, list):
        raise wrong(None)("rule", "each rule begins with [[source.rule]], in two brackets.")
    if not all(isinstance(rule, Mapping) for rule in value):
        raise wrong(None)("rule", f"{_SHAPE}, below a line [[source.rule]].")
    found: list[tuple[str, tuple[str, ...]]] = []
    for number, rule in enumerate(value):
        found += _rule(rule, wrong(number))
    return tuple(found)


def _rule(rule: Mapping[str, object], wrong: Wrong) -> list[tuple[str, tuple[str, ...]]]:
    for key in rule:
        if key not in RULE_KEYS:
            raise wrong(key, f"{key!r} is not known in a rule: {_SHAPE}{_meant(key, RULE_KEYS)}.")
    for key in RULE_KEYS:
        if key not in rule:
            raise wrong("", f"{key} is missing: {_SHAPE}.")
    who = audience(rule["audience"], wrong)
    return [(pattern, who) for pattern in patterns("paths", rule["paths"], wrong)]


def _meant(key: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""
