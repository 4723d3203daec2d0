"""Score when the bot speaks: does it when it should, and does it leave questions to the documents?

Knows nothing about how messages are classified or how tables are printed.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bot.answering import classifier
from bot.answering.classifier import Classifier
from bot.answering.policy import Policy
from bot.answering.request import Request
from bot.intents import OOS
from bot.learning import training
from bot.learning.calibration import Progress
from bot.services import Services
from bot.settings import ROOT
from evals import answers, beir, intents, metrics
from store.records import READER, ModelVersion, Origin

CHANNEL = ROOT / "evals" / "channel.jsonl"
QUESTIONS = CHANNEL.with_name("questions.jsonl")
STRANGE = tuple(
    CHANNEL.with_name(f"{name}.jsonl") for name in ("strange_channel", "strange", "strange_later")
)
"""Messages that are like none of the examples: {"text"} with "speak" (overheard in a channel), "intent", or both."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How well somebody spoke when it was wanted, and only then."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Strange:
    """How well the serving classifier does on one set of strange messages; None for what they are not marked with."""

    name: str
    messages: int
    speaking: Rates | None
    intents: intents.Scores | None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How well the serving classifier speaks, beside the rule "speak when there is a question mark".

    Both are held against what people marked. `taken` counts the questions to the documents that never
    reached them. `macro_f1` is cross-validated over the examples; `ms` is per message, encoding included.
    """

    messages: int
    classifier: Rates
    question_mark: Rates
    questions: int
    taken: int
    serves: str
    macro_f1: float
    baseline_macro_f1: float
    ms: metrics.Times
    strange: tuple[Strange, ...]


def speak(services: Services, progress: Progress) -> Scorecard:
    """Try the version that serves, training one first where the examples have none."""
    version = trained(services, progress)
    told = _classifier(services, version)
    policy = Policy(services.intents.now, lambda: told)
    rows = list(beir.lines(CHANNEL))
    texts, wanted = [str(row["text"]) for row in rows], [bool(row["speak"]) for row in rows]
    decided = [_decide(services, policy, text, "channel") for text in texts]
    asked = [row.question for row in answers.labelled(QUESTIONS)]
    taken = [_decide(services, policy, text, "mention")[0] for text in asked]
    served = str(version.report["serves"])
    return Scorecard(
        messages=len(rows),
        classifier=rates(wanted, [spoke for spoke, _ in decided]),
        question_mark=rates(wanted, ["?" in text for text in texts]),
        questions=len(asked),
        taken=sum(not searched for searched in taken),
        serves=served,
        macro_f1=_macro_f1(version, served),
        baseline_macro_f1=_macro_f1(version, "baseline"),
        ms=metrics.times([milliseconds for _, milliseconds in decided]),
        strange=tuple(_strange(services, policy, told, file) for file in STRANGE),
    )


def trained(services: Services, progress: Progress) -> ModelVersion:
    """Give the serving version, trained on the file's examples first where it was not."""
    intents = services.intents.now()
    serving = services.serving.now().versions.get(classifier.KIND)
    if serving is not None and serving.payload.get("examples") == intents.digest:
        return serving
    given = training.served(services, intents)
    out = training.workplace(services.settings.home, intents)
    training.teach(
        given.rows,
        out,
        threads=services.settings.threads,
        on_progress=lambda done, steps: progress("training", done, steps),
    )
    return training.keep(services, given, out)


def rates(wanted: Sequence[bool], spoke: Sequence[bool]) -> Rates:
    """Compare message by message what was wanted with what happened."""
    both = sum(w and s for w, s in zip(wanted, spoke, strict=True))
    return Rates(
        precision=both / max(1, sum(spoke)),
        recall=both / max(1, sum(wanted)),
        f1=2 * both / max(1, sum(spoke) + sum(wanted)),
    )


def _classifier(services: Services, version: ModelVersion) -> Classifier:
    folder = classifier.root(services.settings.home) / (version.path or "")
    return Classifier(classifier.load(folder, services.embedder, services.settings))


def _strange(services: Services, policy: Policy, told: Classifier, file: Path) -> Strange:
    """Try one set of strange messages, as far as each row is marked."""
    rows = list(beir.lines(file))
    heard = [row for row in rows if "speak" in row]
    spoke = [_decide(services, policy, str(row["text"]), "channel")[0] for row in heard]
    marked = [row for row in rows if "intent" in row]
    guesses = [_guess(services, told, str(row["text"])) for row in marked]
    truth = [None if row["intent"] == OOS else str(row["intent"]) for row in marked]
    return Strange(
        file.name,
        len(rows),
        rates([bool(row["speak"]) for row in heard], spoke) if heard else None,
        intents.score(truth, guesses, seconds=0.0) if marked else None,
    )


def _guess(services: Services, told: Classifier, text: str) -> intents.Guess:
    found = told.classify(text, _vector(services, text))
    return intents.Guess(found.nearest, found.confidence, found.in_scope, found.intent is None)


def _vector(services: Services, text: str) -> Callable[[], NDArray[np.float32]]:
    def vector() -> NDArray[np.float32]:
        encoded: NDArray[np.float32] = services.embedder.encode_questions([text])[0]
        return encoded

    return vector


def _decide(services: Services, policy: Policy, text: str, origin: Origin) -> tuple[bool, float]:
    """Whether something other than silence follows, or in a mention, a search; and how long it took."""
    started = time.perf_counter()
    request = Request(text, READER, origin=origin, mode="questions")
    decision = policy.decide(request, _vector(services, text))
    took = (time.perf_counter() - started) * 1000
    acts = decision.action != "ignore" if origin == "channel" else decision.action == "search"
    return acts, took


def _macro_f1(version: ModelVersion, kind: str) -> float:
    scores = cast(Mapping[str, float], version.report[kind])
    return float(scores["macro_f1"])
