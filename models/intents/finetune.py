"""The fine-tuning loop: AdamW, warm-up, length buckets, early stopping, checkpoints. Read it top
to bottom. Knows nothing about intents' names, calibration or the baseline."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import LambdaLR

from models.bert import BertClassifier
from models.intents.calibration import Classes
from models.intents.course import Course, Epoch
from models.tokens import Ids

# In-scope held-out rows that can tell epochs apart: on 134 of ten-shot CLINC150 accuracy chose
# epoch 3 and likelihood epoch 2 of 5, all within .002 of each other on the test.
MIN_STOP_ROWS = 300
BUCKET_BATCHES = 50  # batches' worth of rows that are sorted by length together


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a fine-tuning, measured on CLINC150 (see DESIGN.md)."""

    epochs: int = 5  # at most; see `fewer_epochs`
    batch: int = 32
    encoder_rate: float = 2e-4
    head_rate: float = 1e-3
    warmup: float = 0.1  # of all steps
    weight_decay: float = 0.01
    smoothing: float = 0.05
    clip: float = 1.0
    patience: int = 2  # epochs without a better held-out accuracy before it stops
    checkpoint_seconds: float = 60.0  # at most so much work is lost to a kill, and an epoch


def fewer_epochs(recipe: Recipe, rows: int) -> Recipe:
    """Give the recipe for so many rows: more rows learn as much in fewer rounds over them."""
    return replace(
        recipe, epochs=min(recipe.epochs, 3 if rows > 8_000 else 4 if rows > 3_000 else 5)
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Token ids with their classes; class -1 is out of scope: the model's last class."""

    ids: Sequence[Ids]
    truth: Classes

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "Rows":
        """Give the chosen rows (indices or mask)."""
        index = np.arange(len(self.truth))[chosen]
        return Rows([self.ids[i] for i in index], self.truth[index])


def finetune(
    model: BertClassifier,
    rows: Rows,
    held: Rows | None,
    weights: NDArray[np.float32],
    *,
    recipe: Recipe,
    seed: int,
    checkpoint: Path,
    on_step: Callable[[], None],
) -> Course:
    """Train `model` in place and give how that went.

    Where `rows` has rows out of scope, the model has one class more than there are intents.

    With enough `held` rows the best epoch by their accuracy is kept and training stops early; without,
    the last one is. A `checkpoint` file left by a killed run is continued, exactly.
    """
    for parameter in model.word_embeddings().parameters():
        parameter.requires_grad_(False)  # half of all weights: slow to update, nothing gained
    optimizer, schedule = _optimizer(model, recipe, math.ceil(len(rows.ids) / recipe.batch))
    class_weight = torch.from_numpy(weights)
    choosing = held is not None and int((held.truth >= 0).sum()) >= MIN_STOP_ROWS
    state = _State(model, optimizer, schedule, checkpoint, recipe.checkpoint_seconds)
    for epoch in range(state.epoch, recipe.epochs):
        if state.finished or epoch - state.best_epoch >= recipe.patience:
            break
        torch.manual_seed(seed * 1_000 + epoch)
        model.train()
        losses = []
        for batch in batches(rows, recipe.batch, np.random.default_rng((seed, epoch))):
            optimizer.zero_grad()
            loss = _loss(model(batch.ids), batch.truth, class_weight, recipe.smoothing)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            on_step()
        if held is not None and (held.truth >= 0).any():
            state.course.append(Epoch(float(np.mean(losses)), *tried(model, held)))
        state.end_epoch(state.course[-1].accuracy if choosing else float(epoch))
    state.finish()
    return Course(state.best_epoch, tuple(state.course))


def batches(rows: Rows, size: int, rng: np.random.Generator) -> Iterator[Rows]:
    """Give all rows once in random batches of about equal lengths, so little is padding."""
    order = rng.permutation(len(rows.ids))
    chosen: list[NDArray[np.int64]] = []
    for start in range(0, len(order), size * BUCKET_BATCHES):
        bucket = sorted(
            order[start : start + size * BUCKET_BATCHES], key=lambda i: len(rows.ids[i])
        )
        chosen += [np.array(bucket[i : i + size]) for i in range(0, len(bucket), size)]
    for position in rng.permutation(len(chosen)):
        yield rows.take(chosen[position])


def tried(model: BertClassifier, rows: Rows) -> tuple[float, float]:
    """Give the mean cross-entropy on the in-scope rows, and the share of them whose intent is the best one."""
    inside = rows.take(rows.truth >= 0)
    logits = model.logits(inside.ids)
    loss = cross_entropy(torch.from_numpy(logits), torch.from_numpy(inside.truth))
    return float(loss), float((logits.argmax(1) == inside.truth).mean())


def _loss(
    logits: torch.Tensor, truth: Classes, weight: torch.Tensor, smoothing: float
) -> torch.Tensor:
    classes = torch.from_numpy(np.where(truth < 0, logits.shape[1] - 1, truth))
    return cross_entropy(logits, classes, weight=weight, label_smoothing=smoothing)


def _optimizer(
    model: BertClassifier, recipe: Recipe, steps: int
) -> tuple[torch.optim.AdamW, LambdaLR]:
    encoder = [p for p in model.encoder.parameters() if p.requires_grad]
    groups = [
        {"params": encoder, "lr": recipe.encoder_rate},
        {"params": list(model.head.parameters()), "lr": recipe.head_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)
    total = steps * recipe.epochs
    rising = max(1, round(total * recipe.warmup))

    def rate(step: int) -> float:
        return min((step + 1) / rising, (total - step) / max(1, total - rising))

    return optimizer, LambdaLR(optimizer, rate)


class _State:
    """Where a run stands: written at the end of epochs, read back after a kill."""

    def __init__(
        self,
        model: BertClassifier,
        optimizer: torch.optim.AdamW,
        schedule: LambdaLR,
        file: Path,
        every: float,
    ) -> None:
        self._model, self._optimizer, self._schedule = model, optimizer, schedule
        self._file, self._every, self._written = file, every, time.monotonic()
        self._trained = [name for name, p in model.named_parameters() if p.requires_grad]
        self.finished = False
        self.course: list[Epoch] = []
        self.epoch, self.best_epoch, self._best_score = 0, 0, -math.inf
        self._best = self._weights()
        if file.exists():
            self._resume()

    def end_epoch(self, score: float) -> None:
        """Note the held-out score of the epoch that ended; write the checkpoint when it is time."""
        self.epoch += 1
        if score >= self._best_score:  # of equals the later one: its rate was lower
            self._best_score, self.best_epoch = score, self.epoch
            self._best = self._weights()
        if time.monotonic() - self._written >= self._every:
            self._write(
                {
                    "weights": self._weights(),
                    "optimizer": self._optimizer.state_dict(),
                    "schedule": self._schedule.state_dict(),
                }
            )

    def finish(self) -> None:
        """Give the model its best weights, and keep just these for a run that is killed later."""
        self._model.load_state_dict(self._best, strict=False)
        if not self.finished:
            self._write({})

    def _weights(self) -> dict[str, torch.Tensor]:
        weights = self._model.state_dict()
        return {name: weights[name].clone() for name in self._trained}

    def _write(self, running: dict[str, Any]) -> None:
        at = (self.epoch, self.best_epoch, self._best_score)
        partial = self._file.with_suffix(".partial")
        course = [astuple(epoch) for epoch in self.course]
        torch.save({"at": at, "best": self._best, "running": running, "course": course}, partial)
        partial.replace(self._file)
        self._written = time.monotonic()

    def _resume(self) -> None:
        saved = torch.load(self._file, weights_only=True)
        self.epoch, self.best_epoch, self._best_score = saved["at"]
        self.course = [Epoch(*numbers) for numbers in saved.get("course", ())]
        self._best, running = saved["best"], saved["running"]
        self.finished = not running
        if running:
            self._model.load_state_dict(running["weights"], strict=False)
            self._optimizer.load_state_dict(running["optimizer"])
            self._schedule.load_state_dict(running["schedule"])
