"""PDF: where the characters stand tells words, columns, tables and forms; what is missing is said."""

import io
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pypdfium2
import pytest
from reportlab.lib import pagesizes
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from ingest.entries import Unreadable
from ingest.parsing import pdf
from ingest.parsing.text import Parsed
from ingest.splitting.sections import sections

WIDTH, HEIGHT = pagesizes.A4
SIZE, PITCH = 11, 14

Draw = Callable[[Canvas], None]


def written(*pages: Draw, **properties: str) -> bytes:
    """Draw each page, and give the file."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=pagesizes.A4, pageCompression=0)
    for name, value in properties.items():
        getattr(canvas, f"set{name.capitalize()}")(value)
    for draw in pages:
        canvas.setFont("Helvetica", SIZE)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def read(*pages: Draw, **properties: str) -> Parsed:
    return pdf.read(written(*pages, **properties))


def lines(
    *texts: str, x: float = 72, y: float = 700, size: float = SIZE, font: str = "Helvetica"
) -> Draw:
    """Draw lines below one another."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont(font, size)
        for number, text in enumerate(texts):
            canvas.drawString(x, y - number * size * PITCH / SIZE, text)

    return draw


def together(*draws: Draw) -> Draw:
    def draw(canvas: Canvas) -> None:
        for one in draws:
            one(canvas)

    return draw


def picture(canvas: Canvas) -> None:
    pixels = pypdfium2.PdfDocument(written(lines("This is scanned"))).new_page(300, 200)
    canvas.drawImage(ImageReader(pixels.render().to_pil()), 50, 300, 480, 300)


def grid(rows: Sequence[Sequence[str]], xs: Sequence[float], y: float = 700) -> Draw:
    """Draw rows without rules, each cell at its column's place."""
    return together(
        *(
            lines(cell, x=x, y=y - PITCH * n)
            for n, row in enumerate(rows)
            for x, cell in zip(xs, row, strict=True)
            if cell
        )
    )


