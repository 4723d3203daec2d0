"""`threadwise eval`: is it any good? Tables for people, `--json` for machines.

Knows nothing about metrics; it runs scorecards and prints them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import console
from bot.text import percent

if TYPE_CHECKING:
    from bot.scorecards import answers, phrasing, retrieval, speaking
    from bot.services import Services

app = typer.Typer(help="Measure quality: retrieval, answers, learning.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


@app.command("retrieval")
def score_retrieval(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set in BEIR layout.")],
    split: Annotated[str | None, typer.Option(help="Which judgements: test, valid ...")] = None,
    as_json: Json = False,
) -> None:
    """nDCG@10, recall and MRR of the lexical leg, the vector leg and both."""
    from bot.scorecards import retrieval
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        result = retrieval.score(services, folder, split, progress)
        _keep(services, "retrieval", folder.name, result.as_json())
    if as_json:
        console.put_json(result.as_json())
    else:
        _print_retrieval(folder, result)


def _keep(services: "Services", kind: str, detail: str, report: Mapping[str, object]) -> None:
    """Keep what was measured, to be compared with later runs in the screen."""
    from store import evaluations

    plain = json.loads(json.dumps(report, default=str))
    with services.database.connection() as connection:
        evaluations.add(connection, services.workspace, kind, detail, plain, datetime.now(UTC))


def _print_retrieval(folder: Path, result: "retrieval.Scorecard") -> None:
    names = ("ndcg@10", "recall@5", "recall@10", "recall@100", "mrr@10")
    rows = [
        (leg, *(f"{measures[name]:.3f}" for name in names)) for leg, measures in result.legs.items()
    ]
    title = f"{folder.name} {result.split}: {result.queries} questions, {result.documents} pages"
    console.data().print(console.table(title, ("leg", *names), rows))


@app.command("answers")
def score_answers(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help='JSONL {"id","question","answerable","path","quote"}.'),
    ],
    as_json: Json = False,
) -> None:
    """Right quote first, refusals, CRAG score, over the documents that are ingested."""
    from bot.scorecards import answers
    from bot.services import open_services
    from evals.answers import labelled

    with open_services(context.obj) as services, console.bars() as progress:
        result = answers.score(services.answerer, labelled(file), progress)
        _keep(services, "answers", file.name, result.as_json())
    if as_json:
        console.put_json(result.as_json())
    else:
        _print_answers(file.name, result)


def _print_answers(name: str, result: "answers.Scorecard") -> None:
    scores = result.scores
    shares = (
        "quote_first", "page_first", "page_top5", "refused_unanswerable", "refused_answerable",
        "coverage_at_80", "ece",
    )  # fmt: skip
    held_out = result.held_out or {}
    rows = [
        (f"{key}, held out", percent(held_out[key]))
        if key in held_out
        else (key, percent(getattr(scores, key), scores.intervals.get(key)))
        for key in shares
    ]
    low, high = scores.intervals["crag"]
    rows.append(("crag (-1 to 1)", f"{scores.crag:.3f} ({low:.2f} to {high:.2f})"))
    for leg, alone in (("vector", result.vector_only), ("lexical", result.lexical_only)):
        rows.append((f"quote_first, {leg} only", percent(alone.quote_first)))
    title = f"{name}: {scores.questions} questions, {scores.answerable} answerable (95 % intervals)"
    if held_out:
        title += "; ranking and thresholds were chosen on these, so only what is held out says it of others"
    console.data().print(console.table(title, ("measure", "value"), rows))


@app.command("corpora")
def score_corpora(
    context: typer.Context,
    addresses: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="DOCUMENTS:QUESTIONS, a folder of NAME/ and NAME.jsonl, or one in BEIR, MTRAG or CLAP NQ layout.",
        ),
    ],
    most: Annotated[int, typer.Option("--questions", min=1, help="At most, of each corpus.")] = 600,
    alone: Annotated[bool, typer.Option("--alone", help="Not all of them together too.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write a calibrator that is fitted on all of them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Several corpora at once: what a reader sees, with the confidence fitted on the other corpora."""
    from bot.cli import reports
    from bot.scorecards import corpora as scorecard
    from bot.services import open_services
    from evals import corpora

    given = [
        corpora.drawn(corpus, most) for address in addresses for corpus in corpora.read_all(address)
    ]
    with open_services(context.obj) as services, console.bars() as progress:
        result = scorecard.score(services, given, progress, together=not alone)
    if out is not None:
        scorecard.keep(result, out)
    if as_json:
        console.put_json(result.as_json())
    else:
        console.data().print(reports.corpora(result))


