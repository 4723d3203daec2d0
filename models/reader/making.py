"""Makes a reader out of sets, and tries one on them.

Knows nothing about the command line. Whatever it is tried on, it was not trained on: of sets that it was trained
on the held-out documents, of others all.
"""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from models.embedder import bound
from models.files import WEIGHTS, ModelError, sha256
from models.reader import adapter, card, files, pairs, prompts, quality, training
from models.reader.codec import Page
from models.reader.files import Origin
from models.reader.network import JointReader
from models.reader.pairs import Collection, Encode, Pair
from models.reader.quality import Quality
from models.reader.reader import Read, Reader
from models.reader.training import Recipe

Kind = Literal["adapter", "prompts", "whole"]
"""What is trained of the encoder: low-rank changes of its layers, vectors before its input, or all weights."""

RATES: Mapping[Kind, float] = {"adapter": 8e-4, "prompts": 1e-2, "whole": 1e-4}
"""Learning rates of what is trained of the encoder; that of prompts is high, since there are few of them."""

Progress = Callable[[str, int, int], None]

CHECKPOINT = "checkpoint"

DROPOUT = 0.05
"""Share of what goes into an adapter that is dropped while one is trained further: the questions are few."""

READ_TOGETHER = 16
"""Pairs that are read in one call when a reader is tried."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: at most `most` questions of each set, by a `recipe` and a `seed`."""

    most: int = 2000
    kind: Kind = "adapter"
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0
    command: str = ""


def make(
    given: Sequence[Collection],
    base: Path,
    out: Path,
    *,
    order: Order,
    encode: Encode,
    progress: Progress,
    threads: int = 2,
) -> Origin:
    """Train a reader on the documents of the sets that are not held out, and keep it with its card in `out`.

    A run that was killed goes on when it is started again with the same arguments. Raises ModelError where the
    sets have nothing to train on, or a run with other arguments was killed in `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    drawn = [pair for each in given for pair in _drawn(each, encode, order, is_held_out=False)]
    random.Random(order.seed).shuffle(drawn)
    drawn = pairs.restyled(drawn, order.seed)
    network, codec = files.fresh(base, order.seed)
    if order.kind == "adapter":
        network.encoder = adapter.wrapped(network.encoder, order.recipe.rank)
    elif order.kind == "prompts":
        network.encoder = prompts.wrapped(network.encoder)
    rows = training.rows(drawn, codec)
    if not rows:
        raise ModelError("The sets have no question to train on.")
    facts = _trained(network, rows, out, order, _mark(given, base, order), progress, threads)
    counts = {c.name: sum(pair.from_set == c.name for pair in drawn) for c in given}
    return _kept(network, Origin(sha256(base / WEIGHTS), 0.0, counts, facts), out)


def tune(
    drawn: Sequence[Pair],
    before: Path,
    out: Path,
    *,
    order: Order,
    progress: Progress,
    threads: int = 2,
    base: Path | None = None,
) -> Origin:
    """Train the reader in the folder `before` further on pairs, and keep it with its card in `out`.

    `base` is the encoder that it was made for, None for the packaged one. A run that was killed goes on when it is
    started again with the same arguments. Raises ModelError where there is nothing to train on, or the reader
    is not an adapter of that encoder.
    """
    out.mkdir(parents=True, exist_ok=True)
    known, adapted = files.origin(before), files.adapter_of(before)
    network, codec, name = files.load(before, base)
    if not isinstance(network, JointReader):
        raise ModelError(f"The reader {before} was not trained here.")
    network.encoder = adapter.wrapped(network.encoder, order.recipe.rank, dropout=DROPOUT)
    given = list(drawn)
    random.Random(order.seed).shuffle(given)
    rows = training.rows(given, codec)
    if not rows:
        raise ModelError("The corpora have no question to train on.")
    drawn_from = hashlib.sha256(repr(given).encode()).hexdigest()
    mark = repr((name, drawn_from, replace(order, command="")))
    facts = _trained(network, rows, out, order, mark, progress, threads)
    earlier = {f"before: {key}": value for key, value in known.facts.items() if key != "figures"}
    counts = Counter(pair.from_set for pair in given)
    made = Origin(known.base, known.scale, {**known.trained_on, **counts}, {**earlier, **facts})
    return _kept(network, made, out, before=adapted)


def _trained(
    network: JointReader,
    rows: Sequence[training.Row],
    out: Path,
    order: Order,
    mark: str,
    progress: Progress,
    threads: int,
) -> dict[str, Any]:
    """Train a network in place, its checkpoint in `out`; give the facts of the training for its card."""
    # Not earlier: encoders run batches side by side, a thread each.
    bound(threads)
    seconds = training.train(
        network,
        rows,
        recipe=order.recipe,
        seed=order.seed,
        checkpoint=out / CHECKPOINT,
        mark=mark,
        on_step=lambda done, steps: progress("training", done, steps),
    )
    return {
        "command": order.command,
        "seed": order.seed,
        "seconds": round(seconds),
        "pairs": len(rows),
        "kind": order.kind,
        **asdict(order.recipe),
    }


def _kept(
    network: JointReader, made: Origin, out: Path, before: adapter.Adapter | None = None
) -> Origin:
    """Keep a trained reader with its card instead of its checkpoint."""
    files.save(network, made, out, before=before)
    (out / CHECKPOINT).unlink(missing_ok=True)
    card.write(out, files.origin(out))
    return files.origin(out)


def tried(
    reader: Reader,
    given: Sequence[Collection],
    trained_on: Mapping[str, int],
    *,
    encode: Encode,
    progress: Progress,
    most: int = 300,
) -> dict[str, Quality]:
    """Measure a reader on each set; the name of one that it was trained on ends in `, in domain`."""
    found = {}
    for each in given:
        is_own = each.name in trained_on
        drawn = _drawn(each, encode, Order(most=most), is_held_out=True if is_own else None)
        read = []
        for start in range(0, len(drawn), READ_TOGETHER):
            read += _read(reader, drawn[start : start + READ_TOGETHER])
            progress(f"reading {each.name}", len(read), len(drawn))
        name = f"{each.name}, in domain" if is_own else each.name
        found[name] = quality.measure(drawn, read)
    return found


def _mark(given: Sequence[Collection], base: Path, order: Order) -> str:
    """Say what a training is of, for its checkpoint: sets and their size, encoder and order."""
    sizes = [(each.name, len(each.pairs)) for each in given]
    return repr((sizes, sha256(base / WEIGHTS), replace(order, command="")))


def _drawn(
    given: Collection, encode: Encode, order: Order, *, is_held_out: bool | None
) -> list[Pair]:
    """Draw pairs of a set: of documents that are held out, of the others, or (None) of all."""
    kept = [p for p in given.pairs if is_held_out is None or p.is_held_out == is_held_out]
    return pairs.mixed(replace(given, pairs=tuple(kept)), encode, most=order.most, seed=order.seed)


def _read(reader: Reader, drawn: Sequence[Pair]) -> list[Read]:
    return [reader.read(pair.question, [Page(pair.heading, pair.passage)])[0] for pair in drawn]