def prose(words: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    stock = [
        "pump",
        "valve",
        "boiler",
        "water",
        "steam",
        "crew",
        "shift",
        "check",
        "open",
        "close",
        "report",
        "before",
        "after",
        "the",
    ]
    return [chosen.choice(stock) for _ in range(words)]


def wrapped(words: Sequence[str], width: float) -> list[str]:
    """Break words into lines as a word processor does."""
    result = [""]
    for word in words:
        longer = f"{result[-1]} {word}".strip()
        if pdfmetrics.stringWidth(longer, "Helvetica", SIZE) > width:
            result.append(word)
        else:
            result[-1] = longer
    return result


def table_rows(body: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in body.split("\n")
        if line.startswith("|") and "---" not in line
    ]


def test_each_page_is_a_part_and_the_date_keeps_its_zone() -> None:
    data = written(lines("First page text"), lambda canvas: None, lines("Third page text"))
    parsed = pdf.read(data)
    assert parsed.body == "First page text\f\fThird page text"
    assert (parsed.anchors, parsed.left_out) == ("page", ())
    dated = data.replace(b"/ModDate (D:", b"/ModDate (D:20250203100000+02'00') /Old (D:")
    assert pdf.read(dated).updated_at == datetime(2025, 2, 3, 8, tzinfo=UTC)


def test_a_hyphen_at_a_line_end_stays_only_in_words_that_have_one() -> None:
    text = wrapped(
        "The humidi- fier hums in the ar- chive all day. A long- term store and a fire- safety officer "
        "are named, with short- and mid-sized rooms. Our state-of-the-art lift is well- known; the "
        "depart- ment knows it. The department.".replace("- ", "-\n").split(" "),
        10_000,
    )
    body = read(lines(*text[0].split("\n"))).body.replace("\n", " ")
    for word in ("humidifier", "archive", "long-term", "fire-safety", "well-known", "department"):
        assert word in body
    assert "short- and mid-sized" in body


def test_the_number_of_pages_changes_nothing() -> None:
    page = lines("The humidi-", "fier hums.")
    short, long = read(page).body, read(page, *[lines("Other text.")] * 30).body
    assert short == long.split("\f")[0] == "The humidifier hums."


def test_a_sentence_over_a_page_break_is_whole_and_heads_and_feet_go() -> None:
    def page(number: int, *texts: str) -> Draw:
        return together(
            lines("CONFIDENTIAL - Boat manual - revision 7", y=800, size=8),
            lines(*texts, y=760),
            lines(f"Page {number} of 3", x=500, y=30, size=8),
        )

    parsed = read(
        page(1, "The slip is greased in spring. The cradle must be lowered to exactly"),
        page(2, "nine metres below the quay. Then the winch is locked.", "It stays so."),
        page(3, "Nobody stands behind the rope."),
    )
    first, second, third = parsed.body.split("\f")
    assert "lowered to exactly nine metres below the quay." in first
    assert second.split() == ["Then", "the", "winch", "is", "locked.", "It", "stays", "so."]
    assert third == "Nobody stands behind the rope."
    assert first.count("CONFIDENTIAL") == 1 and "of 3" not in parsed.body


def test_numbered_sentences_and_headings_at_one_height_are_no_running_heads() -> None:
    pages = [lines(f"Lamp {n} hangs in hall {n * 7}.", f"It is lit at {n}.") for n in range(1, 6)]
    body = read(*pages).body
    assert all(f"Lamp {n} hangs in hall {n * 7}." in body for n in range(1, 6))


def test_two_columns_are_read_one_after_the_other() -> None:
    left, right = wrapped(prose(90, 1), 210), wrapped(prose(90, 2), 210)
    head = lines("A title over both of the columns that is long", y=740, size=16)
    body = read(together(head, lines(*left), lines(*right, x=310, y=697))).body
    assert " ".join(left) in body and " ".join(right) in body
    assert body.index(left[-1][:20]) < body.index(right[0])


def test_words_come_from_gaps_and_letter_spacing_is_closed() -> None:
    def no_spaces(canvas: Canvas) -> None:
        x = 72.0
        for word in ("Keys", "hang", "beside", "the", "door."):
            canvas.drawString(x, 700, word)
            x += pdfmetrics.stringWidth(word, "Helvetica", SIZE) + 2.6

    def spaced(canvas: Canvas) -> None:
        text = canvas.beginText(72, 650)
        text.setCharSpace(6)
        text.textOut("CHAPTER  ONE")
        canvas.drawText(text)

    body = read(together(no_spaces, spaced)).body
    assert "Keys hang beside the door." in body and "CHAPTER ONE" in body


def test_letters_drawn_twice_and_small_capitals_are_one_word() -> None:
    def doubled(canvas: Canvas) -> None:
        for shift in (0, 0.3):
            canvas.drawString(72 + shift, 700, "Committee meeting hall")

    def capitals(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 12)
        canvas.drawString(72, 660, "H")
        canvas.setFont("Helvetica", 9)
        canvas.drawString(72 + pdfmetrics.stringWidth("H", "Helvetica", 12), 660, "ARBOUR")

    body = read(together(doubled, capitals)).body
    assert body.count("Committee meeting hall") == 1 and "Commmittee" not in body
    assert "HARBOUR" in body


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_sideways_text_and_its_tables_are_read(turn: int) -> None:
    rows = [["Berth", "Depth"], ["North", "4 m"], ["South", "6 m"]]

    def draw(canvas: Canvas) -> None:
        canvas.translate(WIDTH / 2, HEIGHT / 2)
        canvas.rotate(turn)
        canvas.grid([0, 100, 200], [0, 20, 40, 60])
        for n, row in enumerate(rows):
            for x, cell in zip((5, 105), row, strict=True):
                canvas.drawString(x, 46 - 20 * n, cell)
        canvas.drawString(-150, 200, "The tide table hangs on the wall.")

    body = read(draw).body
    assert "The tide table hangs on the wall." in body
    assert table_rows(body) == rows


def test_a_ruled_table_repeats_merged_cells_and_keeps_cells_of_several_lines() -> None:
    def draw(canvas: Canvas) -> None:
        for y in (700, 680, 640, 620):
            canvas.line(72, y, 372, y)
        canvas.line(172, 600, 372, 600)
        canvas.line(72, 580, 372, 580)
        for x in (72, 172, 272, 372):
            canvas.line(x, 580, x, 700)
        canvas.line(72, 580, 72, 620)
        for x, y, text in (
            (75, 685, "Crew"), (175, 685, "Duty"), (275, 685, "Hours"),
            (75, 665, "Early"), (75, 650, "crew"), (175, 665, "Deck"), (275, 665, "6 to 14"),
            (75, 625, "Relief"), (175, 625, "Any"), (275, 625, "9 to 17"),
            (75, 600, "Late"), (175, 605, "Engine"), (275, 605, "14 to 22"),
            (175, 585, "Radio"), (275, 585, "22 to 6"),
        ):  # fmt: skip
            canvas.drawString(x, y, text)

    assert table_rows(read(draw).body) == [
        ["Crew", "Duty", "Hours"],
        ["Early crew", "Deck", "6 to 14"],
        ["Relief", "Any", "9 to 17"],
        ["Late", "Engine", "14 to 22"],
        ["Late", "Radio", "22 to 6"],
    ]


def test_aligned_columns_under_names_are_a_table_and_empty_cells_stay_empty() -> None:
    rows = [
        ["Valve", "Bar", "Checked", "Note"], ["A1", "6.5", "", "tight"],
        ["B2", "", "May", ""], ["C3", "7.25", "June", "loud"],
    ]  # fmt: skip
    body = read(together(lines("All valves of the plant.", y=740), grid(rows, (72, 180, 270, 380))))
    assert table_rows(body.body) == rows and body.body.startswith("All valves of the plant.")


def test_a_table_beside_prose_is_parted_from_it() -> None:
    text = wrapped(prose(80, 3), 200)
    rows = [["Pump", "Litres"], ["East", "120"], ["West", "95"], ["Spare", "40"]]
    body = read(together(lines(*text), grid(rows, (340, 440), y=695))).body
    assert " ".join(text) in body and table_rows(body) == rows


def test_lines_with_gaps_but_no_header_stay_lines() -> None:
    rows = [["Name", "Ada Roe"], ["Room", "Mill 4"], ["Desk", "By the window"]]
    body = read(grid(rows, (72, 200))).body
    assert "|" not in body and "Name Ada Roe" in body.replace("\n", " ")


def test_a_table_over_a_page_break_keeps_its_header() -> None:
    def ruled(rows: Sequence[Sequence[str]], top: float) -> Draw:
        def draw(canvas: Canvas) -> None:
            canvas.grid([72, 172, 272], [top - 20 * n for n in range(len(rows) + 1)])
            for n, row in enumerate(rows):
                for x, cell in zip((75, 175), row, strict=True):
                    canvas.drawString(x, top - 20 * n - 14, cell)

        return draw

    first = [["Boat", "Berth"], ["Adler", "4"], ["Brise", "7"]]
    body = read(ruled(first, 120), ruled([["Carla", "9"], ["Dora", "2"]], 780)).body
    assert table_rows(body.split("\f")[1]) == [["Boat", "Berth"], ["Carla", "9"], ["Dora", "2"]]


def form_page(canvas: Canvas) -> None:
    form = canvas.acroForm
    canvas.drawString(72, 700, "Pressure of the gate valve:")
    form.textfield(name="f1", value="4.5 bar", x=230, y=694, width=120, height=18)
    canvas.drawString(72, 660, "Fuel")
    form.choice(name="f2", value="Oil", options=["Gas", "Oil"], x=230, y=654, width=90, height=18)
    form.checkbox(name="f3", checked=True, x=72, y=620, size=14)
    canvas.drawString(92, 623, "Lid closed")
    form.checkbox(name="f4", checked=False, x=72, y=600, size=14)
    canvas.drawString(92, 603, "Key returned")
    form.textfield(name="f5", tooltip="Name of the fitter", value="Ada Roe", x=300, y=300,
                   width=120, height=18)  # fmt: skip


def test_values_of_a_form_stand_beside_their_labels() -> None:
    body = read(form_page).body
    assert "Pressure of the gate valve: 4.5 bar" in body
    assert "Fuel: Oil" in body and "Lid closed (checked)" in body
    assert "Key returned (not checked)" in body and "Name of the fitter: Ada Roe" in body


def test_scanned_pages_among_others_are_named() -> None:
    text = lines("The vault has two keys.")
    assert read(text, picture, text).left_out == ("page 2 of 3 is a picture without text",)
    several = read(text, picture, lambda canvas: None, picture).left_out
    assert several == ("2 of 4 pages are pictures without text (2, 4)",)


def test_a_scan_and_a_locked_file_say_so() -> None:
    with pytest.raises(Unreadable, match="OCR"):
        read(picture)
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt="secret")
    canvas.drawString(72, 700, "Locked text")
    canvas.save()
    with pytest.raises(Unreadable, match="password"):
        pdf.read(buffer.getvalue())


