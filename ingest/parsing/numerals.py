"""Numbers of headings and list items as word processors write them: 3, c, iii, 03.

Knows nothing about documents.
"""

LARGEST_ROMAN = 3_999
_ROMAN = (
    ("m", 1000), ("cm", 900), ("d", 500), ("cd", 400), ("c", 100), ("xc", 90), ("l", 50),
    ("xl", 40), ("x", 10), ("ix", 9), ("v", 5), ("iv", 4), ("i", 1),
)  # fmt: skip


def numeral(number: int, kind: str) -> str:
    """Write a number; kinds that are not known are written as decimals."""
    if kind == "none":
        return ""
    if kind == "lowerLetter":
        return _letters(number)
    if kind == "upperLetter":
        return _letters(number).upper()
    if kind == "lowerRoman":
        return _roman(number)
    if kind == "upperRoman":
        return _roman(number).upper()
    if kind == "decimalZero":
        return f"{number:02d}"
    return f"{number}{_ending(number)}" if kind == "ordinal" else str(number)


def _letters(number: int) -> str:
    """Give a to z, then aa, bb, as Word goes on."""
    if number < 1:
        return str(number)
    return chr(97 + (number - 1) % 26) * min((number - 1) // 26 + 1, 10)


def _roman(number: int) -> str:
    if not 0 < number <= LARGEST_ROMAN:
        return str(number)
    written = ""
    for sign, value in _ROMAN:
        written += sign * (number // value)
        number %= value
    return written


def _ending(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
