"""JSON, JSON lines, XML and YAML: a record is never cut, and reads as a line of text."""

import json

import pytest

from ingest.parsing import records


def paragraphs(text: str) -> list[str]:
    return text.split("\n\n")


def test_minified_json_gives_a_paragraph_for_each_object() -> None:
    rows = [{"event": f"E{n}", "gate": {"no": n, "open": True}, "tags": ["a", "b"]} for n in (1, 2)]
    body = records.read_json(json.dumps(rows).encode()).body
    assert paragraphs(body) == [
        f"event: E{n}; gate (no: {n}; open: true); tags: a, b" for n in (1, 2)
    ]


def test_lists_in_json_are_led_by_their_names() -> None:
    data = {
        "name": "fleet",
        "price": 1.10,
        "barges": [{"name": "Lotte"}, {"name": "Mette", "none": None}],
    }
    body = records.read_json(json.dumps(data).replace("1.1", "1.10").encode()).body
    assert paragraphs(body) == [
        "name: fleet; price: 1.10",
        "barges: name: Lotte",
        "barges: name: Mette",
    ]


def test_json_lines_keep_lines_that_are_no_json() -> None:
    body = records.read_json(b'{"a": "x"}\n{"a": "y"}\nnot json\n').body
    assert paragraphs(body) == ["a: x", "a: y", "not json"]


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a": [1, 2', b"no json at all", b"{}", b"[]", b'""']
)
def test_what_is_no_json_is_read_as_it_is(data: bytes) -> None:
    assert records.read_json(data).body == data.decode()


def test_xml_elements_are_records() -> None:
    body = records.read_xml(
        b'<?xml version="1.0"?><fleet xmlns="urn:x"><barge id="7"><name>Lotte</name></barge>'
        b"<barge><name>Mette</name><lost>anchor</lost></barge><!-- hidden --></fleet>"
    ).body
    assert paragraphs(body) == [
        "fleet > barge: id: 7; name: Lotte",
        "fleet > barge: name: Mette; lost: anchor",
    ]


@pytest.mark.parametrize(
    "data", ["<a>text <b>with</b> markup</a>", "<a><b></a>", "<" * 1000, "words"]
)
def test_other_xml_is_read_as_it_is(data: str) -> None:
    assert records.read_xml(data.encode()).body == data


def test_xml_entities_are_not_followed() -> None:
    data = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a><b>&x;</b><c>d</c></a>'
    assert "c: d" in records.read_xml(data).body


def test_yaml_keeps_its_comments_and_is_cut_between_items() -> None:
    body = records.read_yaml(b"# about\nname: x\nlist:\n  - a\n  - b\nnext: y\n- c\n").body
    assert body == "# about\nname: x\nlist:\n  - a\n  - b\n\nnext: y\n- c\n"
