"""Mail: single messages and mailboxes, each message under its subject.

Knows nothing about mail servers.
"""

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage

from ingest.entries import Unreadable
from ingest.parsing import webpage
from ingest.parsing.text import Parsed, parse_date

_FROM_LINE = re.compile(rb"^From [^\n]*\n", re.MULTILINE)


def read_message(data: bytes) -> Parsed:
    """Give one message: its subject is the title."""
    message = _parse(data)
    return Parsed(_body(message), _subject(message), parse_date(_sent(message)))


def read_mailbox(data: bytes) -> Parsed:
    """Give all messages of a mailbox, each under a heading."""
    messages = [_parse(part) for part in _FROM_LINE.split(data) if part.strip()]
    if not messages:
        raise Unreadable("It holds no message.", is_skip=True)
    parts = [
        f"## {_subject(message)}\n\n{_about(message)}\n\n{_body(message)}" for message in messages
    ]
    dates = [date for message in messages if (date := parse_date(_sent(message)))]
    return Parsed("\n\n".join(parts), None, max(dates, default=None))


def _parse(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _subject(message: EmailMessage) -> str:
    return " ".join(str(message.get("Subject", "")).split()) or "(no subject)"


def _about(message: EmailMessage) -> str:
    return ", ".join(f"{key}: {message[key]}" for key in ("From", "Date") if message[key])


def _sent(message: EmailMessage) -> object:
    date = message.get("Date")
    return getattr(date, "datetime", None)


def _body(message: EmailMessage) -> str:
    return "\n\n".join(_texts(message)).strip()


def _texts(message: EmailMessage) -> Iterator[str]:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return
    try:
        text = str(part.get_content())
    except (LookupError, UnicodeError, ValueError):
        payload = part.get_payload(decode=True)
        text = payload.decode("latin-1") if isinstance(payload, bytes) else ""
    yield webpage.read(text).body if part.get_content_type() == "text/html" else text
