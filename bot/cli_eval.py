"""`threadwise eval`: is it any good? Tables for people, `--json` for machines.

Knows nothing about metrics; it runs scorecards and prints them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot import screen
from bot.services import open_services

app = typer.Typer(help="Measure quality: retrieval, answers, learning.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


@app.command("retrieval")
def retrieval(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set in BEIR layout.")],
    split: Annotated[str | None, typer.Option(help="Which judgements: test, valid ...")] = None,
    as_json: Json = False,
) -> None:
    """nDCG@10, recall and MRR of the lexical leg, the vector leg and both."""
    from bot import scorecard

    with open_services(context.obj) as services, screen.bars() as progress:
        result = scorecard.retrieval(services, folder, split, progress)
    if as_json:
        screen.put_json(result)
        return
    names = ("ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10")
    rows = []
    for leg in scorecard.LEGS:
        values = result[leg]
        assert isinstance(values, Mapping)
        rows.append((leg, *(f"{values[name]:.3f}" for name in names)))
    title = f"{folder.name} {result['split']}: {result['queries']} questions, {result['documents']} pages"
    screen.data().print(screen.table(title, ("leg", *names), rows))


@app.command("answers")
def answers(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help='JSONL {"id","question","answerable","path","quote"}.'),
    ],
    as_json: Json = False,
) -> None:
    """Right quote first, refusals, CRAG score, over the documents that are ingested."""
    from bot import scorecard

    with open_services(context.obj) as services, screen.bars() as progress:
        result = scorecard.answered(services, file, progress)
    if as_json:
        screen.put_json(result)
    else:
        _print_answers(file.name, result)


def _print_answers(name: str, result: Mapping[str, object]) -> None:
    intervals = result["intervals"]
    assert isinstance(intervals, Mapping)
    names = (
        "quote_first", "page_first", "page_top5", "refused_unanswerable", "refused_answerable",
        "crag", "coverage_at_80", "ece",
    )  # fmt: skip
    rows = [(key, screen.percent(result[key], intervals.get(key))) for key in names]
    for leg in ("vector", "lexical"):
        alone = result[f"{leg}_only"]
        assert isinstance(alone, Mapping)
        rows.append((f"quote_first, {leg} only", screen.percent(alone["quote_first"])))
    title = f"{name}: {result['questions']} questions, {result['answerable']} answerable (95 % intervals)"
    screen.data().print(screen.table(title, ("measure", "value"), rows))
