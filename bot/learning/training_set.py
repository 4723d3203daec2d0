"""What the intent classifier is trained on: the file's examples, and the messages that people labelled.

Knows nothing about how it is trained or whether the result serves.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import TupleRow

from bot.intents import Intents
from models.intents.heldout import key
from store.feedback import labels, votes
from store.records import ModelVersion

Rows = list[tuple[str, str]]
"""Texts with their intents."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The file's `examples` and the `labels` given until then; `unknown` counts those of deleted intents."""

    intents: Intents
    labels: tuple[tuple[str, str], ...] = ()
    unknown: int = 0
    until: datetime | None = None

    @property
    def rows(self) -> Rows:
        """Everything that is trained on."""
        return [*self.intents.examples(), *self.labels]

    @property
    def payload(self) -> dict[str, object]:
        """What a version keeps, so that the same rows are known again; no words of anybody's."""
        told: dict[str, object] = {"examples": self.intents.digest}
        if self.until is not None:
            digest = hashlib.sha256(json.dumps(sorted(self.labels)).encode()).hexdigest()
            told |= {"labels": digest, "until": self.until.isoformat()}
        return told

    def is_of(self, version: ModelVersion) -> bool:
        """Whether the version was trained on these rows."""
        told = ("examples", "labels")
        return all(version.payload.get(name) == self.payload.get(name) for name in told)


def gather(
    connection: psycopg.Connection[TupleRow], workspace: str, intents: Intents, until: datetime
) -> TrainingSet:
    """Read what people labelled until then: of two labels for the same words the later one.

    A message that should have been left alone is an example of the intent that is. Words that stand in
    the file keep the intent they have there.
    """
    given = labels.rows(connection, workspace, until)
    alone = next((i.name for i in intents.by_name.values() if i.action == "ignore"), None)
    if alone:
        given = [(text, alone) for text in votes.unwanted(connection, workspace, until)] + given
    return choose(intents, given, until)


def choose(intents: Intents, given: Sequence[tuple[str, str]], until: datetime) -> TrainingSet:
    """Leave out labels of intents that there are none of (any more), and words of the file."""
    known = [(text, intent) for text, intent in given if intent in intents.by_name]
    filed = {key(text) for text, _ in intents.examples()}
    last = {key(text): (text, intent) for text, intent in known}
    kept = tuple(row for name, row in last.items() if name not in filed)
    return TrainingSet(intents, kept, len(given) - len(known), until)


def served(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    intents: Intents,
    serving: ModelVersion | None,
) -> TrainingSet:
    """The examples with the labels that what serves was trained on, as far as they are kept still.

    Labels given since have to pass the night's gate first.
    """
    until = serving.payload.get("until") if serving else None
    if not until:
        return TrainingSet(intents)
    return gather(connection, workspace, intents, datetime.fromisoformat(str(until)))
