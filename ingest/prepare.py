"""One entry to one document with its chunks: read, compare, parse, split.

Knows nothing about the order of a run, encoders or the database.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice

from ingest.entries import Content, Entry, Source, SourceConfig, Unreadable
from ingest.parsing import parse
from ingest.plan import version_of
from ingest.splitting import chunks as split
from ingest.splitting import sections
from store.records import Chunk, Document, Stored
from store.values import storable

WHOLE_CHUNKS = 2048  # a document of more is stored part by part, and shown when all are there
PART_CHUNKS = 256  # what a killed run may have to encode again


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document to be stored, once its chunks are encoded."""

    document: Document


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a large document's chunks; `is_last` when there are no more."""

    document: Document
    is_last: bool


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


Outcome = Prepared | Part | Same | Refused


class Preparer:
    """Reads, parses and splits the documents of one source; `count` and `window` are in tokens."""

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

    def __call__(self, entry: Entry, known: Stored | None) -> Iterator[Outcome]:
        """Prepare what an entry stands for, in parts if it is large; `known` is what is stored."""
        version = version_of(entry) or ""
        try:
            self._refuse_early(entry)
        except Unreadable as error:
            # Limits may change while the document does not: look again next time.
            yield Refused(entry.path, "", str(error), error.is_skip)
            return
        try:
            same_people = known is not None and known.audience == self.audience_of(entry.path)
            content = self.source.read(entry, known.version if known and same_people else None)
            if content is None:
                yield Same(entry.path, known.version if known else version)
                return
            self._check_size(len(content.data))
            yield from self._prepared(entry, content, known if same_people else None)
        except Unreadable as error:
            yield Refused(
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

    def _prepared(self, entry: Entry, content: Content, known: Stored | None) -> Iterator[Outcome]:
        version = content.version or version_of(entry) or ""
        url = content.url or entry.url
        digest = hashlib.sha256(content.data)
        digest.update(b"\x00" + (url or "").encode())
        if known is not None and known.content_hash == digest.digest():
            yield Same(entry.path, version)
            return
        parse.refuse(parse.ending_of(content))
        parsed = parse.parse(content, self.convert)
        named = content.title or parsed.title or entry.title
        parsed = replace(
            parsed,
            body=storable(parsed.body),
            title=named and storable(named),
            more=map(storable, parsed.more),
        )
        title = sections.title_of(parsed, entry.path)
        title = split.fit_title(title, self.count, self.window)
        chunks = split.split(
            sections.sections(parsed, title), title, url, count=self.count, window=self.window
        )
        document = Document(
            path=entry.path,
            version=version,
            content_hash=digest.digest(),
            title=title,
            url=url,
            updated_at=_date(parsed.updated_at, content.updated_at, entry.updated_at),
            audience=self.audience_of(entry.path),
            chunks=(),
        )
        yield from _parts(document, chunks)


def _parts(document: Document, chunks: Iterator[Chunk]) -> Iterator[Outcome]:
    """Give a document whole, or a large one in parts, of which only a few are in memory at once."""
    first = tuple(islice(chunks, WHOLE_CHUNKS))
    if not first:
        raise Unreadable("There is no text in it but headings.", is_skip=True)
    if len(first) < WHOLE_CHUNKS:
        yield Prepared(replace(document, chunks=first))
        return
    left = chain(first, chunks)
    del first
    part = tuple(islice(left, PART_CHUNKS))
    while part:
        following = tuple(islice(left, PART_CHUNKS))
        yield Part(replace(document, chunks=part), is_last=not following)
        part = following


def _date(*dates: datetime | None) -> datetime | None:
    return next((date for date in dates if date is not None), None)
