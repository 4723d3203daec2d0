"""Values of form fields, put beside their labels. Knows nothing about lines or tables."""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pypdfium2 import raw

from ingest.parsing.pdf.rules import Rule
from ingest.parsing.pdf.words import Word

FARTHEST = 250.0  # points between a label and its field
LINE_GAP = 1.5  # sizes: words nearer than this are one label

_CHOICES = {raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON}
_LISTS = {raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX}
_UNREAD = {raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_UNKNOWN}
_PASSWORD = 1 << 13  # a text field's flag
_HIDDEN = 1 << 1  # an annotation's flag


@dataclass(frozen=True, slots=True)
class Field:
    """A field with a value; `name` is its tooltip or name, `is_choice` for boxes to tick."""

    name: str
    value: str
    left: float
    right: float
    bottom: float
    top: float
    is_choice: bool


@dataclass(frozen=True, slots=True)
class Marginalia:
    """What is laid over a page: filled-in fields, text boxes, and how many notes are left out."""

    fields: tuple[Field, ...]
    boxes: tuple[str, ...]
    notes: int


def marginalia(page: Any, form: Any) -> Marginalia:
    """Read a page's fields and annotations; `form` is None for documents without a form."""
    fields, boxes, notes = [], [], 0
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        kind = raw.FPDFAnnot_GetSubtype(annotation)
        if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
            pass
        elif kind == raw.FPDF_ANNOT_WIDGET and form is not None:
            fields += [field] if (field := _field(form, annotation)) else []
        elif kind == raw.FPDF_ANNOT_FREETEXT:
            boxes += [text] if (text := _string(annotation, b"Contents")) else []
        elif kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_WIDGET):
            notes += bool(_string(annotation, b"Contents"))
        raw.FPDFPage_CloseAnnot(annotation)
    return Marginalia(tuple(fields), tuple(boxes), notes)


def _field(form: Any, annotation: Any) -> Field | None:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    flags = raw.FPDFAnnot_GetFormFieldFlags(form, annotation)
    if kind in _UNREAD or (kind == raw.FPDF_FORMFIELD_TEXTFIELD and flags & _PASSWORD):
        return None
    value = _value(form, annotation, kind)
    box = raw.FS_RECTF()
    if not value or not raw.FPDFAnnot_GetRect(annotation, ctypes.byref(box)):
        return None
    name = _wide(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation)
    name = name or _wide(raw.FPDFAnnot_GetFormFieldName, form, annotation).rpartition(".")[2]
    low, high = sorted((box.bottom, box.top))
    return Field(name, value, box.left, box.right, low, high, kind in _CHOICES)


def _value(form: Any, annotation: Any, kind: int) -> str:
    if kind in _CHOICES:
        return "checked" if raw.FPDFAnnot_IsChecked(form, annotation) else "not checked"
    if kind == raw.FPDF_FORMFIELD_SIGNATURE:
        return ""
    value = _wide(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    if kind not in _LISTS:
        return value
    chosen = [
        label
        for index in range(raw.FPDFAnnot_GetOptionCount(form, annotation))
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, index)
        and (label := _wide(_option(index), form, annotation))
    ]
    return ", ".join(chosen) or value


def _option(index: int) -> Callable[[Any, Any, Any, int], int]:
    def read(form: Any, annotation: Any, buffer: Any, length: int) -> int:
        return int(raw.FPDFAnnot_GetOptionLabel(form, annotation, index, buffer, length))

    return read


