"""Texts are compared in their common form, and kept as they are written."""

import pytest

from store.values import searchable


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("ther\u00admo\u00adstat", "thermostat"),
        ("pass\u200bphrase", "passphrase"),
        ("18\u00a0°C", "18 °C"),
        ("HX\u20114471", "HX-4471"),
        ("o\ufb03ce", "office"),
        ("６２０９", "6209"),
        ("re\u0301sume\u0301", "résumé"),
        ("\u202aabc\u202c \u2066x\u2069", "abc x"),
        ("plain", "plain"),
        ("Grüße – 3 €", "Grüße – 3 €"),
    ],
)
def test_signs_that_nobody_sees_do_not_hide_words(written: str, compared: str) -> None:
    assert searchable(written) == compared
    assert searchable(compared) == compared
