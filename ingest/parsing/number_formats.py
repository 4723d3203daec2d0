"""Numbers as a spreadsheet shows them: leading zeros, percent, currencies, dates, durations.

Knows the format codes of Excel, which LibreOffice and Google write too; nothing about files.
Where a code leaves the look to the reader's country, dates are written 2025-02-03, and numbers
always with a point and, where the code asks for it, commas between thousands.
"""

import math
import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

EPOCH = datetime(1899, 12, 30)
EPOCH_1904 = datetime(1904, 1, 1)
LAST_DAY = 2_958_465  # 9999-12-31 counted from EPOCH
LONGEST_FRACTION = 1_000  # of a denominator that is looked for

LONGEST = 255  # letters of a format, which Excel itself takes no more of

_TOKEN = re.compile(
    r'"([^"]*)"|\\(.)|_.|\*.|\[([^\[\]]*)\]'
    r"|(General|AM/PM|A/P|E[+-]0+|y+|m+|d+|h+|s+|0+|#+|\?+|[.,%/@])|(.)",
    re.IGNORECASE | re.DOTALL,
)
_CURRENCY = re.compile(r"\$([^-]*)(?:-(.*))?")
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[\d.]+)")
_BY_COUNTRY = {"F800": "yyyy-mm-dd", "F400": "hh:mm:ss"}
_DATE_KINDS = set("ymdhs")

Token = tuple[str, str]  # kind (text, code, elapsed), what stands there


def shown(value: float, code: str, *, is_1904: bool = False) -> str:
    """Write a number by a format code as the sheet shows it."""
    if code == "General" or not math.isfinite(value):
        return _general(value)
    section, value = _section(value, code[:LONGEST])
    tokens = _tokens(section)
    codes = [text[0].lower() for kind, text in tokens if kind == "code"]
    if not codes and not any(kind == "elapsed" for kind, _ in tokens):
        return _texts(tokens) if section or ";" in code else _general(value)
    if any(kind == "elapsed" for kind, _ in tokens) or (_DATE_KINDS & set(codes)):
        return _moment(value, tokens, is_1904)
    if any(text.lower() == "general" or text == "@" for _, text in tokens):
        number = _general(abs(value))
        plain = "".join(
            number if kind == "code" and text.lower() in ("general", "@") else text
            for kind, text in tokens
        )
        return f"{'-' if value < 0 else ''}{plain}".strip()
    try:
        return _number(value, tokens).strip()
    except ArithmeticError:  # more digits than decimals are kept with
        return _general(value)


def _section(value: float, code: str) -> tuple[str, float]:
    """Choose the part of a code that is for this number; the second one writes its own minus."""
    parts = _parts(code)
    conditions = [_CONDITION.search(part) for part in parts]
    for part, condition in zip(parts, conditions, strict=True):
        if condition and _holds(value, condition.group(1), float(condition.group(2))):
            return part, value
    if any(conditions):
        rest = [p for p, c in zip(parts, conditions, strict=True) if not c]
        return (rest[0] if rest else "General"), value
    if value < 0 and len(parts) > 1:
        return parts[1], -value
    if value == 0 and len(parts) > 2:
        return parts[2], value
    return parts[0], value


def _holds(value: float, sign: str, limit: float) -> bool:
    return {
        "<": value < limit, ">": value > limit, "=": value == limit,
        "<=": value <= limit, ">=": value >= limit, "<>": value != limit,
    }[sign]  # fmt: skip


@lru_cache(maxsize=1000)
def _parts(code: str) -> tuple[str, ...]:
    marked = re.sub(r'("[^"]*"|\\.|\[[^\]]*\])|;', lambda m: m.group(1) or "\0", code)
    return tuple(marked.split("\0")[:4])


@lru_cache(maxsize=1000)
def _tokens(section: str) -> tuple[Token, ...]:
    found: list[Token] = []
    for match in _TOKEN.finditer(section):
        quoted, escaped, bracket, code, other = match.groups()
        if bracket is not None:
            found += _bracket(bracket)
        elif code:
            found.append(("code", code))
        elif match.group().startswith(("_", "*")) and escaped is None and quoted is None:
            found.append(("text", " " if match.group()[0] == "_" else ""))
        else:
            found.append(("text", quoted if quoted is not None else escaped or other or ""))
    by_country = [text for kind, text in found if kind == "country"]
    return _tokens(_BY_COUNTRY[by_country[0]]) if by_country else tuple(found)


def _bracket(text: str) -> list[Token]:
    if re.fullmatch(r"h+|m+|s+", text, re.IGNORECASE):
        return [("elapsed", text.lower())]
    currency = _CURRENCY.fullmatch(text)
    if not currency:
        return []  # a colour, a condition, or a kind of digits
    if (currency.group(2) or "").upper() in _BY_COUNTRY:
        return [("country", str(currency.group(2)).upper())]
    return [("text", currency.group(1))]


def _texts(tokens: tuple[Token, ...]) -> str:
    return "".join(text for kind, text in tokens if kind == "text").strip()


def _general(value: float) -> str:
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.12g}"