@app.command("learning")
def score_learning(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set in BEIR layout.")],
    nights: Annotated[int, typer.Option(min=1, help="How many nights run.")] = 1,
    votes: Annotated[int, typer.Option(min=1, help="Votes in all.")] = 300,
    flip: Annotated[float, typer.Option(min=0, max=1, help="Share of votes turned around.")] = 0.18,
    seed: Annotated[int, typer.Option(help="Who asks what, and which votes are wrong.")] = 0,
    as_json: Json = False,
) -> None:
    """Simulated people vote on real questions, nights run: what got better, and where."""
    from bot.cli import reports
    from bot.scorecards import simulation
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        result = simulation.simulate(
            services, folder, nights=nights, votes=votes, flip=flip, seed=seed, progress=progress
        )
    if as_json:
        console.put_json(result.as_json())
    else:
        console.data().print(reports.simulation(result))


@app.command("poisoning")
def score_poisoning(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set in BEIR layout.")],
    nights: Annotated[int, typer.Option(min=0, help="Nights of bad votes.")] = 100,
    quiet: Annotated[int, typer.Option(min=0, help="Nights of votes without any signal.")] = 30,
    seed: Annotated[int, typer.Option(help="Who asks what, and which votes are drawn.")] = 0,
    as_json: Json = False,
) -> None:
    """Nights of turned, shuffled and meaningless votes: none may promote anything."""
    from bot.scorecards import poisoning
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        result = poisoning.run(services, folder, poisoning.shared(nights, quiet), seed, progress)
    if as_json:
        console.put_json({mode: asdict(found) for mode, found in result.items()})
        return
    rows = []
    for mode, found in result.items():
        told = ", ".join(f"{name} {count}" for name, count in found.decisions.items())
        rows.append((mode, found.nights, found.promoted, told))
    columns = ("votes", "nights", "promoted", "decisions")
    console.data().print(console.table("nights that must promote nothing", columns, rows))


@app.command("years")
def score_years(
    context: typer.Context,
    years: Annotated[int, typer.Option(min=1, help="Years per liked share.")] = 20,
    seed: Annotated[int, typer.Option(help="Who asks what, and how they vote.")] = 0,
    as_json: Json = False,
) -> None:
    """Years of nights on made-up votes without signal: how often is something promoted? Minutes a year."""
    from bot.cli import reports
    from bot.scorecards import years as scorecard

    with console.bars() as progress:
        result = scorecard.run(years, seed, progress)
    if as_json:
        console.put_json({votes: found.as_json() for votes, found in result.items()})
    else:
        console.data().print(reports.years(result))


@app.command("nights")
def score_nights(
    context: typer.Context,
    count: Annotated[int, typer.Option("--nights", min=1, help="How many in a row.")] = 10,
    wrong: Annotated[float, typer.Option(min=0, max=1, help="Share of labels that lie.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Decides the training and which labels lie.")] = 0,
    as_json: Json = False,
) -> None:
    """Nights that teach the intents from labels: accuracy on examples that were never trained on."""
    from bot import intents
    from bot.scorecards import nights

    given = intents.read(context.obj.intents)
    with console.bars() as progress:
        result = nights.run(
            given, count=count, wrong=wrong, seed=seed,
            threads=context.obj.threads, progress=progress,
        )  # fmt: skip
    if as_json:
        console.put_json(asdict(result))
        return
    cells = [
        (
            n,
            night.labels,
            percent(night.trained),
            percent(night.serves),
            night.decision,
        )
        for n, night in enumerate(result.nights, start=1)
    ]
    columns = ("night", "labels", "trained", "serves", "")
    title = f"{result.examples} examples, {result.frozen} frozen, {wrong:.0%} of labels wrong"
    console.data().print(console.table(title, columns, cells))
    _print_change("accuracy", result.before, result.after, result.change, result.interval)


