"""A reader's model card: what it is made of, by which command, and what it is worth.

Knows nothing about networks; everything in it comes from the file that is kept with the weights.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from models.embedder import PACKAGED_NAME, PACKAGED_SHA256
from models.files import WEIGHTS
from models.reader.files import CHANGES, Origin

LICENCES: Mapping[str, str] = {
    "qamr": "MIT; QAMR, Copyright (c) 2017 Julian Michael, github.com/uwnlp/qamr",
    "policyqa": "MIT; PolicyQA, Copyright (c) 2020 Wasi Ahmad, Findings of EMNLP 2020",
    "covidqa": "Apache-2.0; COVID-QA, Möller et al. 2020, github.com/deepset-ai/COVID-QA",
    "medquad": "CC BY 4.0; MedQuAD, Ben Abacha and Demner-Fushman, BMC Bioinformatics 2019",
    "clapnq": "Apache-2.0; CLAP NQ, github.com/primeqa/clapnq",
}
"""Licence and attribution of the sets whose weights may be given away."""


def write(folder: Path, origin: Origin) -> Path:
    """Write the card of the reader in a folder beside its weights."""
    facts = origin.facts
    base = PACKAGED_NAME if origin.base == PACKAGED_SHA256[WEIGHTS] else "another encoder"
    size = (folder / CHANGES).stat().st_size / 1e6
    lines = [
        "# A reader of Threadwise",
        "",
        (
            f"Spans, no answer and relevance of a passage for a question, in one pass; {size:.1f} MB in 16 bits, on"
            f" {base} (SHA-256 {origin.base[:16]}...). English; passages of documents, up to 224 tokens with the"
            " question."
        ),
        "",
        *_table(("trained on", "pairs", "licence"), _sources(origin.trained_on)),
        "",
        "No text of these sets is part of the weights' folder.",
        "",
        *_table(
            ("what", "value"), [(name, str(facts[name])) for name in facts if name != "figures"]
        ),
    ]
    if figures := facts.get("figures"):
        lines += ["", "Held out; `in domain` are documents of sets that it was trained on.", ""]
        names = list(next(iter(figures.values())))
        rows = [(name, *(_number(row[key]) for key in names)) for name, row in figures.items()]
        lines += _table(("set", *names), rows)
    card = folder / "CARD.md"
    card.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return card


def _sources(trained_on: Mapping[str, int]) -> list[tuple[str, str, str]]:
    return [
        (name, str(count), LICENCES.get(name, "not known to this project: do not give it away"))
        for name, count in trained_on.items()
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(row)} |" for row in lines]


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
