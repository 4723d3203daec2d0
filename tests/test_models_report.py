"""Which of the two classifiers serves: the fine-tuned one has to be better and to reject as well."""

import pytest

from models.intents.report import Scores, better


def scores(accuracy: float, auroc: float | None) -> Scores:
    return Scores(accuracy, accuracy, auroc, None, 0.1, 0.02, 1.0, 0.5, {}, [])


@pytest.mark.parametrize(
    ("bert", "baseline", "wins"),
    [
        ((0.93, 0.90), (0.90, 0.85), True),
        ((0.93, 0.896), (0.90, 0.898), True),  # a draw on rejection
        ((0.93, 0.85), (0.90, 0.90), False),
        ((0.89, 0.95), (0.90, 0.90), False),
        ((0.90, 0.95), (0.90, 0.90), True),
        ((0.90, 0.90), (0.90, 0.90), False),
        ((0.93, None), (0.90, None), True),
    ],
)
def test_the_fine_tuned_model_serves_only_where_it_wins(
    bert: tuple[float, float | None], baseline: tuple[float, float | None], wins: bool
) -> None:
    told = better(scores(*bert), scores(*baseline))
    assert told[0] is wins and f"{bert[0]:.3f} against {baseline[0]:.3f}" in told[1]
