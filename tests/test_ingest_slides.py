"""Presentations: every shape in reading order, notes, tables, charts; hidden slides are counted."""

import io
from typing import Any

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.parsing.text import Parsed
from tests.office_files import read, rows


class Deck:
    """A presentation that is being made."""

    def __init__(self) -> None:
        self.deck: Any = pptx.Presentation()

    def slide(self, title: str = "", layout: int = 5) -> Any:
        slide = self.deck.slides.add_slide(self.deck.slide_layouts[layout])
        if title:
            slide.shapes.title.text = title
        return slide

    def read(self) -> Parsed:
        buffer = io.BytesIO()
        self.deck.save(buffer)
        return read("a.pptx", buffer.getvalue())


def box(shapes: Any, text: str, left: float, top: float) -> None:
    shapes.add_textbox(Inches(left), Inches(top), Inches(2), Inches(1)).text_frame.text = text


def test_shapes_come_in_reading_order_with_lists_groups_and_notes() -> None:
    deck = Deck()
    slide = deck.slide("Pier", 1)
    body = slide.placeholders[1].text_frame
    body.text = "Rope"
    inner = body.add_paragraph()
    inner.text, inner.level = "ten metres", 1
    box(slide.shapes, "Last line", 1, 6.6)
    group = slide.shapes.add_group_shape()
    box(group.shapes, "right in group", 6, 0.1)
    box(group.shapes, "left in group", 1, 0.1)
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    body_text = deck.read().body
    order = ["Slide 1: Pier", "left in group", "right in group", "- Rope\n  - ten metres", "Last line", "### Notes\n\nSay it slowly."]  # fmt: skip
    places = [body_text.index(words) for words in order]
    assert places == sorted(places)


def test_two_columns_are_read_one_after_the_other() -> None:
    deck = Deck()
    slide = deck.slide("Gates")
    for text, left, top in (("R1", 5, 2), ("L2", 0.5, 3.2), ("L1", 0.5, 2.1), ("R2", 5, 3)):
        box(slide.shapes, text, left, top)
    tall = slide.shapes.add_textbox(Inches(3), Inches(2), Inches(1), Inches(3))
    tall.text_frame.text = "M"
    words = [w for w in deck.read().body.split() if w in ("L1", "L2", "M", "R1", "R2")]
    assert words == ["L1", "L2", "M", "R1", "R2"]


def test_merged_cells_of_a_table_are_repeated() -> None:
    deck = Deck()
    table = deck.slide("Crops").shapes.add_table(3, 3, 0, 0, Inches(6), Inches(2)).table
    texts = [["House", "Crop", "Night"], ["North", "Basil", "19 C"], ["", "Mint", ""]]
    for r, line in enumerate(texts):
        for c, text in enumerate(line):
            table.cell(r, c).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(2, 1).merge(table.cell(2, 2))
    assert rows(deck.read().body)[1:] == [["North", "Basil", "19 C"], ["North", "Mint", "Mint"]]


def test_a_chart_gives_its_numbers() -> None:
    deck = Deck()
    data = CategoryChartData()
    data.categories = ["May", "June"]
    data.add_series("Visitors", (12, 0.1 + 0.2))
    frame = deck.slide("Year").shapes.add_chart(XL_CHART_TYPE.PIE, 0, 0, Inches(4), Inches(3), data)
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = "Visitors by month"
    body = deck.read().body
    assert "Chart: Visitors by month" in body
    assert rows(body) == [["", "Visitors"], ["May", "12"], ["June", "0.3"]]


def test_hidden_slides_are_counted_and_the_numbers_go_on() -> None:
    deck = Deck()
    deck.slide("One")
    deck.slide("Secret")._element.set("show", "0")
    deck.slide("Three")
    parsed = deck.read()
    assert "Secret" not in parsed.body and "## Slide 3: Three" in parsed.body
    assert (parsed.title, parsed.left_out) == ("One", ("1 hidden slide",))
