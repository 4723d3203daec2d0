"""No regular expression of the product takes more than time in proportion to what it reads.

THREADWISE_TEST_FUZZ is how many texts are made up for each (2 unless it is set), and is told on stdout:
`THREADWISE_TEST_FUZZ=200 .venv/bin/python -m pytest -s tests/test_fuzz_expressions.py`.
"""

import os
import re
import sys

import pytest

from tests.expressions import PACKAGES, Expression, expressions, growth, monsters

SEEDS = int(os.environ.get("THREADWISE_TEST_FUZZ", "2"))
MOST_GROWTH = 1.6  # exponent of length; 2 would be quadratic


@pytest.fixture(scope="module")
def known() -> list[Expression]:
    return expressions()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_expression_takes_more_time_than_its_text_is_long(
    package: str, known: list[Expression]
) -> None:
    worst: dict[str, tuple[float, str]] = {}
    tried = 0
    for expression in known:
        if expression.where.startswith(package):
            for name, make in monsters(expression.pattern.pattern, expression.pattern.flags, SEEDS):
                tried += 1
                found = growth(expression.run, make)
                if found > worst.get(expression.where, (0.0, ""))[0]:
                    worst[expression.where] = round(found, 2), name
                if found > MOST_GROWTH:
                    break
    worst_of_all = max(worst.values(), default=(0.0, ""))
    sys.stdout.write(f"\n{package}: {tried:,} texts, worst exponent {worst_of_all}\n")
    assert {where: told for where, told in worst.items() if told[0] > MOST_GROWTH} == {}


@pytest.mark.parametrize("pattern", [r"\s+$", r"\w*_\w*", r"\[([^\]]*)\]\("])
def test_a_slow_expression_would_be_found(pattern: str) -> None:
    slow = Expression("x", re.compile(pattern), is_anchored=False)
    texts = monsters(pattern, re.compile(pattern).flags, 2)
    assert any(growth(slow.run, make) > MOST_GROWTH for _, make in texts)
