"""`threadwise reader`: train, tune, eval.

Knows nothing about networks or sets; models/reader/ does.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.terminal import console

if TYPE_CHECKING:
    from models.reader.pairs import Collection

app = typer.Typer(
    help="The reader: which part of a passage answers, if any does.", no_args_is_help=True
)

Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", help="A folder with a folder for each set (docs/reader.md)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command()
def train(
    context: typer.Context,
    data: Data,
    out: Annotated[Path, typer.Option(help="Where the reader and its card are written.")],
    without: Annotated[
        list[str] | None, typer.Option(help="A set to leave out, so that it can be tried on it.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A set to train on, instead of those whose licence allows it."),
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Questions of each set, at most.")] = 2000,
    epochs: Annotated[float, typer.Option(min=0, help="Rounds over all pairs.")] = 1.5,
    kind: Annotated[
        Literal["adapter", "prompts", "whole"],
        typer.Option(
            help="What is trained of the encoder: an adapter, soft prompts, or all of it."
        ),
    ] = "adapter",
    seed: Annotated[int, typer.Option(help="Decides what is drawn, and its order.")] = 0,
) -> None:
    """Train a reader on sets of questions; a killed training goes on when it is started again."""
    from models import embedder
    from models.reader import making, pairs
    from models.reader.training import Recipe

    names = list(dict.fromkeys(only or pairs.LICENSED))
    if unknown := set(without or ()) - set(names):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: not among {', '.join(names)}.")
    given = _read(data, [name for name in names if name not in (without or ())])
    encoder = embedder.load(threads=context.obj.threads)
    order = making.Order(
        most=most,
        kind=kind,
        recipe=Recipe(epochs=epochs, adapter_rate=making.RATES[kind]),
        seed=seed,
        command=f"threadwise reader train --data DIR --out DIR --most {most} --epochs {epochs:g}"
        + "".join(f" --only {name}" for name in only or ())
        + "".join(f" --without {name}" for name in without or ())
        + f" --kind {kind} --seed {seed}",
    )
    with console.bars() as progress:
        made = making.make(
            given,
            embedder.packaged_folder(),
            out,
            order=order,
            encode=encoder.encode,
            progress=progress,
            threads=context.obj.threads,
        )
    console.notices().print(
        f"Trained on {sum(made.trained_on.values())} pairs in {made.facts['seconds']} s: {out}.",
        markup=False,
    )


@app.command()
def tune(
    context: typer.Context,
    addresses: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...", help="DOCUMENTS:QUESTIONS, or a folder of NAME/ and NAME.jsonl."
        ),
    ],
    folder: Annotated[Path, typer.Option("--reader", help="The reader that is trained further.")],
    out: Annotated[Path, typer.Option(help="Where the reader and its card are written.")],
    epochs: Annotated[float, typer.Option(min=0, help="Rounds over all pairs.")] = 2.0,
    rate: Annotated[float, typer.Option(min=0, help="The learning rate.")] = 4e-4,
    seed: Annotated[int, typer.Option(help="Decides what is drawn, and its order.")] = 0,
) -> None:
    """Train a reader further on questions to documents: what a search finds for them, right or not."""
    from bot.scorecards import examples
    from bot.services import open_services
    from evals import corpora
    from models.reader import files, making
    from models.reader.training import Recipe

    files.adapter_of(
        folder
    )  # searching takes minutes: a reader that cannot be trained is named before
    given = [corpus for address in addresses for corpus in corpora.read_all(address)]
    order = making.Order(
        recipe=Recipe(epochs=epochs, adapter_rate=rate, head_rate=rate),
        seed=seed,
        command=f"threadwise reader tune {' '.join(corpus.name for corpus in given)}"
        f" --reader DIR --out DIR --epochs {epochs:g} --rate {rate:g} --seed {seed}",
    )
    with open_services(context.obj) as services, console.bars() as progress:
        drawn = examples.pairs(services, given, progress, seed=seed)
        threads = context.obj.threads
        made = making.tune(drawn, folder, out, order=order, progress=progress, threads=threads)
    console.notices().print(
        f"Trained further on {len(drawn)} pairs in {made.facts['seconds']} s: {out}.", markup=False
    )


@app.command("eval")
def evaluate(
    context: typer.Context,
    data: Data,
    folder: Annotated[
        Path | None, typer.Option("--reader", help="Another reader than the one of the settings.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A set to try it on, instead of all that are there.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Questions of each set, at most.")] = 300,
    keep: Annotated[
        bool, typer.Option("--keep", help="Write the figures into the reader's card, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """EM, F1, BLEU, ROUGE-L and no-answer AUROC on documents that the reader was not trained on."""
    from models import embedder
    from models.reader import card, files, making, pairs, reader

    served = str(folder or context.obj.reader or "off")
    if served == "off":
        raise typer.BadParameter("No reader is set. Name the folder of one: --reader DIR.")
    names = only or [each.name for each in pairs.sets(data)]
    given = _read(data, names, skip=not only)
    from bot import embedding  # brings the settings, which no help text waits for

    chosen = embedding.folder(context.obj, served)
    trained_on = files.origin(chosen).trained_on if (chosen / files.MADE).is_file() else {}
    threads = context.obj.threads
    with console.bars() as progress:
        found = making.tried(
            reader.load(chosen, threads=threads),
            given,
            trained_on,
            encode=embedder.load(threads=threads).encode,
            progress=progress,
            most=most,
        )
    measures = {name: asdict(quality) for name, quality in found.items()}
    if keep:
        files.note(chosen, {"figures": measures})
        card.write(chosen, files.origin(chosen))
    if as_json:
        console.put_json(measures)
        return
    columns = list(next(iter(measures.values()), {}))
    rows = [(name, *(_shown(row[key]) for key in columns)) for name, row in measures.items()]
    console.data().print(console.table(str(chosen), ("set", *columns), rows))


def _read(data: Path, names: Sequence[str], *, skip: bool = False) -> "list[Collection]":
    """Read sets by their folder's name; `skip` leaves out what has another layout."""
    from models.reader import pairs

    found = []
    for name in names:
        try:
            found.append(pairs.read(data / name))
        except pairs.PairsError as error:
            if not skip:
                raise
            console.notices().print(f"Left out: {error}", markup=False)
    return found


def _shown(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value
