"""The training loop of a reader: AdamW, warm-up, length buckets, checkpoints. Read it top to bottom.

Knows nothing about sets, licences or serving. A killed run that is started again with the same arguments goes on
where its last checkpoint stands, with the same numbers.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from models.files import ModelError
from models.reader.codec import Encoded, Page, PairCodec
from models.reader.network import JointReader, in_passage
from models.reader.pairs import Pair

BUCKET_BATCHES = 50
"""Batches' worth of rows that are sorted by length together, so that little is padding."""

UNKNOWN = -100
"""The place of an answer that is not known: it costs nothing, wherever the reader puts it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training; DESIGN.md has what was measured of others."""

    epochs: float = 1.5
    batch: int = 24
    rank: int = 32
    adapter_rate: float = 8e-4
    head_rate: float = 1e-3
    warmup: float = 0.06  # of all steps
    weight_decay: float = 0.01
    clip: float = 1.0
    checkpoint_steps: int = 20  # a minute or two of one core; a checkpoint has 18 MB


@dataclass(frozen=True, slots=True)
class Row:
    """A pair's ids, where its answer begins and ends among them (0: nowhere), and whether it answers."""

    ids: list[int]
    start: int
    end: int
    is_relevant: bool


def rows(pairs: Sequence[Pair], codec: PairCodec) -> list[Row]:
    """Encode pairs; those whose answer is cut off are left out."""
    found = []
    for pair in pairs:
        encoded = codec.encode(pair.question, [Page(pair.heading, pair.passage)])[0]
        place = _place(encoded, pair)
        if place is not None:
            found.append(Row(encoded.ids, *place, pair.is_relevant))
    return found


def _place(encoded: Encoded, pair: Pair) -> tuple[int, int] | None:
    """Give the first and the last token of the longest answer; None when it was cut off."""
    if pair.spans is None:
        return UNKNOWN, UNKNOWN
    if not pair.spans:
        return 0, 0
    start, end = max(pair.spans, key=lambda span: span[1] - span[0])
    inside = [
        token
        for token, (a, b) in zip(encoded.tokens, encoded.slices, strict=True)
        if a < end and b > start
    ]
    return (inside[0], inside[-1]) if inside else None


def train(
    network: JointReader,
    given: Sequence[Row],
    *,
    recipe: Recipe,
    seed: int,
    checkpoint: Path,
    mark: str = "",
    on_step: Callable[[int, int], None] = lambda done, steps: None,
) -> float:
    """Train what of `network` needs a gradient, in place; give the seconds that it took, all tries together.

    Goes on where `checkpoint` stands; raises ModelError when that is damaged, or of a training with another `mark`.
    `given` is not empty.
    """
    steps = max(1, round(len(given) / recipe.batch * recipe.epochs))
    optimizer, schedule = _optimizer(network, recipe, steps)
    done, seconds = _resume(checkpoint, mark, network, optimizer, schedule)
    started = time.monotonic() - seconds
    network.train()
    for step, batch in enumerate(_batches(given, recipe, seed, steps), start=1):
        if step <= done:
            continue
        torch.manual_seed(seed * 1_000_000 + step)  # dropout is the same when a run goes on
        optimizer.zero_grad()
        loss(network, batch).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        on_step(step, steps)
        if step % recipe.checkpoint_steps == 0 or step == steps:
            seconds = time.monotonic() - started
            _keep(checkpoint, mark, network, optimizer, schedule, step, seconds)
    network.eval()
    return time.monotonic() - started


def loss(network: JointReader, batch: Sequence[Row]) -> Tensor:
    """Give the mean of both ends' cross entropies, and that of relevance added."""
    ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(row.ids) for row in batch], True, 0)
    lengths = torch.tensor([len(row.ids) for row in batch])
    mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).long()
    numbers = network(ids, mask)
    elsewhere = in_passage(ids, network.separator) * mask == 0
    elsewhere[:, 0] = False  # the first token: nowhere
    ends = [
        cross_entropy(
            numbers[..., column].masked_fill(elsewhere, -1e4), truth, ignore_index=UNKNOWN
        )
        for column, truth in enumerate(
            (torch.tensor([row.start for row in batch]), torch.tensor([row.end for row in batch]))
        )
        if bool((truth != UNKNOWN).any())
    ]
    truth = torch.tensor([float(row.is_relevant) for row in batch])
    relevance = binary_cross_entropy_with_logits(numbers[:, 0, 2], truth)
    return relevance + torch.stack(ends).mean() if ends else relevance


def _batches(given: Sequence[Row], recipe: Recipe, seed: int, steps: int) -> Iterator[list[Row]]:
    """Give `steps` batches of about equal lengths, all rows once an epoch."""
    size, epoch, count = recipe.batch, 0, 0
    while True:
        chance = np.random.default_rng((seed, epoch))
        order, chosen = chance.permutation(len(given)), list[list[int]]()
        for start in range(0, len(order), size * BUCKET_BATCHES):
            bucket = order[start : start + size * BUCKET_BATCHES].tolist()
            bucket.sort(key=lambda i: len(given[i].ids))
            chosen += [bucket[i : i + size] for i in range(0, len(bucket), size)]
        for number in chance.permutation(len(chosen)):
            if count == steps:
                return
            count += 1
            yield [given[i] for i in chosen[number]]
        epoch += 1


def _optimizer(
    network: JointReader, recipe: Recipe, steps: int
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    inside = [p for p in network.encoder.parameters() if p.requires_grad]
    heads = [*network.span.parameters(), *network.relevance.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": inside, "lr": recipe.adapter_rate}, {"params": heads, "lr": recipe.head_rate}],
        weight_decay=recipe.weight_decay,
    )
    rising = max(1, round(steps * recipe.warmup))

    def rate(step: int) -> float:
        return min((step + 1) / rising, max(0.0, (steps - step) / steps))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, rate)


def _keep(
    file: Path,
    mark: str,
    network: JointReader,
    optimizer: torch.optim.AdamW,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    step: int,
    seconds: float,
) -> None:
    trained = {name for name, p in network.named_parameters() if p.requires_grad}
    weights = {k: v for k, v in network.state_dict().items() if k in trained}
    partial = file.with_suffix(".partial")
    torch.save(
        {
            "mark": mark,
            "step": step,
            "seconds": seconds,
            "weights": weights,
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
        },
        partial,
    )
    partial.replace(file)


def _resume(
    file: Path,
    mark: str,
    network: JointReader,
    optimizer: torch.optim.AdamW,
    schedule: torch.optim.lr_scheduler.LambdaLR,
) -> tuple[int, float]:
    """Take over a checkpoint; give its step and seconds, 0 and 0 where there is none."""
    if not file.exists():
        return 0, 0.0
    anew = "remove that file to begin anew"
    try:
        saved = torch.load(file, weights_only=True)
    except Exception as error:  # whatever comes of bytes that are no pickle
        raise ModelError(f"{file} is damaged ({type(error).__name__}): {anew}.") from error
    if saved.get("mark") != mark:
        raise ModelError(
            f"{file} is of a training with other arguments. Give those again, or {anew}."
        )
    network.load_state_dict(saved["weights"], strict=False)
    optimizer.load_state_dict(saved["optimizer"])
    schedule.load_state_dict(saved["schedule"])
    return int(saved["step"]), float(saved["seconds"])
