"""A team with a tiny classifier and labels to learn, and its night as a process: `python -m tests.training_rows`.

Knows nothing about what is tested. As a process it takes its place from the environment.
"""

import functools
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from threadpoolctl import threadpool_limits

from bot import intents
from bot.learning import fit_intents, night, training
from bot.learning.training_set import TrainingSet
from bot.services import Services
from bot.settings import Settings
from store import questions
from store.database import Database
from store.feedback import labels
from store.records import Ask, ModelVersion
from tests import tiny_bert
from tests.fakes import HashEmbedder

TEAM = "local"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
FILLERS = ("", "a", "is", "when")
EXAMPLES = {
    "payday": ("pay day", "salary day", "pay salary", "day pay day"),
    "leave": ("book leave", "book holiday", "leave holiday", "holiday leave book"),
    "password": ("reset password", "password", "password reset password", "reset reset"),
    "wifi": ("wifi", "wifi wifi", "wifi wifi wifi", "wifi i wifi"),
}
"""Nobody of these says that something is broken."""

LABELS = tuple(
    f"{first} broken {last} {end}".strip()
    for first in ("a", "i", "is", "my")
    for last in ("a", "i", "is", "my", "when")
    for end in ("", "broken", "want")
)


def write(home: Path) -> None:
    """Write the examples and a tiny encoder into `home`."""
    lines = []
    for name, texts in EXAMPLES.items():
        rows = [f"{filler} {text}".strip() for text in texts for filler in FILLERS]
        lines.append(f'[[intent]]\nname = "{name}"\naction = "answer"\nexamples = {rows!r}\n')
    (home / "intents.toml").write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")
    tiny_bert.write(home / "encoder")


def team(home: Path, database: Database) -> Services:
    """Give the services of the team that lives in `home`."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=home,
        threads=1,
        intents=home / "intents.toml",
        database_url=database.url,
    )
    return Services(settings, database, None, embedder=HashEmbedder())


def trained(home: Path) -> Path:
    """Write a home and train on its examples once, for many teams to copy; gives the training."""
    write(home)
    found = intents.Intents.of(intents.load(home / "intents.toml"))
    with threadpool_limits(1):
        training.teach(found.examples(), home / "trained", threads=1, encoder=home / "encoder")
    return home / "trained"


def serve(services: Services, trained: Path) -> ModelVersion:
    """Let what was trained on the examples alone serve."""
    out = services.settings.home / "copy"
    shutil.copytree(trained, out)
    return training.keep(services, TrainingSet(services.intents.now()), out)


def label(
    services: Services, texts: Sequence[str] = LABELS, intent: str = "wifi", at: datetime = NOW
) -> None:
    """Let people say what messages were about."""
    for text in texts:
        ask = Ask(TEAM, "C1", str(uuid4()), "U1", text, "mention", False)
        with services.database.connection() as connection:
            question_id = questions.claim(connection, ask, NOW)
            assert question_id is not None
            labels.put(connection, TEAM, question_id, "U1", intent, "reason", at)


def hold(services: Services, now: datetime) -> night.Report:
    """Hold a night with the tiny encoder."""
    teach = functools.partial(fit_intents.teach, encoder=services.settings.home / "encoder")
    with threadpool_limits(1):
        return night.run(services, now=now, teach=teach)


def main() -> None:
    """Hold a night, and say so."""
    database = Database(os.environ["DATABASE_URL"])
    report = hold(team(Path(os.environ["THREADWISE_HOME"]), database), datetime.now(UTC))
    print(*(f"{v.kind}={v.decision}" for v in report.verdicts))  # noqa: T201
    database.close()


if __name__ == "__main__":
    main()
