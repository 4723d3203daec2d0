"""How a fine-tuning went: the loss and accuracy after each epoch, as they are kept and shown.

Knows nothing about training, and needs no torch.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Epoch:
    """How a fine-tuning stood after an epoch: cross-entropy on the rows it trained on (smoothed, while it trained), and on
    held-out rows in scope, with the share of them that were told right."""

    trained_loss: float
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Course:
    """A fine-tuning: how many epochs served it best, and how each one stood; none without held-out rows."""

    best: int
    epochs: tuple[Epoch, ...] = ()


def averaged(courses: Sequence[tuple[int, Course]]) -> list[Epoch]:
    """Give the mean of several courses, epoch by epoch, each counting as many rows as it held out."""
    longest = max((len(course.epochs) for _, course in courses), default=0)
    found = []
    for number in range(longest):
        there = [(rows, c.epochs[number]) for rows, c in courses if number < len(c.epochs)]
        weights = [rows for rows, _ in there]
        means = np.average([astuple(epoch) for _, epoch in there], axis=0, weights=weights)
        found.append(Epoch(*(round(float(mean), 5) for mean in means)))
    return found
