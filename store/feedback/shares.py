"""Nobody decides alone: how many votes of one person count beside those of the others.

Knows nothing about what the votes are on.
"""

from collections.abc import Sequence

SHARE = 0.25
"""One person's votes make up at most this share of all that count."""


def fair_share(votes: Sequence[int], least: int) -> int:
    """Give how many votes of each person count, where each person cast so many; never less than `least`.

    It is the largest number with which no person's votes are more than SHARE of all that count.
    """
    for most in range(max(votes, default=least), least, -1):
        if most <= SHARE * sum(min(count, most) for count in votes):
            return most
    return least
