"""The rows that the store gives and takes, as frozen records.

Knows nothing about SQL, Slack or models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

Status = Literal["answered", "unsure", "not_found", "routed", "smalltalk", "ignored", "failed"]
"""How a question ends."""

Origin = Literal["mention", "dm", "channel", "thread", "command", "terminal"]
"""How a question came: the bot was named or written to, it was said in a channel or thread where the
bot listens, or it was typed after a slash command or in the terminal."""

VoteOrigin = Literal["button", "reaction", "expert", "terminal"]
LabelOrigin = Literal["admin", "choice", "reason"]
"""Where a label came from: an admin's emoji, the answer to "did you mean", a reason for thumbs down."""

Reason = Literal["wrong_document", "outdated", "wrong_topic", "silent", "not_found", "other"]
"""Why somebody gave a thumbs-down."""

REASONS: Mapping[Reason, Literal["text", "intents", "confidence"] | None] = {
    "wrong_document": "text",
    "outdated": "text",
    "wrong_topic": "intents",
    "silent": "intents",
    "not_found": "confidence",
    "other": None,
}
"""What each reason counts against. A thumbs-down without a reason, or for another one, counts against the
text that was shown, but not where nobody had asked the bot: there it is as likely about speaking at all."""

Kind = Literal[
    "intents", "memory", "fusion", "title", "sources", "confidence", "thresholds", "phrasing"
]
"""The parts that are learned, each with versions of its own."""

Decision = Literal["promoted", "refused", "waiting", "unchanged", "failed"]
"""What a night decided about a part."""

RunState = Literal["running", "done", "failed", "stopped"]
BuildState = Literal["building", "live", "retired"]
FaqState = Literal["candidate", "approved", "rejected"]

EVERYONE = "*"
"""The audience member that stands for all people in the workspace."""

CHOICE = "+choice"
"""Stands behind the ts of a message that is answered once more, as what its asker chose."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document as it is embedded, indexed and quoted.

    `text_hash` is the SHA-256 of what is embedded: title, heading path and body.
    """

    position: int
    heading: str
    body: str
    text_hash: bytes
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document ready to be stored: `audience` holds "*", channel ids or person ids.

    `left_out` says what of it was not read: "page 2 of 3 is a picture without text".
    """

    path: str
    version: str
    content_hash: bytes
    title: str
    url: str | None
    updated_at: datetime | None
    audience: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a document from an earlier run; enough to tell whether it changed."""

    document_id: int
    path: str
    version: str
    content_hash: bytes
    audience: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who will read a reply: the members of `principals` are matched against audiences.

    A public reply has "*" and the channel's id; a private one also has the asker's id.
    """

    principals: tuple[str, ...]


READER = Viewer((EVERYONE,))
"""Who may read what is open to everyone, and nothing else."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found. `vector` is a cosine, `lexical` a BM25 score, `score` the fused 0..1.

    `likeness` is the cosine with the passage that scored best in the same search; `left_out` says what of
    its document was not read; `rare` is the share (0..1) of the question's lexemes that it holds, each by the
    square of its weight: the rarest count most. `unit` is the cosine of its best unit, None where none was
    looked at.
    """

    chunk_id: int
    source: str
    path: str
    title: str
    heading: str
    url: str | None
    body: str
    text_hash: str
    updated_at: datetime | None
    position: int
    score: float
    vector: float | None = None
    lexical: float | None = None
    likeness: float = 0.0
    left_out: tuple[str, ...] = ()
    rare: float = 0.0
    unit: float | None = None

    @property
    def whole(self) -> str:
        """Title, headings and text, a line each: what is matched."""
        return f"{self.title}\n{self.heading}\n{self.body}"


@dataclass(frozen=True, slots=True)
class Ask:
    """A message to be claimed: one row per (workspace, channel, message_ts).

    `chosen` names the intent that the asker picked when asked "did you mean"; such a question's
    `message_ts` is that of the message with CHOICE behind it. `is_outside` says that the message itself
    told that it came from another workspace. `forwarded` is the text that it forwarded.
    """

    workspace: str
    channel: str
    message_ts: str
    person: str
    body: str
    origin: Origin
    is_private: bool
    thread_ts: str | None = None
    respond_url: str | None = None
    chosen: str | None = None
    is_outside: bool = False
    forwarded: str | None = None

    @property
    def said_ts(self) -> str:
        """The message's own ts, with which Slack knows it."""
        return self.message_ts.removesuffix(CHOICE)