def _number(value: float, tokens: tuple[Token, ...]) -> str:
    codes = [text for kind, text in tokens if kind == "code"]
    if any(text[0] in "Ee" for text in codes):
        return _scientific(value, codes)
    if "/" in codes:
        return _fraction(value)
    pattern = "".join(codes)
    digits = Decimal(repr(value)) * (Decimal(100) ** pattern.count("%"))
    whole, _, rest = pattern.replace("%", "").partition(".")
    scale = len(pattern.replace("%", "")) - len(pattern.replace("%", "").rstrip(","))
    digits /= Decimal(1000) ** scale
    places = sum(rest.count(sign) for sign in "0#?")
    text = str(abs(digits).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    before, _, after = text.partition(".")
    least = rest.count("0")
    while len(after) > least and after.endswith("0"):
        after = after[:-1]
    before = before.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole.rstrip(","):
        before = _with_commas(before)
    minus = "-" if digits < 0 and (before + after).strip("0") else ""
    return minus + _placed(tokens, before, after)


def _with_commas(digits: str) -> str:
    first = len(digits) % 3 or 3
    return ",".join([digits[:first], *(digits[n : n + 3] for n in range(first, len(digits), 3))])


def _placed(tokens: tuple[Token, ...], before: str, after: str) -> str:
    """Put digits where the code has its places, from the right: a code may have signs in between."""
    point = next((n for n, token in enumerate(tokens) if token == ("code", ".")), len(tokens))
    places = [n for n in range(point) if tokens[n][0] == "code" and tokens[n][1][0] in "0#?"]
    pieces = {n: text for n, (kind, text) in enumerate(tokens) if kind == "text" or text == "%"}
    for n in reversed(places[1:]):
        length = len(tokens[n][1])
        is_joined = all(tokens[k] == ("code", ",") for k in range(places[0] + 1, n, 2))
        if is_joined and "," in before:
            continue
        pieces[n], before = before[-length:], before[:-length]
    if places:
        pieces[places[0]] = before
    if after:
        pieces[point] = f".{after}"
    return "".join(pieces.get(n, "") for n in range(len(tokens)))


def _scientific(value: float, codes: list[str]) -> str:
    pattern = "".join(text for text in codes if text[0] not in "Ee")
    mantissa, _, exponent = f"{value:.{pattern.partition('.')[2].count('0')}e}".partition("e")
    return f"{mantissa}E{exponent}"


def _fraction(value: float) -> str:
    from fractions import Fraction

    part = Fraction(abs(value)).limit_denominator(LONGEST_FRACTION)
    whole, rest = divmod(part.numerator, part.denominator)
    text = " ".join(filter(None, [str(whole) if whole or not rest else "",
                                  f"{rest}/{part.denominator}" if rest else ""]))  # fmt: skip
    return f"-{text}" if value < 0 else text


def _moment(value: float, tokens: tuple[Token, ...], is_1904: bool) -> str:
    if not 0 <= value <= LAST_DAY and not any(kind == "elapsed" for kind, _ in tokens):
        return _general(value)
    days = 1 if 0 < value < 60 and not is_1904 else 0  # Excel counts a 29 February 1900
    epoch = EPOCH_1904 if is_1904 else EPOCH
    fine = re.search(r"s\.0", "".join(text for _, text in tokens), re.IGNORECASE)
    seconds = round(value * 86_400, 3 if fine else 0)
    when = epoch + timedelta(days=days if value >= 1 else 0, seconds=seconds)
    is_halved = any(text.upper() in ("AM/PM", "A/P") for _, text in tokens)
    written: list[str] = []
    for n, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[text[0]]
            written.append(str(int(seconds // unit)).rjust(len(text), "0"))
        elif kind == "text":
            written.append(text)
        elif text[0] == "0" and n and tokens[n - 1][1] == ".":
            written.append(f"{when.microsecond:06d}"[: len(text)])
        else:
            written.append(_dated(when, text.lower(), is_halved, _is_minutes(tokens, n)))
    return "".join(written).strip()


def _is_minutes(tokens: tuple[Token, ...], place: int) -> bool:
    """Tell whether an m stands for minutes: after hours, or before seconds."""
    codes = [(n, text[0].lower()) for n, (kind, text) in enumerate(tokens)
             if (kind == "elapsed" and text) or (kind == "code" and text[0].lower() in _DATE_KINDS)]  # fmt: skip
    here = next((k for k, (n, _) in enumerate(codes) if n == place), 0)
    before = codes[here - 1][1] if here else ""
    after = codes[here + 1][1] if here + 1 < len(codes) else ""
    return before == "h" or after == "s"


def _dated(when: datetime, code: str, is_halved: bool, is_minutes: bool) -> str:
    if code in ("am/pm", "a/p"):
        return ("AM" if when.hour < 12 else "PM")[: 2 if code == "am/pm" else 1]
    hour = (when.hour - 1) % 12 + 1 if is_halved else when.hour
    if code[0] == "m" and is_minutes:
        return str(when.minute).rjust(min(len(code), 2), "0")
    names = {"y": f"{when:%y}" if len(code) <= 2 else f"{when:%Y}", "h": str(hour)}
    names |= {"m": str(when.month), "d": str(when.day), "s": str(when.second)}
    if code[0] in "md" and len(code) > 2:
        name = f"{when:%B}" if code[0] == "m" else f"{when:%A}"
        return name[:1] if len(code) == 5 else name[:3] if len(code) == 3 else name
    return names[code[0]].rjust(min(len(code), 2), "0") if code[0] in names else code
