"""One entry to one document with its chunks: read, compare, parse, split.

Knows nothing about the order of a run, encoders or the database.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ingest import parse, sections, split
from ingest.entries import Content, Entry, Source, SourceConfig, Unreadable
from ingest.plan import version_of
from store.documents import clean
from store.records import Document, Stored


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document to be stored, once its chunks are encoded."""

    document: Document


@dataclass(frozen=True, slots=True)
class Same:
    """The content did not change; `version` is what to know it by next time."""

    path: str
    version: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The document was not read, and why; an empty version asks for another try next time."""

    path: str
    version: str
    reason: str
    is_skip: bool


Outcome = Prepared | Same | Refused


class Preparer:
    """Prepares the documents of one source."""

    def __init__(
        self,
        config: SourceConfig,
        source: Source,
        convert: parse.Convert,
        count: split.Count,
        window: int,
        audience_of: Callable[[str], tuple[str, ...]],
    ) -> None:
        self.config = config
        self.source = source
        self.convert = convert
        self.count = count
        self.window = window
        self.audience_of = audience_of

    def __call__(self, entry: Entry, known: Stored | None) -> Outcome:
        """Prepare what an entry stands for; `known` is what is stored of it."""
        version = version_of(entry) or ""
        try:
            self._refuse_early(entry)
        except Unreadable as error:
            # Limits may change while the document does not: look again next time.
            return Refused(entry.path, "", str(error), error.is_skip)
        try:
            same_people = known is not None and known.audience == self.audience_of(entry.path)
            content = self.source.read(entry, known.version if known and same_people else None)
            if content is None:
                return Same(entry.path, known.version if known else version)
            self._check_size(len(content.data))
            return self._prepared(entry, content, known if same_people else None)
        except Unreadable as error:
            return Refused(
                entry.path, "" if error.is_passing else version, str(error), error.is_skip
            )

    def _refuse_early(self, entry: Entry) -> None:
        if entry.size is not None:
            self._check_size(entry.size)
            parse.refuse(parse.ending_of(Content(b"", entry.path)))

    def _check_size(self, size: int) -> None:
        if size > self.config.max_bytes:
            raise Unreadable(
                f"It has {size / 1_000_000:,.0f} MB; at most {self.config.max_mb:g} MB are read."
                " Split it, or raise max_mb of its source."
            )

    def _prepared(self, entry: Entry, content: Content, known: Stored | None) -> Outcome:
        version = content.version or version_of(entry) or ""
        url = content.url or entry.url
        digest = hashlib.sha256(content.data + b"\x00" + (url or "").encode()).digest()
        if known is not None and known.content_hash == digest:
            return Same(entry.path, version)
        parse.refuse(parse.ending_of(content))
        parsed = parse.parse(content, self.convert)
        named = content.title or parsed.title or entry.title
        parsed = replace(parsed, body=clean(parsed.body), title=named and clean(named))
        title = sections.title_of(parsed, entry.path)
        title = split.fit_title(title, self.count, self.window)
        chunks = split.split(
            sections.sections(parsed, title), title, url, count=self.count, window=self.window
        )
        if not chunks:
            raise Unreadable("There is no text in it but headings.", is_skip=True)
        return Prepared(
            Document(
                path=entry.path,
                version=version,
                content_hash=digest,
                title=title,
                url=url,
                updated_at=_date(parsed.updated_at, content.updated_at, entry.updated_at),
                audience=self.audience_of(entry.path),
                chunks=chunks,
            )
        )


def _date(*dates: datetime | None) -> datetime | None:
    return next((date for date in dates if date is not None), None)
