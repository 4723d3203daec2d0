"""Measures ONNX Runtime against torch: bulk encoding, one question, one message's intent.

Knows nothing about retrieval: `threadwise eval retrieval` with THREADWISE_RUNTIME=onnx measures that.
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bot import intents
from bot.settings import ROOT
from models import bert, embedder
from models.embedder import Embedder, packaged_folder
from models.files import sha256
from models.intents import baseline, classifier
from models.intents.calibration import calibrate
from models.intents.classifier import BaselineModel, IntentModel, Prediction
from models.onnx import load
from tests.bench.ingest import embedded_texts
from tests.bench.place import Clock, Place, Row, opened, percentile, scratch

CHUNKS = 1_024
MESSAGES = 400
RIDGE = 10.0
"""Strength of the linear model that stands in for a trained one: the network is the same."""


def run(place: Place) -> Iterator[Row]:
    """Measure the packaged encoder both ways, then the classifier both ways."""
    if find_spec("onnx") is None:
        yield Row("not measured: the extra [onnx] is not installed", 0)
        return
    with opened() as services:
        _, handbook = place.handbook()
        texts = embedded_texts(handbook, services)
    count = min(len(texts), place.size(CHUNKS))
    texts = [texts[n * len(texts) // count] for n in range(count)]
    with scratch() as folder:
        torch = embedder.load()
        clock = Clock()
        onnx = load.load(root=folder / "onnx")
        yield Row("export, once per model", clock.seconds, "s")
        yield from _bulk(torch, onnx, texts)
        yield from _questions(torch, onnx, place.questions())
        yield from _messages(folder, torch, onnx, place.size(MESSAGES))


def _bulk(torch: Embedder, onnx: Embedder, texts: Sequence[str]) -> Iterator[Row]:
    for one in (torch, onnx):
        one.encode(texts[:64])
    spent = {torch.name: 0.0, onnx.name: 0.0}
    vectors = {}
    for one in (torch, onnx, onnx, torch):
        clock = Clock()
        vectors[one.name] = one.encode(texts)
        spent[one.name] += clock.seconds / 2
    cosines = (vectors[torch.name] * vectors[onnx.name]).sum(axis=1)
    rates = {name: len(texts) / seconds for name, seconds in spent.items()}
    told = f"{len(texts)} chunks of a handbook, twice each way"
    yield Row("torch, bulk", rates[torch.name], "chunks/s", reference=told)
    yield Row("ONNX Runtime, bulk", rates[onnx.name], "chunks/s", reference=told)
    ratio = rates[onnx.name] / rates[torch.name]
    yield Row("ONNX Runtime / torch", ratio, "x", at_least=1.7, reference="the same chunks")
    yield Row("cosine of the two, mean", float(cosines.mean()))
    yield Row("cosine of the two, least", float(cosines.min()))


def _questions(torch: Embedder, onnx: Embedder, questions: Sequence[str]) -> Iterator[Row]:
    for name, one in (("torch", torch), ("ONNX Runtime", onnx)):
        yield from _times(f"a question encoded, {name}", one.encode, questions)


def _messages(folder: Path, torch: Embedder, onnx: Embedder, count: int) -> Iterator[Row]:
    rows = intents.Intents.of(intents.load(ROOT / "intents.toml")).examples()
    rows = [rows[n * len(rows) // count] for n in range(min(count, len(rows)))]
    texts = [text for text, _ in rows]
    kept = _write(folder / "intents", torch, rows)
    limits = {"torch": 25.0, "ONNX Runtime": 8.0}
    found = []
    for name, threads in (("torch", 0), ("ONNX Runtime", 2)):
        model = _model(folder / "intents", threads)
        found.append(model.predict(texts))
        yield from _times(f"a message classified, {name}", model.predict, texts, limits[name])
    yield from _agreement("fine-tuned", *found)
    linear = BaselineModel(
        baseline.load(folder / "intents"), kept.labels, kept.baseline, kept.encoder_sha256
    )
    shared = [linear.predict(one.encode(texts)) for one in (torch, onnx)]
    yield from _agreement("baseline, by the search's vectors", *shared)


def _agreement(what: str, one: list[Prediction], other: list[Prediction]) -> Iterator[Row]:
    pairs = list(zip(one, other, strict=True))
    same = [a.intent == b.intent for a, b in pairs]
    told = f"{len(pairs)} messages, out of scope counted as an intent"
    yield Row(f"same intent by both, {what}", float(np.mean(same)), reference=told)
    apart = max(abs(a.confidence - b.confidence) for a, b in pairs)
    yield Row(f"confidence apart at most, {what}", apart)


def _write(folder: Path, torch: Embedder, rows: Sequence[tuple[str, str]]) -> classifier.Settings:
    """Write what training writes, without the training: a fine-tuned model before its first step."""
    labels = sorted({name for _, name in rows})
    truth = np.array([labels.index(name) for _, name in rows])
    vectors = torch.encode([text for text, _ in rows])
    linear = baseline.fit(vectors, truth, len(labels), RIDGE)
    model = bert.from_encoder(packaged_folder(), len(labels))
    model.set_head(linear.weights, linear.bias)
    fitted = calibrate(linear.logits(vectors), truth)
    kept = classifier.Settings(
        labels, "bert", sha256(packaged_folder() / bert.WEIGHTS), bert=fitted, baseline=fitted
    )
    folder.mkdir()
    classifier.write(folder, packaged_folder(), model, linear, kept)
    return kept


def _model(folder: Path, onnx_threads: int) -> IntentModel:
    return classifier.load(folder, encoder=packaged_folder(), onnx_threads=onnx_threads)


def _times(
    what: str,
    action: Callable[[list[str]], object],
    texts: Sequence[str],
    at_most: float | None = None,
) -> Iterator[Row]:
    """Time an action for one text after the other."""
    action(list(texts[:5]))
    spent = []
    for text in texts:
        clock = Clock()
        action([text])
        spent.append(1000 * clock.seconds)
    yield Row(f"{what}, p50", percentile(spent, 0.5), "ms")
    yield Row(f"{what}, p95", percentile(spent, 0.95), "ms", at_most)