def test_raised_numbers_and_footnotes_keep_apart_from_words() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "The hall has 40 m")
        end = 72 + pdfmetrics.stringWidth("The hall has 40 m", "Helvetica", SIZE)
        canvas.setFont("Helvetica", 7)
        canvas.drawString(end, 704, "2")
        canvas.setFont("Helvetica", SIZE)
        canvas.drawString(end + 7, 700, "of floor.")

    assert "40 m² of floor." in read(draw).body


def test_large_type_is_a_heading_and_gives_the_title() -> None:
    page = together(
        lines("Harbour rules", y=780, size=20),
        lines("Mooring", y=740, size=14, font="Helvetica-Bold"),
        lines("Boats are moored with two ropes.", y=715),
    )
    parsed = read(page, lines("Nobody sleeps aboard in winter."), title="untitled")
    assert parsed.title == "Harbour rules"
    (found,) = sections(parsed, "Harbour rules")
    assert [(s.headings, s.anchor) for s in found] == [
        (("Page 1", "Mooring"), "page=1"), (("Page 2", "Mooring"), "page=2"),
    ]  # fmt: skip
    assert read(page, title="Harbour charter 2025").title == "Harbour charter 2025"


def test_lists_stay_lists() -> None:
    body = read(
        lines(
            "Before leaving:",
            "• close the sluice",
            "• lock the shed",
            "1. sign the book",
            "2. go home",
        )
    ).body
    assert "- close the sluice\n" in body + "\n" and "\n\n2. go home" in body


