"""What a person sees in the terminal: two consoles, tables and numbers written for reading.

Knows nothing about the commands; data goes to stdout, everything else to stderr.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


def data() -> Console:
    """Write results here: stdout, without anything else in it."""
    return Console(soft_wrap=not sys.stdout.isatty(), highlight=False)


def notices() -> Console:
    """Write progress, notices and errors here: stderr."""
    return Console(stderr=True, highlight=False)


def put_json(value: object) -> None:
    """Write one JSON value on one line of stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Build a table: the first column is text, the rest are set flush right."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar with an ETA per name that is reported to the callable given."""
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notices(),
        transient=True,
    )
    tasks: dict[str, int] = {}

    def report(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=total)
        progress.update(tasks[name], completed=done, total=total)  # type: ignore[arg-type]

    with progress:
        yield report


def ago(moment: datetime | None, now: datetime) -> str:
    """Write how long ago (or in how long) something is, in the largest fitting unit."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    units: Mapping[str, int] = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    for unit, size in units.items():
        if abs(seconds) >= size or unit == "s":
            count = f"{abs(seconds) / size:.0f} {unit}"
            return f"{count} ago" if seconds >= 0 else f"in {count}"
    return "now"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)
