"""`threadwise checker`: fit what tells a supported sentence from a false one, and measure it.

Knows nothing about features or weights.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import console

if TYPE_CHECKING:
    import random

    from models.checker.training import Example, Quality, Swap

app = typer.Typer(help="The checker of phrased sentences.", no_args_is_help=True)

MOST = 1500
"""Sentences of each set, each with a true and a false wording: minutes on one core."""

Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="The folder over qamr/ and others.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


@app.command()
def train(
    context: typer.Context,
    data: Data,
    out: Annotated[Path, typer.Option(help="Where the weights go.")] = Path("weights.json"),
    most: Annotated[int, typer.Option("--most", min=10, help="Sentences of each set.")] = MOST,
    as_json: Json = False,
) -> None:
    """Fit on open sets, set the threshold on a part held out, measure on sets that were not fitted on."""
    from bot import embedding
    from models.checker import training

    encode = embedding.configured(context.obj).encode
    given = [
        each
        for name in training.SETS
        for each in training.examples(training.read(data, [name]), _swaps(), _cut, most, 0)
    ]
    fitted = [each for n, each in enumerate(given) if n % 10 < 7]
    chosen = [each for n, each in enumerate(given) if n % 10 in (7, 8)]
    left = [each for n, each in enumerate(given) if n % 10 == 9]
    checker = training.fit(fitted, chosen, encode)
    found = {"held out": training.quality(checker, left, encode)}
    found |= {name: training.quality(checker, given, encode) for name, given in _unseen(data, most)}
    training.keep(checker, found, out)
    _print(found, as_json)


@app.command("eval")
def evaluate(
    context: typer.Context,
    data: Data,
    most: Annotated[int, typer.Option("--most", min=10, help="Sentences of each set.")] = 300,
    as_json: Json = False,
) -> None:
    """AUROC, and what is kept of true and of false sentences, on sets that were not fitted on."""
    from bot import embedding
    from models.checker import checker, training

    encode, serving = embedding.configured(context.obj).encode, checker.load()
    _print({n: training.quality(serving, g, encode) for n, g in _unseen(data, most)}, as_json)


def _unseen(data: Path, most: int) -> "list[tuple[str, list[Example]]]":
    """Give sets that nothing was fitted on, our own handbook among them."""
    from evals import phrased
    from models.checker import training
    from models.checker.training import Example

    given = phrased.passages()
    own = [
        Example(case.sentence, "\n".join(case.quotes), said)
        for cases, said in (
            (phrased.said(given)[::4], True),
            (phrased.phrased(given), True),
            (phrased.unsaid(given, 400, seed=11), False),
        )
        for case in cases
    ]
    unseen = training.read(data, training.UNSEEN)
    return [
        ("covidqa", training.examples(unseen, _swaps(), _cut, most, 1)),
        ("our handbook", own),
        ("our own wordings", [e for e in own if not e.is_said] + _own_wordings(own)),
    ]


def _own_wordings(own: "Sequence[Example]") -> "list[Example]":
    from evals import phrased

    told = {case.sentence for case in phrased.phrased(phrased.passages())}
    return [each for each in own if each.sentence in told]


def _swaps() -> "list[Swap]":
    from evals import phrased

    def adapted(swap: phrased.Swap) -> "Swap":
        def made(
            draw: "random.Random", sentence: str, text: str, others: Sequence[str]
        ) -> str | None:
            passages = [phrased.passage_of(str(n), other) for n, other in enumerate(others)]
            able = [each for each in passages if each.sentences]
            own = phrased.passage_of("", text)
            return swap(draw, sentence, own, able) if able and own.sentences else None

        return made

    return [adapted(swap) for swap in phrased.SWAPS.values()] + [
        adapted(phrased.SWAPS["another page"])
    ]


def _cut(text: str) -> Sequence[str]:
    from evals import phrased

    return phrased.passage_of("", text).sentences


def _print(found: "dict[str, Quality]", as_json: bool) -> None:
    if as_json:
        console.put_json({name: asdict(each) for name, each in found.items()})
        return
    rows = [
        (
            name,
            q.examples,
            f"{q.auroc:.3f}",
            f"{100 * q.kept:.1f} %",
            f"{100 * q.false_support:.1f} %",
        )
        for name, q in found.items()
    ]
    columns = ("set", "sentences", "AUROC", "true kept", "false kept")
    console.data().print(console.table("checker", columns, rows))