def test_text_boxes_are_read_and_notes_counted() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "The gate code changes monthly.")
        canvas.freeTextAnnotation("Ask the porter", Rect=[72, 500, 300, 520], DA="/Helv 10 Tf 0 g")
        canvas.textAnnotation("Is this right?", Rect=[72, 400, 90, 420])

    parsed = read(draw)
    assert "Ask the porter" in parsed.body and parsed.left_out == ("1 comment",)


def test_a_table_without_rules_over_a_page_break_keeps_its_header() -> None:
    rows = [["Boat", "Berth", "Fee"]] + [[f"Boat {n}", str(n), f"{n}.50"] for n in range(11, 17)]
    xs = (72, 200, 300)
    body = read(grid(rows[:4], xs, y=120), grid(rows[4:], xs, y=760)).body.split("\f")
    assert table_rows(body[0]) == rows[:4] and table_rows(body[1]) == [rows[0], *rows[4:]]


def test_cells_of_several_lines_without_rules_are_joined() -> None:
    def draw(canvas: Canvas) -> None:
        for x, y, text in (
            (72, 700, "Task"), (250, 700, "Crew"), (400, 700, "When"),
            (72, 676, "Check the pumps in"), (250, 676, "Kim"), (400, 676, "every Monday"),
            (72, 664, "North Hall"), (400, 664, "At seven"),
            (72, 640, "Clean"), (250, 640, "Lou and the"), (400, 640, "daily"),
            (250, 628, "Evening crew"),
        ):  # fmt: skip
            canvas.drawString(x, y, text)

    assert table_rows(read(draw).body) == [
        ["Task", "Crew", "When"],
        ["Check the pumps in North Hall", "Kim", "every Monday At seven"],
        ["Clean", "Lou and the Evening crew", "daily"],
    ]


def test_pages_that_hold_one_short_line_keep_it() -> None:
    bodies = read(*[lines(f"Sheet {n}") for n in range(1, 5)]).body.split("\f")
    assert bodies == ["Sheet 1", "Sheet 2", "Sheet 3", "Sheet 4"]


def test_code_and_options_keep_their_lines() -> None:
    code = lines("def open():", "return key", font="Courier")
    options = grid([["-q", "says nothing at all"], ["-v", "says more than needed"],
                    ["-x", "stops the pump at once"], ["-y", "starts the pump again"]],
                   (72, 150), y=600)  # fmt: skip
    body = read(together(code, options)).body
    assert "def open():\nreturn key" in body
    assert "-v says more than needed" in body.split("\n")


def test_hidden_layers_form_objects_and_turned_pages_are_text_too() -> None:
    def draw(canvas: Canvas) -> None:
        layer = canvas.beginText(72, 700)
        layer.setTextRenderMode(3)
        layer.textLine("Read by the scanner.")
        canvas.drawText(layer)
        canvas.beginForm("stamp")
        canvas.drawString(0, 0, "Stamped twice a year.")
        canvas.endForm()
        canvas.translate(72, 600)
        canvas.doForm("stamp")
        canvas.drawString(0, -5000, "Outside of the page.")

    document = pypdfium2.PdfDocument(written(draw))
    document[0].set_rotation(90)
    buffer = io.BytesIO()
    document.save(buffer)
    body = pdf.read(buffer.getvalue()).body
    assert "Read by the scanner." in body and "Stamped twice a year." in body
    assert "Outside" not in body