@dataclass(frozen=True, slots=True)
class Question:
    """A claimed message; `status` is None until it has ended, `edited_ts` until it was edited."""

    question_id: UUID
    ask: Ask
    claimed_at: datetime
    attempts: int
    status: Status | None
    edited_ts: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source as it is shown; `quote` stands verbatim in the document, of which `left_out` was not read."""

    title: str
    path: str
    url: str | None
    quote: str
    heading: str
    score: float
    updated_at: datetime | None
    source: str
    chunk_id: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A text that the reader of a reply sees without a click, and the parts of it that say it.

    `text` stands in the passage of that page and heading line by line; `marked` are slices of `text`.
    """

    text: str
    marked: tuple[str, ...]
    path: str
    heading: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that an LLM wrote, and the numbers (from 1) of the citations in which all of it stands."""

    text: str
    quotes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Phrasing:
    """What came of asking an LLM to phrase an answer: the sentences that were kept, often none.

    `sent` are the chunks whose text left for the LLM, `drops` says why how many sentences were not kept, or
    the whole reply (count 1).
    """

    sentences: tuple[Sentence, ...]
    sent: tuple[int, ...]
    model: str
    seconds: float
    drops: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What came of asking an LLM for a follow-up as a whole question: `text` was searched for beside it.

    Where it is empty, `dropped` says why, and the follow-up was searched for with what was said before it.
    """

    text: str
    model: str
    seconds: float
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a question ended, with everything needed to explain it later.

    `body` is what is said: for status answered or unsure lines of the first citation's quote as they stand,
    mostly a slice of it. `shown` is what is seen of the documents: the body, then its passage, then
    others. `hints` are the nearest pages of a question that found no answer; `vector` is the question's.
    `understood` is what was said before that the question was understood with. `phrasing` and `rewriting` are
    None where no LLM was asked.
    """

    answer_id: UUID
    question: str
    status: Status
    confidence: float
    body: str | None
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    intent: str | None = None
    intent_confidence: float = 0.0
    signals: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    hints: tuple[Citation, ...] = ()
    vector: tuple[float, ...] = ()
    shown: tuple[Shown, ...] = ()
    understood: str = ""
    phrasing: Phrasing | None = None
    rewriting: Rewriting | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's thumb on one answer: `value` is 1 or -1, the last one counts."""

    answer_id: UUID
    person: str
    value: int
    origin: VoteOrigin
    weight: float = 1.0
    reason: Reason | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt to bring a source up to date, as far as it is."""

    run_id: UUID
    source: str
    state: RunState
    started_at: datetime
    seen_at: datetime
    finished_at: datetime | None
    total: int
    seen: int
    changed: int
    unchanged: int
    failed: int
    skipped: int
    removed: int
    chunks: int
    embedded: int
    error: str | None
    is_full: bool = False
    asked_by: str | None = None


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What an admin wants to know of a source.

    `partial` documents were read in part; `complaint` says what is wrong with its settings; one that
    was paused at `paused_at` is read when somebody asks for it alone.
    """

    name: str
    kind: str
    address: str
    documents: int
    chunks: int
    failed: int
    skipped: int
    partial: int
    last_success: datetime | None
    next_run: datetime | None
    last_error: str | None
    complaint: str | None
    run: Run | None
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be read, and why; `is_skip` when that is as it should be."""

    source: str
    path: str
    reason: str
    failed_at: datetime
    is_skip: bool


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of a learned part; `payload` is what serves, `report` why.

    `rolled_back_at` is when it was last taken back, None where it never was or was promoted again since.
    """

    version_id: UUID
    kind: Kind
    path: str | None
    payload: Mapping[str, object]
    report: Mapping[str, object]
    created_at: datetime
    promoted_at: datetime | None
    is_serving: bool
    rolled_back_at: datetime | None = None


def reason_of(text: str) -> Reason | None:
    """Give the reason of that name; None when there is none."""
    return next((reason for reason in REASONS if reason == text), None)


def kind_of(text: str) -> Kind | None:
    """Give the learned part of that name; None when there is none."""
    return next((kind for kind in get_args(Kind) if kind == text), None)
