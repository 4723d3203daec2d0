"""Trains the intent classifier on the team's examples, keeps the version that comes out, and lets it serve.

Knows nothing about how it is trained, nor in which process.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import jobs
from bot.answering.classifier import KIND, root
from bot.intents import Intents
from bot.learning import rollback, training_set
from bot.learning.training_set import Rows, TrainingSet
from bot.services import Services
from store.feedback import trainings, versions
from store.feedback.trainings import Training
from store.records import ModelVersion

if TYPE_CHECKING:
    from models.intents.report import Report

KEPT = 5
"""Versions whose files stay on disk: so many of the newest, and of those that served last. Each has about 90 MB."""


class TrainingTrigger:
    """Queues a training whenever the examples are ones that no version was trained on."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._offered = ""

    def offer(self) -> bool:
        """Look once; whether a training was queued. While it is due, examples are offered once."""
        intents = self._services.intents.now()
        if not is_due(self._services, intents):
            self._offered = ""
            return False
        if intents.digest == self._offered:
            return False
        self._offered = intents.digest
        with self._services.database.connection() as connection:
            return jobs.defer_training(connection, self._services.queue)


def is_due(services: Services, intents: Intents, now: datetime | None = None) -> bool:
    """Whether what serves was trained on other examples than these, and nobody wanted it so.

    A version of these examples that was rolled back within rollback.WATCHED is not trained again so soon,
    and a version that an admin chose to let serve, after these examples were trained on, goes on serving.
    """
    if not intents.digest:
        return False
    with services.database.connection() as connection:
        known = versions.all_of(connection, services.workspace, KIND)
    mine = [v for v in known if v.payload.get("examples") == intents.digest]
    if any(v.is_serving for v in mine):
        return False
    rested = (now or datetime.now(UTC)) - rollback.WATCHED
    if any(v.rolled_back_at and v.rolled_back_at >= rested for v in mine):
        return False
    chosen = next((v for v in known if v.is_serving and _is_chosen(v)), None)
    return not chosen or all(v.created_at > (chosen.promoted_at or v.created_at) for v in mine)


def _is_chosen(version: ModelVersion) -> bool:
    """Whether an admin let it serve: a training promotes its version as soon as there is one."""
    return version.promoted_at is not None and version.promoted_at > version.created_at


def served(services: Services, intents: Intents) -> TrainingSet:
    """Give the file's examples, with the labels that the serving version was trained on."""
    with services.database.connection() as connection:
        serving = versions.serving(connection, services.workspace).get(KIND)
        return training_set.served(connection, services.workspace, intents, serving)


def workplace(home: Path, intents: Intents) -> Path:
    """Name the folder that a model is trained in; a training that was killed finds its checkpoints there."""
    return root(home) / f".training-{intents.digest[:12]}"


def keep(
    services: Services,
    given: TrainingSet,
    trained: Path,
    *,
    files: int = KEPT,
    detail: Mapping[str, object] | None = None,
) -> ModelVersion:
    """Move what was trained in a folder onto the shelf, and let it serve; `files` versions stay on disk.

    `detail` is kept with the version, beside the hashes of what it was trained on.
    """
    from models.shelf import Shelf

    now = datetime.now(UTC)
    report = read_report(trained)
    name = f"{now:%Y%m%d-%H%M%S%f}-{given.intents.digest[:8]}"
    shelf = Shelf(root(services.settings.home))
    shelf.put(name, trained)
    shutil.rmtree(trained)
    payload = {**given.payload, **(detail or {})}
    with services.database.connection() as connection:
        version_id = versions.add(
            connection, services.workspace, KIND, now, payload=payload, report=report, path=name
        )
        version = versions.promote(connection, services.workspace, version_id, now)
        trainings.add(connection, services.workspace, of(report, now, is_kept=True))
        served = [v for v in versions.all_of(connection, services.workspace, KIND) if v.promoted_at]
    assert version is not None
    last = sorted(served, key=lambda v: v.promoted_at or v.created_at, reverse=True)[:files]
    shelf.prune(files, serving={v.path or "" for v in last})
    return version


def of(report: Mapping[str, Any], now: datetime, *, is_kept: bool) -> Training:
    """Give a training as it is kept for good: the losses and accuracies of its report (models.intents.report)."""
    models = {
        name: {key: report.get(name, {}).get(key) for key in ("accuracy", "loss")}
        for name in ("bert", "baseline")
    }
    serves = report.get("serves", "bert")
    told = {**models, "serves": serves, "course": report.get("course", [])}
    better, rows = models[serves], report.get("rows", 0)
    return Training(KIND, now, is_kept, rows, better["accuracy"], better["loss"], told)


def read_report(folder: Path) -> dict[str, Any]:
    from models.intents.report import FILE

    report: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return report


def teach(
    rows: Rows,
    out: Path,
    *,
    threads: int,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    encoder: Path | None = None,
) -> "Report":
    """Train in this process and write the model into `out`; minutes long, with `threads` threads.

    `encoder` is the folder of the pretrained encoder, by default the one that ships. Raises
    models.intents.examples.TrainingError where there are too few rows to learn from.
    """
    from models.embedder import bound, packaged_folder
    from models.intents import training
    from models.intents.examples import Example

    bound(threads)
    out.mkdir(parents=True, exist_ok=True)
    return training.train(
        [Example(*row) for row in rows],
        encoder=encoder or packaged_folder(),
        out=out,
        seed=seed,
        on_progress=on_progress,
    )
