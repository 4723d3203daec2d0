"""Secrets, kept out of every text that leaves: logs, errors, screens, JSON, Slack and the runs' rows.

Knows nothing about settings: a secret is known by its shape, or given. Each pattern reads a text once.
"""

import re
from collections.abc import Sequence

HIDDEN = "***"

SHORTEST = 6
"""Characters of a given secret; what is shorter stands in too many innocent words."""

_VALUE = r"'[^']{0,512}'|\"[^\"]{0,512}\"|[^\s&,;'\"]+"

# Bounded, so that no text costs more than its length.
_PATTERNS = (
    # postgresql://user:p@ss/word@host, https://token@host: up to the last @, but for host:8080/@name.
    (
        re.compile(r"(?<=://)(?![^\s/@:]{0,256}:\d{1,5}/)[^\s/@:'\"]{0,256}:[^\s'\"]{0,512}@"),
        f"{HIDDEN}@",
    ),
    (re.compile(r"(?<=://)[^\s/@:'\"]{1,256}@"), f"{HIDDEN}@"),
    # password='...' of a connection string, token=... of a query or a log line, "token": "..." of JSON.
    (
        re.compile(
            r"(?i)(password|passwd|pwd|secret|token|api_?key|credential)"
            rf"([\"']?\s{{0,3}}[=:]\s{{0,3}})(?:{_VALUE})"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (
        re.compile(r"(?i)([?&](?:key|sig|auth|code|signature|x-amz-\w{1,40})=)[^\s&'\"]+"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s{1,3}[a-z0-9+/=_.~-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]+"), HIDDEN),
    (re.compile(r"(?<=hooks\.slack\.com/)[\w./-]+"), HIDDEN),
    (
        re.compile(
            r"\b(?:gh[pousr]_|github_pat_|glpat-|sk-|ntn_|secret_|ATATT|ya29\.|AIza)[\w-]{12,}"
        ),
        HIDDEN,
    ),
    (re.compile(r"\bAKIA[0-9A-Z]{12,}"), HIDDEN),
)


_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)
"""Signs that move a terminal's cursor, colour it, or turn the direction of text."""


def escaped(text: str) -> str:
    """Give a text with the signs that steer a terminal written out, as in \\x1b; line ends and tabs stay."""
    return _STEERING.sub(lambda found: ascii(found.group())[1:-1], text)


def without(text: str, secrets: Sequence[str]) -> str:
    """Give a text without the `secrets` given."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """Give a text without what looks like a secret, and without the `secrets` given."""
    text = without(text, secrets)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text