@app.command("ratings")
def score_ratings(
    context: typer.Context,
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The folder over feedback/.")],
    as_json: Json = False,
) -> None:
    """FeedbackQA's human ratings as votes, and one night: nDCG@10 on its valid questions."""
    from bot.scorecards import ratings
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        result = ratings.run(services, data, progress)
    if as_json:
        console.put_json(result.as_json())
        return
    console.data().print(f"{result.votes} votes, {result.questions} questions")
    for found, label in (
        (result.at_once, "votes alone"),
        (result.after_night, "after the night"),
    ):
        name = f"nDCG@10, {label}"
        _print_change(name, result.before, found.ndcg, found.change, found.interval)


def _print_change(
    name: str, before: float, after: float, change: float, interval: Sequence[float]
) -> None:
    low, high = interval
    told = f"{100 * change:+.2f} points, {100 * low:+.2f} to {100 * high:+.2f}"
    console.data().print(f"{name}: {before:.4f} -> {after:.4f} ({told}, 95 %)")


@app.command("speak")
def score_speaking(context: typer.Context, as_json: Json = False) -> None:
    """Does it speak when it should, against the rule "contains a question mark"?"""
    from bot.scorecards import speaking
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        result = speaking.speak(services, progress)
    if as_json:
        console.put_json(asdict(result))
    else:
        _print_speaking(result)


def _print_speaking(result: "speaking.Scorecard") -> None:
    rows = [
        (label, percent(rates.precision), percent(rates.recall))
        for label, rates in (
            ("classifier", result.classifier),
            ("question mark", result.question_mark),
        )
    ]
    console.data().print(console.table("speaking", ("by", "precision", "recall"), rows))
    names = ("messages", "questions", "taken", "serves", "macro_f1", "baseline_macro_f1")
    console.data().print(" ".join(f"{name} {getattr(result, name)}" for name in names))
    columns = ("set", "rows", "precision", "recall", "in scope", "out of scope", "rejected")
    strange = [(each.name, each.messages, *_shares(each)) for each in result.strange]
    console.data().print(console.table("messages like none of the examples", columns, strange))


def _shares(strange: "speaking.Strange") -> tuple[str, ...]:
    """Write what a set of strange messages could be scored by; a dash for the rest."""
    said, told = strange.speaking, strange.intents
    spoken = (said.precision, said.recall) if said else (None, None)
    scores = (told.accuracy, told.oos_recall, told.in_scope_rejected) if told else (None,) * 3
    return tuple("-" if share is None else percent(share) for share in (*spoken, *scores))


@app.command("confidence")
def fit_confidence(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Questions as for `eval answers`.")],
    out: Annotated[Path | None, typer.Option(help="Write the calibrator here.")] = None,
) -> None:
    """Fit the confidence on questions over the documents that are ingested; print it as JSON."""
    from bot.learning import calibration
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        console.put_json(calibration.refit(services, file, out, progress).payload)


@app.command("followups")
def score_followups(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="tasks.jsonl and corpus.jsonl, as in MTRAG.")
    ],
    as_json: Json = False,
) -> None:
    """Questions that lean on what was said before them: recall@5 alone and with their history, with an LLM set also as
    it rewrites them."""
    from bot.scorecards import followups
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        result = followups.score(services, folder, progress)
    if as_json:
        console.put_json(asdict(result))
        return
    found = {
        "chosen on, leaning": result.chosen_leaning,
        "chosen on, all": result.chosen_all,
        "held out, leaning": result.held_out_leaning,
        "held out, all": result.held_out_all,
        "with an unrelated history": result.unrelated,
    }
    for name, change in found.items():
        label = f"{name}, {change.turns} turns, recall@5"
        gain = change.with_history - change.alone
        _print_change(label, change.alone, change.with_history, gain, change.interval)
        if change.rewritten is not None and change.rewritten_interval is not None:
            more = change.rewritten - change.with_history
            told = "  the rule, then the LLM"
            _print_change(
                told, change.with_history, change.rewritten, more, change.rewritten_interval
            )
    console.data().print(
        f"taken for follow-ups with an unrelated history: {result.unrelated_taken}"
    )
    if llm := result.llm:
        console.data().print(
            f"{llm.model}: {llm.used} of {llm.turns} rewritten, dropped {dict(llm.dropped)};"
            f" p50 {llm.seconds.p50:.2f} s, p95 {llm.seconds.p95:.2f} s",
            markup=False,
        )
        for question, text in llm.texts:
            console.data().print(f"  {question} -> {text}", markup=False)