def test_values_of_a_form_in_a_table_stand_in_their_own_cells() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.grid([72, 200, 400], [600, 630, 660, 690])
        for n, label in enumerate(("Field", "Pump pressure", "Fitter")):
            canvas.drawString(76, 670 - 30 * n, label)
        canvas.drawString(204, 670, "Value")
        for n, value in enumerate(("6 bar", "Ada Roe")):
            canvas.acroForm.textfield(
                name=f"g{n}", value=value, x=202, y=632 - 30 * n, width=190, height=26
            )

    rows = [["Field", "Value"], ["Pump pressure", "6 bar"], ["Fitter", "Ada Roe"]]
    assert table_rows(read(draw).body) == rows


def test_labels_above_fields_and_radio_buttons_keep_to_their_own_values() -> None:
    def draw(canvas: Canvas) -> None:
        form = canvas.acroForm
        for n, (label, value) in enumerate((("First name", "Ada"), ("Last name", "Roe"))):
            canvas.drawString(72 + 230 * n, 650, label)
            form.textfield(name=f"n{n}", value=value, x=72 + 230 * n, y=625, width=120, height=18)
        canvas.drawString(72, 700, "Heating")
        for x, fuel in ((150, "gas"), (220, "oil"), (290, "wood")):
            form.radio(name="heat", value=fuel, selected=fuel == "oil", x=x, y=697, size=14)
            canvas.drawString(x + 18, 700, fuel)

    body = read(draw).body
    assert "First name: Ada" in body and "Last name: Roe" in body
    assert "gas (not checked) oil (checked) wood (not checked)" in body


def test_of_a_file_that_was_cut_off_the_pages_that_are_there_are_read() -> None:
    stream = b"BT /F1 12 Tf 72 700 Td (The quay is closed.) Tj ET"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    page = (
        b"<</Type/Page/MediaBox[0 0 600 800]/Resources<</Font<</F1 %s>>>>/Contents 5 0 R>>" % font
    )
    data = (
        b"%%PDF-1.4\n5 0 obj<</Length %d>>stream\n%s\nendstream endobj\n4 0 obj%s endobj\n9 0 obj<</Ty"
        % (len(stream), stream, page)
    )
    parsed = pdf.read(data)
    assert parsed.body == "The quay is closed."
    assert parsed.left_out == ("what stood in the damaged end of the file",)


def test_a_page_without_a_full_stop_stays_on_its_page() -> None:
    pages = [lines(*wrapped([f"w{n}x{m}" for m in range(300)], 430), y=780) for n in range(3)]
    bodies = read(*pages).body.split("\f")
    assert [body.split()[0] for body in bodies] == ["w0x0", "w1x0", "w2x0"]


def test_a_longer_left_column_is_read_to_its_end_first() -> None:
    left, right = wrapped(prose(90, 7), 210), wrapped(prose(40, 8), 210)
    more = wrapped(prose(60, 9), 210)
    y = 700 - PITCH * len(left) - 10
    body = read(together(lines(*left), lines(*more, y=y), lines(*right, x=310))).body
    assert body.index(more[-1]) < body.index(right[0])


def test_labels_and_values_in_a_grid_are_no_header_and_rows() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.grid([72, 200, 500], [600, 630, 660, 690])
        for n, row in enumerate(
            (("Founded", "1921"), ("Owner", "Kim Doe"), ("Seat", "The old mill by the river"))
        ):
            for x, text in zip((76, 204), row, strict=True):
                canvas.drawString(x, 670 - 30 * n, text)

    body = read(draw).body
    assert body == "Founded: 1921\nOwner: Kim Doe\nSeat: The old mill by the river"


def test_years_may_name_columns_of_amounts() -> None:
    rows = [["Service", "2024", "2025"], ["Water", "80.00", "95.50"], ["Power", "7.10", "8.00"]]
    assert table_rows(read(grid(rows, (72, 250, 350))).body) == rows


def test_a_watermark_is_no_title() -> None:
    def draw(canvas: Canvas) -> None:
        for n, text in enumerate(wrapped(prose(60, 5), 430)):
            canvas.drawString(72, 700 - PITCH * n, text)
        canvas.translate(200, 300)
        canvas.rotate(45)
        canvas.setFont("Helvetica", 60)
        canvas.drawString(0, 0, "DRAFT")

    parsed = read(draw)
    assert parsed.title is None and "DRAFT" in parsed.body
