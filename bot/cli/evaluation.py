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
    from bot.scorecards import scorecard

    with open_services(context.obj) as services, screen.bars() as progress:
        result = scorecard.retrieval(services, folder, split, progress)
    if as_json:
        screen.put_json(result)
    else:
        _print_retrieval(folder, result)


def _print_retrieval(folder: Path, result: Mapping[str, object]) -> None:
    from bot.scorecards import scorecard

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
    from bot.scorecards import scorecard

    with open_services(context.obj) as services, screen.bars() as progress:
        rows = scorecard.labelled(file)
        result = scorecard.answered(services.answerer, services.shelf.now(), rows, progress)
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
    rows = [
        (key, screen.percent(result[key], intervals.get(key))) for key in names if key != "crag"
    ]
    low, high = intervals["crag"]
    rows.append(("crag (-1 to 1)", f"{result['crag']:.3f} ({low:.2f} to {high:.2f})"))
    for leg in ("vector", "lexical"):
        alone = result[f"{leg}_only"]
        assert isinstance(alone, Mapping)
        rows.append((f"quote_first, {leg} only", screen.percent(alone["quote_first"])))
    title = f"{name}: {result['questions']} questions, {result['answerable']} answerable (95 % intervals)"
    screen.data().print(screen.table(title, ("measure", "value"), rows))


@app.command("learning")
def learning(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set in BEIR layout.")],
    nights: Annotated[int, typer.Option(min=1, help="How many nights run.")] = 1,
    votes: Annotated[int, typer.Option(min=1, help="Votes in all.")] = 300,
    flip: Annotated[float, typer.Option(min=0, max=1, help="Share of votes turned around.")] = 0.18,
    seed: Annotated[int, typer.Option(help="Who asks what, and which votes are wrong.")] = 0,
    as_json: Json = False,
) -> None:
    """Simulated people vote on real questions, nights run: what got better, and where."""
    from bot.night import report
    from bot.scorecards import simulating

    with open_services(context.obj) as services, screen.bars() as progress:
        result = simulating.simulate(
            services, folder, nights=nights, votes=votes, flip=flip, seed=seed, progress=progress
        )
    if as_json:
        screen.put_json(result)
    else:
        screen.data().print(report.simulation(result))


@app.command("speak")
def speak(context: typer.Context, as_json: Json = False) -> None:
    """Does it speak when it should, against the rule "contains a question mark"?"""
    from bot.scorecards import speaking

    with open_services(context.obj) as services, screen.bars() as progress:
        result = speaking.speak(services, progress)
    if as_json:
        screen.put_json(result)
    else:
        _print_speak(result)


def _print_speak(result: Mapping[str, object]) -> None:
    rows = []
    for name, label in (("classifier", "classifier"), ("question_mark", "question mark")):
        values = result[name]
        assert isinstance(values, Mapping)
        rows.append((label, *(screen.percent(values[key]) for key in ("precision", "recall"))))
    screen.data().print(screen.table("speaking", ("by", "precision", "recall"), rows))
    others = {k: v for k, v in result.items() if not isinstance(v, Mapping)}
    screen.data().print(" ".join(f"{name} {value}" for name, value in others.items()))


@app.command("confidence")
def confidence(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Questions as for `eval answers`.")],
    out: Annotated[Path | None, typer.Option(help="Write the calibrator here.")] = None,
) -> None:
    """Fit the confidence on questions over the documents that are ingested; print it as JSON."""
    from bot.scorecards import calibrating

    with open_services(context.obj) as services, screen.bars() as progress:
        screen.put_json(calibrating.refit(services, file, out, progress))


@app.command("all")
def everything(context: typer.Context, as_json: Json = False) -> None:
    """The handbook and questions that ship with Threadwise: answers, and when to speak."""
    from bot.night import frozen
    from bot.scorecards import speaking

    with open_services(context.obj) as services, screen.bars() as progress:
        result = {
            "answers": frozen.answered(services, progress),
            "speak": speaking.speak(services, progress),
        }
    if as_json:
        screen.put_json(result)
        return
    _print_answers(frozen.QUESTIONS.name, result["answers"])
    screen.data().print()
    _print_speak(result["speak"])
