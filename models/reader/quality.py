"""How good a reader is on questions with known answers.

Knows nothing about networks; it is given what was read. EM and F1 as SQuAD defines them (Rajpurkar et al. 2016):
lower case, without articles and punctuation, the best over the answers; BLEU by sacrebleu, ROUGE-L by
rouge-score (both of the extra `reader`); AUROC of telling pairs that answer from pairs that do not.
"""

import importlib
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.files import ModelError
from models.reader.pairs import Pair
from models.reader.reader import Read

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_SIGNS = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True, slots=True)
class Quality:
    """Measures of one set; None where it has nothing to measure: no spans, or no pair of either kind."""

    pairs: int
    exact: float | None
    f1: float | None
    bleu: float | None
    rouge_l: float | None
    no_answer_auroc: float | None  # by the spans alone
    relevance_auroc: float | None


def measure(pairs: Sequence[Pair], read: Sequence[Read]) -> Quality:
    """Compare what was read with what is known, pair by pair."""
    both = list(zip(pairs, read, strict=True))
    said = [(pair.passage[slice(*r.best)], _answers(pair)) for pair, r in both if pair.spans]
    truth = [pair.is_relevant for pair in pairs]
    # Where a passage answers as a whole, its spans say nothing of the reader.
    known = [(pair.is_relevant, 1 - r.no_answer) for pair, r in both if pair.spans is not None]
    return Quality(
        len(pairs),
        _mean([max(float(_plain(text) == _plain(a)) for a in answers) for text, answers in said]),
        _mean([max(f1(text, a) for a in answers) for text, answers in said]),
        _bleu(said),
        _rouge(said),
        _auroc([t for t, _ in known], [p for _, p in known]),
        _auroc(truth, [r.relevance for r in read]),
    )


def f1(said: str, answer: str) -> float:
    """Give the F1 of the words that two texts share, 0..1."""
    a, b = _plain(said).split(), _plain(answer).split()
    if not a or not b:
        return float(a == b)
    shared = sum((Counter(a) & Counter(b)).values())
    return 2 * shared / (len(a) + len(b))


def _plain(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_SIGNS)).split())


def _answers(pair: Pair) -> list[str]:
    return [pair.passage[slice(*span)] for span in pair.spans or ()]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _bleu(said: Sequence[tuple[str, list[str]]]) -> float | None:
    if not said:
        return None
    corpus_bleu = _extra("sacrebleu").corpus_bleu
    most = max(len(answers) for _, answers in said)
    # References come as one list per number: a question with fewer of them repeats its last one.
    others = [[a[min(n, len(a) - 1)] for _, a in said] for n in range(most)]
    found: float = corpus_bleu([text for text, _ in said], others).score / 100
    return found


def _rouge(said: Sequence[tuple[str, list[str]]]) -> float | None:
    if not said:
        return None
    # Its own tokenizer, named: taken by default, it is logged to the user's terminal.
    words = _extra("rouge_score.tokenizers").DefaultTokenizer(use_stemmer=False)
    scorer = _extra("rouge_score.rouge_scorer").RougeScorer(["rougeL"], tokenizer=words)
    return _mean(
        [max(scorer.score(a, text)["rougeL"].fmeasure for a in answers) for text, answers in said]
    )


def _extra(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The package {error.name} is missing, which measures a reader."
            " Run: pip install -c constraints.txt -e '.[reader]'"
        ) from error


def _auroc(truth: Sequence[bool], scores: Sequence[float]) -> float | None:
    if len(set(truth)) < 2:
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))
