"""Mail: single messages and mailboxes, each message under its subject, with what is attached.

Knows nothing about mail servers; `attached` reads an attachment by its name.
"""

import email
import email.policy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from ingest.entries import Unreadable
from ingest.parsing import webpage
from ingest.parsing.text import Parsed, decode, parse_date

Attached = Callable[[str, str, bytes], Parsed]
"""Reads an attachment by its name, its media type and its bytes; raises Unreadable."""

MOST_ATTACHED = 100  # attachments that are read of one file
DEEPEST = 4  # messages within messages
RICHER = 3  # times as long: then HTML says more than the plain text beside it

# A mailbox parts messages by a line like "From ada@x Thu May  1 10:00:00 2025" and header lines
# after it; a sentence of a message may begin with "From " too.
_FROM_LINE = re.compile(
    rb"(?:\A|(?<=\n))From (?P<who>[^\r\n]*)\r?\n(?=>?From |[!-9;-~]+:)", re.IGNORECASE
)
_WHEN = re.compile(
    rb"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+(?:\d{1,2}\s+)?"
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b"
)
_HEADER = re.compile(
    rb"(?:From|To|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Reply-To"
    rb"|Sender|Status|Content-Type|X-[\w-]+):",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"^>(>*From )", re.MULTILINE)
_SIGN = re.compile(r"^(#{1,6}\s|={3,}\s*$|-{3,}\s*$)", re.MULTILINE)
_FLOWED = re.compile(r"(?<!^--) \n(?!>)", re.MULTILINE)


@dataclass(slots=True)
class _Message:
    """A message's own texts, and what hangs on it."""

    texts: list[str] = field(default_factory=list)
    attachments: list[EmailMessage] = field(default_factory=list)


def read_message(data: bytes, attached: Attached) -> Parsed:
    """Give one message: its subject is the title."""
    message = _parse(data)
    reader = _Reader(attached)
    body = reader.body(message, 2)
    return Parsed(
        body, _subject(message), parse_date(_sent(message)), left_out=tuple(reader.left_out)
    )


def read_mailbox(data: bytes, attached: Attached) -> Parsed:
    """Give all messages of a mailbox, each under a heading."""
    messages = [_parse(part) for part in _separated(data) if part.strip()]
    if not messages:
        raise Unreadable("It holds no message.", is_skip=True)
    reader = _Reader(attached)
    parts = [
        f"## {_subject(message)}\n\n{_about(message)}\n\n"
        + _ESCAPED.sub(r"\1", reader.body(message, 3))
        for message in messages
    ]
    dates = [date for message in messages if (date := parse_date(_sent(message)))]
    left_out = tuple(reader.left_out)
    return Parsed("\n\n".join(parts), None, max(dates, default=None), left_out=left_out)


def _separated(data: bytes) -> Iterator[bytes]:
    """Cut a mailbox at the lines between messages."""
    start = 0
    for found in _FROM_LINE.finditer(data):
        before = data[max(0, found.start() - 3) : found.start()]
        is_after_gap = not before or before.endswith((b"\n\n", b"\n\r\n"))
        is_header = _HEADER.match(data, found.end()) is not None
        if _WHEN.search(found.group("who")) or (is_after_gap and is_header):
            yield data[start : found.start()]
            start = found.end()
    yield data[start:]


