"""Every regular expression of the product with the ways that the code uses it, and texts made to stall it.

Knows nothing about what an expression is for.
"""

import ast
import importlib
import math
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from re import _constants as kinds  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "ingest", "models", "evals", "store")
ANCHORED = {"match", "fullmatch"}
WAYS = ANCHORED | {"search", "sub", "subn", "finditer", "findall", "split"}

PROBE, LONGEST = 1_000, 16_000  # letters
QUICK_SECONDS = 0.001  # of the probe: a quadratic search of it takes 2 ms and more
TELLING_SECONDS = 0.04  # below which a time says nothing

TRIED_AT_ONE_PLACE = {"bot.answering.sentences._REPLIED"}
"""Those that a loop takes from a list: which way they are used is not seen in the code."""

_CLASSES = {
    kinds.CATEGORY_DIGIT: "7", kinds.CATEGORY_SPACE: " ", kinds.CATEGORY_WORD: "w",
    kinds.CATEGORY_NOT_DIGIT: "x", kinds.CATEGORY_NOT_SPACE: "s", kinds.CATEGORY_NOT_WORD: "-",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression; `is_anchored` where it is only ever tried at one place of a text."""

    where: str
    pattern: re.Pattern[str]
    is_anchored: bool

    def run(self, text: str) -> None:
        """Use it on a text as the code does."""
        if self.is_anchored:
            self.pattern.match(text)
            self.pattern.fullmatch(text)
        else:
            for _ in self.pattern.finditer(text):
                pass


def expressions() -> list[Expression]:
    """Give all of them: those that modules keep, and those that stand within a call."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    ways = _ways(trees)
    found: dict[tuple[str, int, bool], Expression] = {}
    for file, tree in trees.items():
        is_maker = "re.compile" in file.read_text(encoding="utf-8")
        for expression in (*(_kept(file, ways) if is_maker else ()), *_within(file, tree)):
            pattern = expression.pattern
            key = (pattern.pattern, pattern.flags, expression.is_anchored)
            found.setdefault(key, expression)
    return list(found.values())


def growth(run: Callable[[str], object], make: Callable[[int], str]) -> float:
    """Give the exponent of length that processor time grows by; 0 for what is always quick."""
    if _seconds(run, make(PROBE)) < QUICK_SECONDS:
        return 0.0
    length = PROBE // 8
    while length < LONGEST and _seconds(run, make(length)) < TELLING_SECONDS:
        length *= 2
    long = _seconds(run, make(length))
    if long < TELLING_SECONDS:
        return 0.0
    short = min(_seconds(run, make(length // 4)) for _ in range(3))
    return math.log2(long / max(short, 1e-6)) / 2


def monsters(pattern: str, flags: int, seeds: int) -> Iterator[tuple[str, Callable[[int], str]]]:
    """Give texts of its own letters, one sign or some over and over, with and without a way in."""
    letters = list(dict.fromkeys(_letters(parser.parse(pattern, flags))))[:16] or ["a"]
    chance = random.Random(repr(pattern))
    units = [*letters, " ", "\n", "a", "7"]
    units += ["".join(chance.choices(letters, k=chance.randint(2, 6))) for _ in range(seeds)]
    head = "".join(letters[:6])
    for unit in dict.fromkeys(units):
        yield repr(unit), lambda n, unit=unit: unit * (n // len(unit))  # type: ignore[misc]
        yield (
            f"{head!r} {unit!r}",
            lambda n, unit=unit: head + unit * (n // len(unit)) + "\x00",  # type: ignore[misc]
        )


def _seconds(run: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    run(text)
    return time.process_time() - start


def _ways(trees: Mapping[Path, ast.AST]) -> Mapping[tuple[Path | None, str], set[str]]:
    """Give by file and name how an expression is used; without a file where another one uses it."""
    found: dict[tuple[Path | None, str], set[str]] = {}
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in WAYS:
                of = node.value
                if isinstance(of, ast.Name):
                    found.setdefault((file, of.id), set()).add(node.attr)
                elif isinstance(of, ast.Attribute):
                    found.setdefault((None, of.attr), set()).add(node.attr)
    return found


def _kept(file: Path, ways: Mapping[tuple[Path | None, str], set[str]]) -> Iterator[Expression]:
    if file.name == "__main__.py":
        return
    name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for label, value in vars(importlib.import_module(name)).items():
        used = ways.get((file, label), set()) | ways.get((None, label), set())
        is_anchored = (bool(used) and used <= ANCHORED) or f"{name}.{label}" in TRIED_AT_ONE_PLACE
        for pattern in _patterns(value):
            yield Expression(f"{name}.{label}", pattern, is_anchored)


def _patterns(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, tuple | list | frozenset | set):
        for each in value:
            yield from _patterns(each)
    elif isinstance(value, dict):
        yield from _patterns(tuple(value.values()))


def _within(file: Path, tree: ast.AST) -> Iterator[Expression]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        first = node.args[0]
        is_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
        if not is_re or node.func.attr not in WAYS:
            continue
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            where = f"{file.relative_to(ROOT)}:{node.lineno}"
            yield Expression(where, re.compile(first.value), node.func.attr in ANCHORED)


def _letters(tree: Any) -> Iterator[str]:
    """Give signs that parts of an expression take, in order."""
    for kind, value in tree:
        if kind is kinds.LITERAL:
            yield chr(value)
        elif kind is kinds.NOT_LITERAL or kind is kinds.ANY:
            yield "n"
        elif kind is kinds.IN:
            yield from _of_class(value)
        elif kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT):
            yield from _letters(value[2])
        elif kind is kinds.SUBPATTERN:
            yield from _letters(value[3])
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from _letters(branch)
        elif kind in (kinds.ASSERT, kinds.ASSERT_NOT):
            yield from _letters(value[1])
        elif kind is kinds.ATOMIC_GROUP:
            yield from _letters(value)


def _of_class(parts: Any) -> list[str]:
    if parts[0][0] is kinds.NEGATE:
        return ["q", " ", "."]
    found = []
    for kind, value in parts:
        if kind is kinds.LITERAL:
            found.append(chr(value))
        elif kind is kinds.RANGE:
            found.append(chr(value[0]))
        else:
            found.append(_CLASSES.get(value, "a"))
    return found[:4]
