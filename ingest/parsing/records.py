"""Records to text: JSON, JSON lines and XML, one record a paragraph, as "name: anchor; barge: Lotte".

Knows nothing about what the records mean. What is not of a known structure is read as plain text.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from ingest.parsing.encodings import Bytes, decode
from ingest.parsing.text import Parsed, plain

DEEPEST = 20  # levels of a value that are written out
SHORT = 200  # characters of a record that may share a line with its parts

_TOP_OF_YAML = re.compile(r"(?:- |[^\s#'\"\[{-][^\n]{0,200}:(?: |$)|---)", re.MULTILINE)


def read_json(data: Bytes) -> Parsed:
    """Read JSON; a list gives a paragraph for each of its objects."""
    try:
        value = json.loads(decode(data), parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return read_json_lines(data)
    return _written(_records(value, ""), data)


def read_json_lines(data: Bytes) -> Parsed:
    """Read JSON lines; a line that is no JSON stays as it is."""
    return _written(map(_line, decode(data).split("\n")), data)


def read_xml(data: Bytes) -> Parsed:
    """Read XML: the elements below the root, and below lists of them, are records."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(bytes(data), parser)
    except (etree.XMLSyntaxError, ValueError):
        return plain(data)
    if root is None or any((child.tail or "").strip() for child in root.iter()):  # text with markup
        return plain(data)
    return _written(_records({_name(root): _value(root)}, ""), data)


def read_yaml(data: Bytes) -> Parsed:
    """Read YAML as it is written, comments too, cut between its outermost items."""
    lines = decode(data).split("\n")
    found: list[str] = []
    for line in lines:
        is_nested = bool(found) and found[-1][:1] in (" ", "\t")
        if is_nested and _TOP_OF_YAML.match(line):
            found.append("")
        found.append(line)
    return plain("\n".join(found).encode("utf-8", "replace"))


def _written(records: Iterable[str], data: Bytes) -> Parsed:
    text = "\n\n".join(record for record in records if record.strip())
    return Parsed(text, is_plain=True) if text.strip() else plain(data)


def _line(line: str) -> str:
    try:
        value = json.loads(line, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return line
    return "\n\n".join(_records(value, ""))


def _records(value: object, path: str, depth: int = 0) -> Iterator[str]:
    """Give what a value holds, a paragraph each; `path` is what leads to it."""
    if isinstance(value, Mapping) and (parts := _parts(value, depth)):
        own = {name: inner for name, inner in value.items() if name not in parts}
        yield from filter(None, [_led(path, _said(own))])
        for name in parts:
            yield from _records(value[name], f"{path} > {name}" if path else str(name), depth + 1)
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for item in value:
            yield from _records(item, path, depth + 1)
    else:
        yield from filter(None, [_led(path, _said(value))])


def _parts(value: Mapping[Any, object], depth: int) -> list[Any]:
    """Give the names of what is written on its own: lists of objects, and objects that are long."""
    if depth >= DEEPEST:
        return []
    return [
        name
        for name, inner in value.items()
        if _holds_records(inner) or (isinstance(inner, Mapping) and len(_short(inner)) > SHORT)
    ]


def _holds_records(value: object, depth: int = 0) -> bool:
    if isinstance(value, list):
        return any(isinstance(item, Mapping) for item in value)
    is_inner = isinstance(value, Mapping) and depth < 3
    return is_inner and any(_holds_records(inner, depth + 1) for inner in value.values())  # type: ignore[attr-defined]


def _short(value: object) -> str:
    """Give the beginning of a value: enough to tell whether it is long."""
    found = list[str]()
    length = 0
    for text in _leaves(value):
        found.append(text)
        length += len(text)
        if length > SHORT:
            break
    return "".join(found)


def _leaves(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += list(islice(item.values(), SHORT))
        elif isinstance(item, list):
            waiting += item[:SHORT]
        else:
            yield f"{item} "


def _led(path: str, text: str) -> str:
    return f"{path}: {text}" if path and text else text


def _said(value: object, depth: int = 0) -> str:
    if depth > DEEPEST:
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = ((name, _said(inner, depth + 1), inner) for name, inner in value.items())
        return "; ".join(
            f"{name} ({text})" if isinstance(inner, Mapping) else f"{name}: {text}"
            for name, text, inner in pairs
            if text
        )
    if isinstance(value, list):
        return ", ".join(filter(None, (_said(item, depth + 1) for item in value)))
    return (
        {None: "", True: "true", False: "false"}[value]
        if value in (None, True, False)
        else str(value)
    )


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2] if isinstance(element.tag, str) else ""


def _value(element: Any, depth: int = 0) -> object:
    """Give an element as a text, or as a mapping of its attributes and parts."""
    children = [child for child in element if isinstance(child.tag, str)]
    text = (element.text or "").strip()
    if not children and not element.attrib:
        return text
    if depth > DEEPEST:
        return " ".join("".join(element.itertext()).split())
    found: dict[str, object] = {
        str(k).rpartition("}")[2]: str(v) for k, v in element.attrib.items()
    }
    if text:
        found[""] = text
    several: dict[str, list[object]] = {}
    for child in children:
        several.setdefault(_name(child), []).append(_value(child, depth + 1))
    for name, values in several.items():
        found[name] = values[0] if len(values) == 1 else values
    return found
