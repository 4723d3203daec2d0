"""Signs of symbol fonts as the letters and marks that they look like.

Only what documents use in text: Greek letters, operators, boxes, ticks, arrows.
"""

_SYMBOL = {
    **dict(zip("ABGDEZHQIKLMNXOPRSTUFCYW", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", strict=True)),
    **dict(zip("abgdezhqiklmnxoprstufcyw", "αβγδεζηθικλμνξοπρστυφχψω", strict=True)),
    "\xb0": "°", "\xb1": "±", "\xb3": "≥", "\xb4": "×", "\xb7": "•", "\xb8": "÷", "\xb9": "≠",
    "\xba": "≡", "\xbb": "≈", "\xa3": "≤", "\xa5": "∞", "\xac": "←", "\xad": "↑", "\xae": "→",
    "\xaf": "↓", "\xb2": "″", "\xa2": "′", "\xd6": "√", "\xd7": "⋅", "\xce": "∈", "\xc5": "⊕",
    "\xdb": "⇔", "\xde": "⇒", "\xe5": "∑", "\xf2": "∫", "\xb6": "∂", "\xd1": "∇", "\xe2": "®",
    "\xe3": "©", "\xe4": "™",
}  # fmt: skip
_WINGDINGS = {
    "\xfe": "☑", "\xfd": "☒", "\xa8": "☐", "o": "☐", "q": "☐", "x": "☒", "\xfc": "✓", "\xfb": "✗",
    "\xe0": "→", "\xdf": "←", "\xe1": "↑", "\xe2": "↓", "\xe8": "→", "\xf0": "⇒", "\xf3": "⇔",
    "\xa7": "▪", "n": "■", "l": "●", "\xd8": "➢", "J": "☺", "(": "☎", "*": "✉", "\xab": "★", "v": "❖",
}  # fmt: skip
_WINGDINGS_2 = {"P": "✓", "O": "✗", "R": "☑", "T": "☒", "\xa3": "☐", "Q": "☒"}
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2}
PRIVATE = 0xF000  # where Office keeps the letters of symbol fonts


def looks_like(text: str, font: str) -> str:
    """Give the text that a symbol font draws; letters of other fonts stay as they are."""
    signs = _FONTS.get(font.lower())
    if signs is None:
        return text
    return "".join(_sign(letter, signs) for letter in text)


def _sign(letter: str, signs: dict[str, str]) -> str:
    code = ord(letter)
    plain = chr(code - PRIVATE) if PRIVATE <= code <= PRIVATE + 0xFF else letter
    return signs.get(plain, plain if signs is _SYMBOL else "•")
