"""Measures `up < questions`: the first start to the first answer, the second to ready; step by step.

Knows nothing about what the steps do. The environment is made already.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.bench.place import EXAMPLE, Clock, Place, Row, environment, remove_server, scratch
from tests.killing import ROOT

STEP = re.compile(r"^\s+[✓!] (?P<line>.*?)(?:  (?P<seconds>[\d.]+) s)?$")
ASKED = 5
SECOND_SECONDS = 15.0


@dataclass
class Seen:
    """What a start said, each line with the seconds after which it came."""

    said: list[tuple[float, str]] = field(default_factory=list)
    answers: list[tuple[float, str]] = field(default_factory=list)
    code: int = 0
    seconds: float = 0.0

    def at(self, lines: Sequence[tuple[float, str]], word: str) -> float:
        """Give when a line with this word came."""
        for seconds, line in lines:
            if word in line:
                return seconds
        raise AssertionError(f"{word!r} was not said: {self.said} {self.answers}")


def run(place: Place) -> Iterator[Row]:
    """Start twice on one home."""
    name, folder = place.handbook()
    docs = [] if folder == EXAMPLE else ["--docs", str(folder)]
    questions = place.questions()[:ASKED]
    with scratch() as home:
        try:
            first = _start(home, docs, questions)
            second = _start(home, docs, questions)
        finally:
            remove_server(home)
    yield Row(f"{name}: first start, ready", first.at(first.said, "Ready after"), "s")
    yield Row(f"{name}: first start, first answer", _first_answer(first), "s")
    yield from _steps("first start", first)
    ready = second.at(second.said, "Ready after")
    yield Row(f"{name}: second start, ready", ready, "s", at_most=SECOND_SECONDS)
    yield Row(f"{name}: second start, first answer", _first_answer(second), "s")
    yield from _steps("second start", second)
    yield Row("all of the second, to its end", second.seconds, "s", reference=f"{ASKED} answers")


def _first_answer(seen: Seen) -> float:
    """Give when the first line came that is neither empty nor the question, which is shown first."""
    for seconds, line in seen.answers:
        if line.strip() and not line.startswith("?"):
            return seconds
    raise AssertionError(f"no answer came: {seen.said}")


def _steps(told: str, seen: Seen) -> Iterator[Row]:
    for at, line in seen.said:
        found = STEP.match(line)
        if found:
            words = re.sub(r"(/\S+)+", "...", found["line"])
            step = f"the step took {found['seconds']} s" if found["seconds"] else ""
            yield Row(f"  {told}, at: {words}", at, "s", reference=step)


def _start(home: Path, docs: Sequence[str], questions: Sequence[str]) -> Seen:
    """Run `up` with the questions as its input, until it ends."""
    seen, clock = Seen(), Clock()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "up", *docs],
        cwd=ROOT,
        env=environment(home, PYTHONUNBUFFERED="1", COLUMNS="200"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout and process.stderr
    readers = [_read(process.stdout, seen.answers, clock), _read(process.stderr, seen.said, clock)]
    process.stdin.write("\n".join(questions) + "\n")
    process.stdin.close()
    for reader in readers:
        reader.join()
    seen.code, seen.seconds = process.wait(), clock.seconds
    assert seen.code == 0, seen.said
    return seen


def _read(stream: IO[str], lines: list[tuple[float, str]], clock: Clock) -> threading.Thread:
    def read() -> None:
        for line in stream:
            lines.append((clock.seconds, line.rstrip("\n")))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return reader
