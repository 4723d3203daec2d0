"""Plain text and Markdown: bytes to text, front matter, and what is no content taken out.

Knows nothing about other formats, nor how text is split.
"""

import codecs
import io
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import charset_normalizer
import yaml

from ingest.entries import Unreadable
from ingest.parsing.pieces import FENCE, pieces

SAMPLE_BYTES = 65_536
BLOCK_BYTES = 1_000_000  # decoded at a time
LONGEST_FRONT_MATTER = 65_536  # characters
MOST_CONTROLS = 0.02  # share of control characters above which bytes are no text

# Encodings that documents come in; a short list guesses better than all that exist.
ENCODINGS = [
    "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp1252", "cp1250", "cp1251", "cp1253",
    "cp1254", "cp1255", "cp1256", "koi8_r", "iso8859_2", "iso8859_15", "mac_roman",
]  # fmt: skip

DATE_KEYS = (
    "updated", "updated_at", "last_updated", "last_modified", "lastmod", "modified",
    "last_reviewed", "reviewed", "date", "published", "created",
)  # fmt: skip

_FRONT = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)\r?\n\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_COMMENT = re.compile(
    r"<!--.*?(?:-->|\Z)|\{%-?\s*comment\s*-?%\}.*?\{%-?\s*endcomment\s*-?%\}", re.DOTALL
)
_TAG = re.compile(r"\{%-?\s*(\w+)?(.*?)-?%\}|\{\{[<%]?\s*(\w+)?(.*?)[%>]?\}\}", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_ARGUMENT = re.compile(r"""["']([^"']*)["']""")
_LINK_TAGS = {"page", "link", "post_url", "image", "download", "asset", "ref", "relref", "url"}
_TITLE_TAGS = {"alert", "note", "warning", "callout", "details", "summary", "tab"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as Markdown. `anchors` tells what a link can lead to: a heading or a page.

    A form feed in `body` starts a new page; `is_plain` when the text is not Markdown. `named` are
    headings with what a link to them ends with, in order. What a large text has beyond `body`
    comes in `more`, piece by piece, once. `left_out` says what of the document was not read, in
    short phrases for people: "page 2 of 3 is a picture without text", "3 comments".
    """

    body: str
    title: str | None = None
    updated_at: datetime | None = None
    anchors: str | None = None
    is_plain: bool = False
    named: tuple[tuple[str, str], ...] = ()
    more: Iterable[str] = ()
    left_out: tuple[str, ...] = ()


def markdown(data: bytes) -> Parsed:
    """Read Markdown: front matter gives title and date, comments and template tags go."""
    parts = pieces(blocks(data))
    front, body = front_matter(next(parts, ""))
    more = map(tidy, parts)
    return Parsed(tidy(body), _title(front), _date(front), anchors="heading", more=more)


def plain(data: bytes) -> Parsed:
    """Read plain text as it is."""
    parts = pieces(blocks(data), is_plain=True)
    return Parsed(next(parts, ""), is_plain=True, more=parts)


def decode(data: bytes) -> str:
    """Turn bytes into text at once; see `blocks`."""
    return "".join(blocks(data))


def blocks(data: bytes) -> Iterator[str]:
    """Turn bytes into text by their byte order mark, as UTF-8, or by the likeliest encoding.

    Line ends become \\n. Raises Unreadable when the bytes are no text.
    """
    decoder = codecs.getincrementaldecoder(_encoding(data[:SAMPLE_BYTES]))("replace")
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    for start in range(0, len(data), BLOCK_BYTES):
        end = start + BLOCK_BYTES
        block = lines.decode(data[start:end], final=end >= len(data))
        if start == 0:
            _refuse_binary(block[:SAMPLE_BYTES])
        yield block


def _refuse_binary(sample: str) -> None:
    if len(_CONTROL.findall(sample)) > MOST_CONTROLS * len(sample):
        raise Unreadable("It is binary, not text. Rename it to what it is.", is_skip=True)


def _encoding(sample: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
    ):  # fmt: skip
        if sample.startswith(mark):
            return encoding
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample[first::2].count(0) > len(sample) // 5:
            return encoding
    try:
        # The sample may end within a letter. Later bad bytes are damage, not another encoding.
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=len(sample) < SAMPLE_BYTES)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    guesses = charset_normalizer.from_bytes(sample, cp_isolation=ENCODINGS)
    # Between equally good guesses the order of the list decides.
    best = min(
        (guess for guess in guesses if guess.encoding in ENCODINGS),
        key=lambda g: (round(g.chaos, 2), -round(g.coherence, 1), ENCODINGS.index(g.encoding)),
        default=None,
    )
    return best.encoding if best else "cp1252"


def front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """Part the YAML or TOML block at the top from the rest; a block that cannot be read is dropped."""
    found = _FRONT.match(text[:LONGEST_FRONT_MATTER])
    if not found:
        return {}, text
    try:
        if found.group(1) == "+++":
            values: object = tomllib.loads(found.group(2))
        else:
            values = yaml.load(found.group(2), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError):
        named = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", found.group(2), re.MULTILINE)
        values = {"title": named.group(1)} if named else {}
    if not isinstance(values, dict):  # two rules with text between them
        return {}, text
    return values, text[found.end() :]


def tidy(body: str) -> str:
    """Take comments and template tags out of Markdown, but leave code as it is."""
    parts, last = [], 0
    for fence in FENCE.finditer(body):
        parts += [_untag(body[last : fence.start()]), _unraw(fence.group())]
        last = fence.end()
    return "".join([*parts, _untag(body[last:])])


def parse_date(value: object) -> datetime | None:
    """Read a date as front matter or a page's metadata gives it; without a zone it is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _untag(text: str) -> str:
    if "<!--" not in text and "{%" not in text and "{{" not in text:
        return text
    return _TAG.sub(_replace_tag, _COMMENT.sub("", text))


def _unraw(code: str) -> str:
    return re.sub(r"\{%-?\s*(?:end)?raw\s*-?%\}", "", code)


def _replace_tag(tag: re.Match[str]) -> str:
    """Keep what a reader of the published page would see or follow."""
    name = (tag.group(1) or tag.group(3) or "").lower()
    argument = _ARGUMENT.search(tag.group(2) or tag.group(4) or "")
    value = argument.group(1) if argument else ""
    if name == "slack_channel":
        return f"#{value.lstrip('#')}" if value else ""
    if name in _LINK_TAGS:
        return value
    return f"**{value}**\n" if name in _TITLE_TAGS and value else ""


def _title(front: Mapping[str, object]) -> str | None:
    title = front.get("title")
    return str(title).strip() or None if isinstance(title, str | int | float) else None


def _date(front: Mapping[str, object]) -> datetime | None:
    lowered = {str(key).lower().replace("-", "_"): value for key, value in front.items()}
    dates = (parse_date(lowered[key]) for key in DATE_KEYS if key in lowered)
    return next((found for found in dates if found), None)
