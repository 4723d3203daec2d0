"""Speed and memory, measured: `python -m tests.bench [NAMES...] [--data DIR] [--json FILE] [--quick]`.

Knows nothing about how anything is measured: each part is a file of its own. Nothing here fails
for being slow; the table says which targets are reached.
"""

import argparse
import importlib
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.cli.main import quieten
from bot.terminal import console as screen
from tests.bench.place import Clock, Place, Row

PARTS = {
    "ingest": "a handbook against one plain encode; nothing changed; many unchanged documents",
    "encoder": "ONNX Runtime against torch: chunks, questions, intents",
    "answers": "question to answer, with a handbook and with 100,000 chunks; recall; filters",
    "cache": "questions that are asked again: seconds, share, bytes",
    "busy": "answers while a large handbook ingests",
    "slack": "acknowledgements under 50 events a second while a worker ingests",
    "files": "memory of a worker during its largest file and a text of 200 MB",
    "kill": "kill -9 of bot, worker and postmaster in the middle of 20 questions",
    "memory": "every process after a handbook and 50 questions",
    "start": "first and second start, and where the seconds go",
    "workers": "ingestion by two processes against one",
    "night": "one night with 5,000 examples and 1,000 votes, and answers meanwhile (only when named)",
    "judged": "one night over 100,000 judged answers (only when named)",
    "scale": "1,000,000 vectors (only when named)",
    "screen": "every page of the screen over 1,000,000 questions (only when named)",
    "lookups": "search in 150,000 chunks, and for a word in 1,000,000 (only when named)",
    "million": "search in 1,000,000 chunks with rights (only when named)",
}
UNASKED = ("night", "judged", "scale", "screen", "lookups", "million")
COLUMNS = ("what", "value", "", "target", "reached", "reference in the same run")

WIDTH = 130
"""Columns of a table that is written to a file."""


def main() -> None:
    """Run the named parts, or all but the largest."""
    quieten()
    parser = _parser()
    options = parser.parse_args()
    place = Place(options.data, options.quick)
    results: dict[str, list[Row]] = {}
    for name in _names(parser, options.names):
        screen.notices().print(f"{name}: {PARTS[name]} ...", style="dim", markup=False)
        clock = Clock()
        results[name] = list(importlib.import_module(f"tests.bench.{name}").run(place))
        _show(f"{name}  ({clock.seconds:.0f} s)", results[name])
        if options.json:
            _write(options.json, place, results)


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<8} {told}" for name, told in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="tests.bench",
        description=f"Measure speed and memory.\n\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"parts to run (default: all but {', '.join(UNASKED)})",
    )
    parser.add_argument(
        "--data", type=Path, help="folder with handbooks/18f, handbooks/sourcegraph and mixed_docs"
    )
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: only to see that it works"
    )
    return parser


def _names(parser: argparse.ArgumentParser, named: list[str]) -> list[str]:
    for name in named:
        if name not in PARTS:
            parser.error(f"there is no part {name!r}; choose from: {', '.join(PARTS)}")
    return named or [name for name in PARTS if name not in UNASKED]


def _show(title: str, rows: list[Row]) -> None:
    cells = [
        (
            escape(row.what),
            f"{row.value:,.3f}".rstrip("0").rstrip("."),
            row.unit,
            row.target,
            {None: "", True: "yes", False: "[bold red]no[/]"}[row.is_reached],
            escape(row.reference),
        )
        for row in rows
    ]
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(screen.table(title, COLUMNS, cells), "")


def _write(file: Path, place: Place, results: dict[str, list[Row]]) -> None:
    machine = {"cpus": os.cpu_count(), "system": platform.platform(), "python": sys.version[:6]}
    parts = {
        name: [{**asdict(row), "is_reached": row.is_reached} for row in rows]
        for name, rows in results.items()
    }
    told = {"machine": machine, "data": place.data is not None, "quick": place.is_quick}
    file.write_text(json.dumps({**told, "parts": parts}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