def _wide(read: Callable[..., int], *handles: Any) -> str:
    """Read UTF-16 text by pdfium's way of asking for the length first."""
    length = read(*handles, None, 0)
    if length <= 2:
        return ""
    buffer = (ctypes.c_ushort * (length // 2 + 1))()
    read(*handles, buffer, length)
    return " ".join(bytes(buffer)[: length - 2].decode("utf-16-le", "replace").split())


def _string(annotation: Any, key: bytes) -> str:
    return _wide(lambda a, buffer, length: int(
        raw.FPDFAnnot_GetStringValue(a, key, buffer, length)), annotation)  # fmt: skip


def turned_field(field: Field, turn: int) -> Field:
    """Turn a field by quarters of a circle, as text that runs in that direction is turned."""
    left, bottom, right, top = field.left, field.bottom, field.right, field.top
    for _ in range(turn):
        left, bottom, right, top = bottom, -right, top, -left
    return replace(field, left=left, bottom=bottom, right=right, top=top)


def with_values(
    words: Sequence[Word], fields: Sequence[Field], rules: Sequence[Rule]
) -> list[Word]:
    """Write each field's value behind its label; a field without a label brings its own name.

    Where a rule parts them, in a table, the value stands in its own cell.
    """
    result = list(words)
    labelled: set[int] = set()
    for field in sorted(fields, key=lambda f: (-round(f.top / 4), f.left)):
        place = _label(result, field, labelled, fields)
        if place is None:
            result.append(_word(field))
            continue
        labelled.add(place)
        word = result[place]
        if _is_parted(word, field, rules):
            labelled.discard(place)
            result.append(_in_cell(word, field))
            continue
        is_open = word.text.endswith((":", "?", "="))
        value = f" ({field.value})" if field.is_choice and not is_open else f" {field.value}"
        colon = "" if field.is_choice or is_open else ":"
        right = max(word.right, min(field.right, word.right + 4 * len(value)))
        result[place] = replace(word, text=word.text + colon + value, right=right)
    return result


def _label(
    words: Sequence[Word], field: Field, taken: set[int], fields: Sequence[Field]
) -> int | None:
    """Find the last word of the label: beside the field, else above it."""
    beside = sorted(_beside(words, field, fields))
    for _, place in beside:
        if place not in taken:
            return place
    above = [
        (word.baseline - field.top, place)
        for place, word in enumerate(words)
        if -2 < word.baseline - field.top < 2 * word.size
        and word.left < field.right
        and word.right > field.left - 4
    ]
    near = [place for distance, place in above if distance < min(above)[0] + 3]
    last = max(near, key=lambda place: words[place].right, default=None)
    return None if last in taken else last


def _beside(
    words: Sequence[Word], field: Field, fields: Sequence[Field]
) -> Iterator[tuple[float, int]]:
    """Give places of last words of labels on the field's line, with their distance."""
    on_line = [
        (place, word)
        for place, word in enumerate(words)
        if field.bottom - 0.5 * word.size
        < word.baseline + 0.3 * word.size
        < field.top + 0.3 * word.size
    ]
    for place, word in on_line:
        distance = field.left - word.right
        if -2 <= distance <= FARTHEST and not _between(word.right, field.left, field, fields):
            # What is to be ticked mostly stands before its label.
            yield (distance + (FARTHEST if field.is_choice else 0), place)
        if field.is_choice and -2 <= word.left - field.right <= 3 * word.size:
            end = _label_end(word, on_line)
            yield (word.left - field.right, end if end is not None else place)


def _label_end(first: Word, line: Sequence[tuple[int, Word]]) -> int | None:
    """Follow a label from its first word to its last."""
    place, right, size = None, first.left, first.size
    for number, word in sorted(line, key=lambda item: item[1].left):
        if word.left >= first.left and word.left - right < LINE_GAP * size:
            place, right = number, word.right
    return place


def _is_parted(word: Word, field: Field, rules: Sequence[Rule]) -> bool:
    height = (field.bottom + field.top) / 2
    return word.right < field.left + 2 and any(
        not rule.is_across
        and word.right - 1 < rule.at < field.left + 3
        and rule.start < height < rule.end
        for rule in rules
    )


def _in_cell(word: Word, field: Field) -> Word:
    return replace(word, text=field.value, left=field.left + 2, right=field.right - 2, bold=False)


def _between(start: float, end: float, field: Field, fields: Sequence[Field]) -> bool:
    middle = (field.bottom + field.top) / 2
    return any(
        other is not field
        and start - 2 <= other.left < end - 2
        and other.bottom < middle < other.top
        for other in fields
    )


def _word(field: Field) -> Word:
    size = min(11.0, max(6.0, field.top - field.bottom - 4))
    text = f"{field.name}: {field.value}" if field.name else field.value
    baseline = (field.top + field.bottom) / 2 - 0.3 * size
    right = max(field.right, field.left + 0.5 * size * len(text))
    return Word(text, field.left, right, field.bottom, field.top, baseline, size)
