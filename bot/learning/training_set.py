"""What the intent classifier is trained on: the file's examples, and the messages that people labelled.

Knows nothing about how it is trained or whether the result serves.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.intents import OOS, Intents
from models.intents.heldout import key
from store.database import Connection
from store.feedback import labels, votes
from store.records import ModelVersion

Rows = list[tuple[str, str]]
"""Texts with their intents."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The examples of the intents' file, and people's `labels` of messages.

    `until` is the time up to which labels were read, None where there are none; `unknown` counts labels
    that were left out because their intent is no longer in the file.
    """

    intents: Intents
    labels: tuple[tuple[str, str], ...] = ()
    unknown: int = 0
    until: datetime | None = None

    @property
    def rows(self) -> Rows:
        """All texts that are trained on, with their intents."""
        outside = [(text, OOS) for text in self.intents.out_of_scope]
        return [*self.intents.examples(), *outside, *self.labels]

    @property
    def payload(self) -> dict[str, object]:
        """What a version keeps, to recognise the same rows by their hashes: nobody's words are kept."""
        kept: dict[str, object] = {"examples": self.intents.digest}
        if self.until is not None:
            digest = hashlib.sha256(json.dumps(sorted(self.labels)).encode()).hexdigest()
            kept |= {"labels": digest, "until": self.until.isoformat()}
        return kept

    def is_of(self, version: ModelVersion) -> bool:
        """Whether the version was trained on these rows."""
        hashes = ("examples", "labels")
        return all(version.payload.get(name) == self.payload.get(name) for name in hashes)


def gather(
    connection: Connection, workspace: str, intents: Intents, until: datetime
) -> TrainingSet:
    """Read the labels that people gave until then; of two labels for the same words the later one counts.

    A message on which the bot should have stayed silent counts as labelled with the intent whose action is
    "ignore". Words that stand in the file keep the intent they have there.
    """
    given = labels.rows(connection, workspace, until)
    alone = next((i.name for i in intents.by_name.values() if i.action == "ignore"), None)
    if alone:
        given = [(text, alone) for text in votes.unwanted(connection, workspace, until)] + given
    return choose(intents, given, until)


def choose(intents: Intents, given: Sequence[tuple[str, str]], until: datetime) -> TrainingSet:
    """Leave out labels of intents that are not in the file (any more), and words that are."""
    known = [(text, intent) for text, intent in given if intent in intents.by_name]
    filed = {key(text) for text, _ in intents.examples()}
    last = {key(text): (text, intent) for text, intent in known}
    kept = tuple(row for name, row in last.items() if name not in filed)
    return TrainingSet(intents, kept, len(given) - len(known), until)


def served(
    connection: Connection,
    workspace: str,
    intents: Intents,
    serving: ModelVersion | None,
) -> TrainingSet:
    """Give the examples with the labels that the serving version was trained on, as far as they still exist.

    Labels given since then are left to the night: they have to pass the promotion gate first.
    """
    until = serving.payload.get("until") if serving else None
    if not until:
        return TrainingSet(intents)
    return gather(connection, workspace, intents, datetime.fromisoformat(str(until)))
