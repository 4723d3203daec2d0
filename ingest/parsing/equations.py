"""Equations of Office files as a line of text: (a + b)/2, x^2, √(y).

Knows the elements of Office's own language for equations; nothing about files.
"""

from xml.etree import ElementTree

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_OPERATOR = "∫"  # what an operator is that names no sign of its own


def equation(element: ElementTree.Element) -> str:
    """Write what stands in an element."""
    return "".join(_written(child) for child in element)


def _written(element: ElementTree.Element) -> str:
    kind = element.tag.removeprefix(MATH)
    parts = {child.tag.removeprefix(MATH): equation(child).strip() for child in element}
    base = parts.get("e", "")
    if kind == "t" or element.tag.endswith("}t"):
        return element.text or ""
    if kind == "f":
        return f"{_grouped(parts.get('num', ''))}/{_grouped(parts.get('den', ''))}"
    if kind in ("sSup", "sSub", "sSubSup"):
        return _grouped(base) + _raised(parts)
    if kind == "sPre":
        return _raised(parts) + _grouped(base)
    if kind == "rad":
        return f"{parts.get('deg', '')}√{_grouped(base)}"
    if kind == "nary":
        return f"{_sign(element, 'chr', _OPERATOR)}{_raised(parts)} {base}"
    if kind == "d":
        return _delimited(element)
    if kind == "func":
        return f"{parts.get('fName', '')} {base}"
    if kind in ("m", "eqArr"):
        return _rows(element)
    if kind in ("limLow", "limUpp"):
        return f"{base}_{_grouped(parts.get('lim', ''))}"
    return "" if kind.endswith("Pr") else equation(element)


def _grouped(text: str) -> str:
    return text if len(text) == 1 or text.isalnum() else f"({text})"


def _raised(parts: dict[str, str]) -> str:
    low, high = parts.get("sub", ""), parts.get("sup", "")
    return (f"_{_grouped(low)}" if low else "") + (f"^{_grouped(high)}" if high else "")


def _delimited(element: ElementTree.Element) -> str:
    inner = _sign(element, "sepChr", "|").join(equation(e) for e in element.findall(f"{MATH}e"))
    return f"{_sign(element, 'begChr', '(')}{inner}{_sign(element, 'endChr', ')')}"


def _rows(element: ElementTree.Element) -> str:
    rows = element.findall(f"{MATH}mr")
    if not rows:
        return "; ".join(equation(e) for e in element.findall(f"{MATH}e"))
    return f"[{'; '.join(', '.join(equation(e) for e in row) for row in rows)}]"


def _sign(element: ElementTree.Element, name: str, usual: str) -> str:
    found = element.find(f"{MATH}{element.tag.removeprefix(MATH)}Pr/{MATH}{name}")
    return usual if found is None else found.get(f"{MATH}val", "")
