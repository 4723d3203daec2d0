"""Text that people read, wherever it is shown: hidden signs dropped, cut to a length, ages in words."""

import re
from collections.abc import Sequence
from datetime import datetime

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)
_STACKED = re.compile("([\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
                      "[\u0300-\u036f\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")  # fmt: skip


def visible(text: str) -> str:
    """Drop control, bidirectional and invisible signs and heaps of accents; keep line breaks."""
    text = _CONTROLS.sub("", _BREAKS.sub("\n", text).replace("\t", " "))
    return _STACKED.sub(r"\1", INVISIBLE.sub("", text))


def shorten(text: str, limit: int) -> str:
    """Cut a text to so many characters, with an ellipsis when something is left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def age(updated_at: datetime, now: datetime) -> str:
    """Say how old a document is, in the largest unit that fits: `updated 3 months ago`."""
    days = (now - updated_at).days
    for unit, size in (("year", 365), ("month", 30), ("week", 7), ("day", 1)):
        if days >= size:
            count = days // size
            return f"updated {count} {unit}{'s' if count > 1 else ''} ago"
    return "updated today"


def missing(left_out: Sequence[str], limit: int = 200) -> str:
    """Say what of a document was not read, in at most so many characters; nothing when all was."""
    if not left_out:
        return ""
    phrases = "; ".join(" ".join(visible(phrase).split()) for phrase in left_out)
    return f"partly read: {shorten(phrases, limit)}"


def percent(value: object, interval: Sequence[float] | None = None) -> str:
    """Write a share as a percentage, with its interval when there is one."""
    text = f"{100 * float(str(value)):.1f} %"
    return text + (f" ({100 * interval[0]:.0f}-{100 * interval[1]:.0f})" if interval else "")