@app.command("replies")
def score_replies(context: typer.Context, as_json: Json = False) -> None:
    """Is a kept reply served to the same question in other words, and to no other one?"""
    from bot.answering.agreement import NEAR, agrees
    from evals import replies
    from models import embedder

    pairs, others = replies.labelled(replies.PAIRS), replies.further()
    every = [*pairs, *(pair for rows in others.values() for pair in rows)]
    texts = list({text for pair in every for text in (pair.one, pair.other)})
    encoded = embedder.load(threads=context.obj.threads).encode(texts)
    vectors = dict(zip(texts, encoded, strict=True))

    def is_served(one: str, other: str) -> bool:
        return bool(vectors[one] @ vectors[other] >= NEAR) and agrees(one, other)

    result = replies.score(pairs, is_served, others)
    if as_json:
        console.put_json(asdict(result))
        return
    rows = [
        (name, rates.wrong, percent(rates.wrong_served), rates.right, percent(rates.right_served))
        for name, rates in (
            ("chosen on", result.chosen_on),
            ("held out", result.held_out),
            *result.further.items(),
        )
    ]
    columns = ("kinds", "near misses", "served", "same", "served")
    console.data().print(console.table(f"{result.kinds} kinds of near misses", columns, rows))


@app.command("phrasing")
def score_phrasing(
    context: typer.Context,
    seed: Annotated[int, typer.Option(help="Which false sentences are made.")] = 0,
    as_json: Json = False,
) -> None:
    """Sentences about the handbook: how many are kept, and of 500 false ones none. With an LLM set, also its own."""
    from bot.scorecards import phrasing
    from bot.services import open_services

    with console.bars() as progress:
        if context.obj.llm_url is None:
            result = phrasing.score(progress, seed=seed)
        else:
            with open_services(context.obj) as services:
                result = phrasing.score(progress, services.phraser, seed=seed)
    if as_json:
        console.put_json(result.as_json())
    else:
        _print_phrasing(result)


def _print_phrasing(result: "phrasing.Scorecard") -> None:
    found = result.scores
    rows: list[tuple[object, ...]] = [
        ("as they stand in the handbook", found.verbatim, found.verbatim_kept),
        ("in our own words, chosen on", found.phrased, found.phrased_kept),
        ("in our own words, held out", found.held_out, found.held_out_kept),
        ("false, made by swaps", found.unsupported, len(found.unsupported_kept)),
    ]
    console.data().print(console.table("sentences kept", ("sentences", "of", "kept"), rows))
    for kept in found.unsupported_kept:
        console.data().print(f"kept, but false: {kept}", markup=False)
    console.data().print(f"checks take {result.ms.p50:.1f} ms a sentence, p95 {result.ms.p95:.1f}")
    if trial := result.trial:
        console.data().print(
            f"{trial.model}: {trial.phrased} of {trial.questions} answers phrased, {trial.kept} sentences kept,"
            f" dropped {dict(trial.dropped)}; p50 {trial.seconds.p50:.2f} s, p95 {trial.seconds.p95:.2f} s",
            markup=False,
        )
        for question, sentence in trial.shown:
            console.data().print(f"  {question} -> {sentence}", markup=False)


@app.command("all")
def score_everything(context: typer.Context, as_json: Json = False) -> None:
    """The handbook and questions that ship with Threadwise: answers, and when to speak."""
    from bot.learning import frozen_set
    from bot.scorecards import answers, phrasing, speaking
    from bot.services import open_services

    with open_services(context.obj) as services, console.bars() as progress:
        answered = answers.handbook(services, progress)
        _keep(services, "answers", frozen_set.QUESTIONS.name, answered.as_json())
        spoken = speaking.speak(services, progress)
        worded = phrasing.score(progress)
    if as_json:
        console.put_json(
            {
                "answers": answered.as_json(),
                "speak": asdict(spoken),
                "phrasing": worded.as_json(),
            }
        )
        return
    _print_answers(frozen_set.QUESTIONS.name, answered)
    console.data().print()
    _print_speaking(spoken)
    console.data().print()
    _print_phrasing(worded)