class _Reader:
    """Reads messages and what is attached, and says what of it is not read."""

    def __init__(self, attached: Attached) -> None:
        self._attached = attached
        self._number = 0
        self.left_out: list[str] = []

    def body(self, message: EmailMessage, level: int, depth: int = 0) -> str:
        """Give a message's text, and below it its attachments under headings of a level."""
        found = _Message()
        _sort(message, found)
        texts = [text.strip() for text in found.texts]
        for part in found.attachments:
            texts.append(self._attachment(part, level, depth))
        return "\n\n".join(filter(None, texts))

    def _attachment(self, part: EmailMessage, level: int, depth: int) -> str:
        self._number += 1
        name = part.get_filename() or ""
        if part.get_content_type() == "message/rfc822":
            return self._nested(part, level, depth)
        what = name or part.get_content_type()
        if self._number > MOST_ATTACHED:
            self.left_out.append(f"attachment {what}")
            return ""
        payload = part.get_payload(decode=True)
        try:
            parsed = self._attached(
                name, part.get_content_type(), payload if isinstance(payload, bytes) else b""
            )
        except Unreadable as error:
            reason = str(error).rstrip(".")
            self.left_out.append(f"attachment {what}" + ("" if error.is_skip else f" ({reason})"))
            return ""
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  the message itself is whole, whatever hangs on it
            self.left_out.append(f"attachment {what} (damaged)")
            return ""
        self.left_out += [f"of attachment {what}: {left}" for left in parsed.left_out]
        whole = "".join([parsed.body, *parsed.more])
        text = "\n\n".join(filter(None, [parsed.facts, whole])).replace("\f", "\n\n").strip()
        return f"{'#' * min(level, 6)} Attachment {what}\n\n{text}"

    def _nested(self, part: EmailMessage, level: int, depth: int) -> str:
        inner = part.get_payload()
        message = inner[0] if isinstance(inner, list) and inner else None
        if depth >= DEEPEST or not isinstance(message, EmailMessage):
            self.left_out.append("a message within the message")
            return ""
        heading = f"{'#' * min(level, 6)} {_subject(message)}"
        return f"{heading}\n\n{_about(message)}\n\n{self.body(message, level + 1, depth + 1)}"


def _sort(part: EmailMessage, into: _Message) -> None:
    """Part what a message says from what is attached to it."""
    kind = part.get_content_type()
    is_attached = part.get_content_disposition() == "attachment" or part.get_filename()
    if kind == "message/rfc822" or (is_attached and not part.is_multipart()):
        into.attachments.append(part)
    elif kind == "multipart/alternative":
        _alternative(part, into)
    elif part.is_multipart():
        for child in part.iter_parts():
            if isinstance(child, EmailMessage):
                _sort(child, into)
    elif part.get_content_maintype() == "text":
        into.texts.append(_text(part))
    else:
        into.attachments.append(part)


def _alternative(part: EmailMessage, into: _Message) -> None:
    """Take one of several forms of the same text: the plain one, unless HTML says much more."""
    forms: list[tuple[str, _Message]] = []
    for child in part.iter_parts():
        if isinstance(child, EmailMessage):
            found = _Message()
            _sort(child, found)
            forms.append((child.get_content_type(), found))
    sizes = [sum(map(len, found.texts)) for _, found in forms]
    plain = next((n for n, (kind, _) in enumerate(forms) if kind == "text/plain"), None)
    best = max(range(len(forms)), key=lambda n: sizes[n], default=None)
    if best is not None:
        keep = plain if plain is not None and sizes[best] < RICHER * sizes[plain] else best
        into.texts += forms[keep][1].texts
    for _, found in forms:
        into.attachments += found.attachments


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    try:
        text = data.decode(part.get_content_charset() or "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError):
        text = decode(data) if data.strip() else ""
    if part.get_content_type() == "text/html":
        return webpage.read(text).body if text.strip() else ""
    if part.get_content_type() == "text/calendar":
        return ""
    if part.get_param("format") == "flowed":
        text = _FLOWED.sub("" if part.get_param("delsp") == "yes" else " ", text)
    return _SIGN.sub(r"\\\1", text)


def _parse(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _header(message: EmailMessage, name: str) -> str:
    """Give a header; the library breaks on some that are malformed."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, TypeError, AttributeError, LookupError):
        return ""


def _subject(message: EmailMessage) -> str:
    return _header(message, "Subject") or "(no subject)"


def _about(message: EmailMessage) -> str:
    found = ((key, _header(message, key)) for key in ("From", "Date"))
    return ", ".join(f"{key}: {value}" for key, value in found if value)


def _sent(message: EmailMessage) -> object:
    try:
        return getattr(message.get("Date"), "datetime", None)
    except (ValueError, TypeError, AttributeError, LookupError):
        return None
