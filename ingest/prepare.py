"""One entry to one document with its chunks: read, compare, parse, split.

Knows nothing about the order of a run, encoders or the database.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.parsing import parse
from ingest.plan import version_of
from ingest.sandbox import Names, Read, TooSlow
from ingest.splitting import chunks as split
from ingest.splitting.sections import Block, Section
from ingest.splitting.sizes import Count
from store.records import Chunk, Document, Stored
from store.redaction import redacted
from store.values import readable, storable

WHOLE_CHUNKS = 2048  # a document of more is stored part by part, and shown when all are there
SOURCE_ERRORS = 3  # in a row, with which a run ends
SLOW_RUNS = 3  # in which a document takes too long before it is not tried again
PART_CHUNKS = 256  # what a killed run may have to encode again

log = logging.getLogger(__name__)


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
        read: Read,
        count: Count,
        window: int,
        audience_of: Callable[[str], tuple[str, ...]],
        failed: Mapping[str, str] | None = None,
    ) -> None:
        """`failed` are the versions of what failed before, as `Refused` gave them."""
        self.config = config
        self.source = source
        self.read = read
        self.count = count
        self.window = window
        self.audience_of = audience_of
        self.failed = failed or {}
        self._refused = 0

    def __call__(self, entry: Entry, known: Stored | None) -> Iterator[Outcome]:
        """Prepare what an entry stands for, in parts if it is large; `known` is what is stored."""
        version = version_of(entry) or ""
        try:
            self._refuse_early(entry)
        except Unreadable as error:
            # Limits may change while the document does not: look again next time.
            yield self._refusal(entry.path, "", str(error), error.is_skip)
            return
        try:
            same_people = known is not None and known.audience == self.audience_of(entry.path)
            content = self.source.read(entry, known.version if known and same_people else None)
            self._refused = 0
            if content is None:
                yield Same(entry.path, known.version if known else version)
                return
            self._check_size(len(content.data))
            yield from self._prepared(entry, content, known if same_people else None)
        except Unreadable as error:
            version = self._to_try(entry.path, error.version or version, error)
            yield self._refusal(entry.path, version, str(error), error.is_skip)
        except SourceError as error:
            # One document may be refused for its own sake (too large to export, say); the source is away
            # when several are, one after the other.
            self._refused += 1
            if self._refused >= SOURCE_ERRORS:
                raise
            yield self._refusal(entry.path, "", str(error), False)
        # Whatever an odd document breaks, the others are read; the next run looks again.
        except Exception as error:
            log.exception("ingest.broken source=%s path=%r", self.config.name, entry.path)
            said = str(error).strip().split("\n")[0][:120]
            reason = f"It cannot be read ({type(error).__name__}{': ' + said if said else ''})."
            yield self._refusal(entry.path, "", f"{reason} Save it again, or exclude it.", False)

    def _refusal(self, path: str, version: str, reason: str, is_skip: bool) -> Refused:
        return Refused(path, version, redacted(reason, self.config.secrets), is_skip)

    def _to_try(self, path: str, version: str, error: Unreadable) -> str:
        """Give the version to remember: the document's own, once there is no sense in trying again.

        A busy machine makes any document slow; one that is too slow in three runs is so by itself.
        """
        if not isinstance(error, TooSlow):
            return "" if error.is_passing else version
        run = next(
            (n for n in range(2, SLOW_RUNS) if self.failed.get(path) == _slow(n - 1, version)), 1
        )
        is_last = self.failed.get(path) == _slow(SLOW_RUNS - 1, version)
        return version if is_last else _slow(run, version)

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
        content = parse.recoded(content)
        version = content.version or version_of(entry) or ""
        url = content.url or entry.url
        digest = hashlib.sha256(content.data)
        digest.update(b"\x00" + (url or "").encode())
        if known is not None and known.content_hash == digest.digest():
            yield Same(entry.path, version)
            return
        parse.refuse(parse.ending_of(content))
        ending = parse.ending_of(content)
        parse.check(ending, content.data)
        names = Names(entry.path, content.title, entry.title)
        read = self.read(f"document{ending}", content.data, names)
        title = split.fit_title(storable(read.title), self.count, self.window)
        pieces = ([_storable(section) for section in piece] for piece in read.pieces)
        chunks = split.split(pieces, title, url, count=self.count, window=self.window)
        document = Document(
            path=entry.path,
            version=version,
            content_hash=digest.digest(),
            title=title,
            url=url,
            updated_at=_date(read.updated_at, content.updated_at, entry.updated_at),
            audience=self.audience_of(entry.path),
            chunks=(),
        )
        yield from _parts(document, chunks, read.left_out)


def _parts(
    document: Document, chunks: Iterator[Chunk], left_out: Sequence[str]
) -> Iterator[Outcome]:
    """Give a document whole, or a large one in parts, of which only a few are in memory at once.

    `left_out` grows while the chunks are taken.
    """
    first = tuple(islice(chunks, WHOLE_CHUNKS))
    if not first:
        raise Unreadable("There is no text in it but headings.", is_skip=True)
    if len(first) < WHOLE_CHUNKS:
        yield Prepared(replace(document, chunks=first, left_out=tuple(left_out)))
        return
    left = chain(first, chunks)
    del first
    part = tuple(islice(left, PART_CHUNKS))
    while part:
        following = tuple(islice(left, PART_CHUNKS))
        told = tuple(left_out)
        yield Part(replace(document, chunks=part, left_out=told), is_last=not following)
        part = following


def _slow(run: int, version: str) -> str:
    return f"slow in {run}: {version}"


def _storable(section: Section) -> Section:
    blocks = tuple(
        Block(b.kind, storable(b.text), tuple((depth, storable(item)) for depth, item in b.items))
        for b in section.blocks
    )
    headings = tuple(map(storable, section.headings))
    anchor = section.anchor and storable(section.anchor)
    return Section(headings, anchor, blocks, storable(section.markup))


def _date(*dates: datetime | None) -> datetime | None:
    """Give the first date that a page can have."""
    return next((date for date in map(readable, dates) if date is not None), None)
