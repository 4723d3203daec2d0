"""What an answerer is asked for: one message, who reads the reply, and what its channel wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from store.channels import Mode
from store.records import Origin, Viewer


@dataclass(frozen=True, slots=True)
class Request:
    """One message to be answered from what `viewer` may see.

    `origin` says where it was written (store.records.Ask). `mode`, `strictness` (0..1) and `sources` are
    the channel's settings; None stands for none of its own. `chosen` names the intent that the asker
    picked, so that nothing is left to classify. `earlier` are the messages before it, oldest first.
    `channel` and `question_id` say which message it is, where it was claimed.
    """

    text: str
    viewer: Viewer
    origin: Origin = "mention"
    mode: Mode | None = None
    strictness: float | None = None
    sources: Sequence[str] | None = None
    chosen: str | None = None
    earlier: tuple[str, ...] = ()
    channel: str = ""
    question_id: UUID | None = None
