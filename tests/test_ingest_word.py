"""Word documents: what a page shows is read, once and in its place; the rest is counted."""

import pytest

from tests.office_files import paragraph as p
from tests.office_files import rows, run, word

STYLES = "".join(
    f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{shown}"/>{about}</w:style>'
    for name, shown, about in (
        ("H1", "heading 1", ""),
        ("H2", "heading 2", ""),
        ("Own", "Chapter", '<w:basedOn w:val="H2"/>'),
        ("Nav", "Überschrift 3", ""),
        ("Out", "Part", '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>'),
        ("Dark", "Dark", "<w:rPr><w:vanish/></w:rPr>"),
        ("V1", "toc 1", ""),
    )
)


def tc(text: str, about: str = "") -> str:
    inner = text if text.startswith("<") else p(text)
    return f"<w:tc><w:tcPr>{about}</w:tcPr>{inner}</w:tc>"


def tbl(*lines: list[str], header_rows: int = 0) -> str:
    return "<w:tbl>" + "".join(
        f"<w:tr><w:trPr>{'<w:tblHeader/>' if n < header_rows else ''}</w:trPr>{''.join(line)}</w:tr>"
        for n, line in enumerate(lines)
    ) + "</w:tbl>"  # fmt: skip


def numbered(list_id: int, depth: int = 0) -> str:
    return f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>'


def level(depth: int, kind: str, text: str, about: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{about}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


NUMBERING = (
    '<w:abstractNum w:abstractNumId="7">'
    + level(0, "decimal", "%1", '<w:pStyle w:val="H1"/>')
    + level(1, "decimal", "%1.%2", '<w:pStyle w:val="H2"/>')
    + '</w:abstractNum><w:abstractNum w:abstractNumId="8">'
    + level(0, "lowerLetter", "%1)")
    + level(1, "upperRoman", "(%2)")
    + level(2, "bullet", "\u00b7")
    + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="8"/><w:lvlOverride w:ilvl="0">'
    '<w:startOverride w:val="3"/></w:lvlOverride></w:num>'
)


def test_tracked_changes_are_read_as_accepted() -> None:
    joined = "<w:rPr><w:del/></w:rPr>"
    parsed = word(
        p("The key hangs ", f"<w:moveFrom>{run('in the hall')}</w:moveFrom>", "by the door.")
        + p(
            f"<w:del><w:r><w:delText>Old rule.</w:delText></w:r></w:del><w:ins>{run('New rule.')}</w:ins>"
        )
        + p(f"<w:moveTo>{run('In the hall.')}</w:moveTo>")
        + p("One sentence", about=joined)
        + p("over two lines.")
        + "<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    )
    assert parsed.body == (
        "The key hangs by the door.\n\nNew rule.\n\nIn the hall.\n\nOne sentence over two lines."
    )


def test_headings_are_found_by_style_inheritance_and_outline() -> None:
    parsed = word(
        p("One", style="H1") + p("Two", style="Own") + p("Three", style="Nav") + p("Two more", style="Out")
        + p("Also two", about='<w:outlineLvl w:val="1"/>') + p("Text") + p("One ..... 1", style="V1"),
        styles=STYLES,
    )  # fmt: skip
    assert parsed.body == "# One\n\n## Two\n\n### Three\n\n## Two more\n\n## Also two\n\nText"


def test_the_title_is_what_stands_above_the_chapters() -> None:
    styles = STYLES + '<w:style w:styleId="T"><w:name w:val="Title"/></w:style>'
    chapters = p("Purpose", style="H1") + p("Scope", style="H1")
    parsed = word(p("Pier rules", style="T") + chapters, styles=styles)
    assert parsed.body == "# Pier rules\n\n## Purpose\n\n## Scope"
    assert parsed.title == "Pier rules"
    assert word(chapters, styles=styles).title is None
    assert word(p("Pier rules", style="H1") + p("Scope", style="H2"), styles=styles).title == "Pier rules"  # fmt: skip


def test_automatic_numbers_stand_as_the_page_shows_them() -> None:
    parsed = word(
        p("Purpose", style="H1", about=numbered(1))
        + p("Work", style="H1", about=numbered(1))
        + p("Goggles", style="H2", about=numbered(1, 1))
        + p("Interlock", style="H2", about=numbered(1, 1))
        + p("key out", about=numbered(2))
        + p("lamp on", about=numbered(2))
        + p("blinks", about=numbered(2, 1))
        + p("stays", about=numbered(2, 1))
        + p("red", about=numbered(2, 2))
        + p("Begin anew:")
        + p("third", about=numbered(3))
        + p("No number", about=numbered(0)),
        styles=STYLES,
        numbering=NUMBERING,
    )
    assert parsed.body == (
        "## 1 Purpose\n\n## 2 Work\n\n### 2.1 Goggles\n\n### 2.2 Interlock\n\n"
        "a) key out\nb) lamp on\n  (I) blinks\n  (II) stays\n    - red\n\nBegin anew:\n\n"
        "c) third\n\nNo number"
    )


def test_a_deleted_item_takes_no_number() -> None:
    gone = "<w:rPr><w:del/></w:rPr>"
    parsed = word(
        p("first", about=numbered(2))
        + p("<w:del><w:r><w:delText>old</w:delText></w:r></w:del>", about=numbered(2) + gone)
        + p(f"<w:moveFrom>{run('moved')}</w:moveFrom>", about=numbered(2) + gone.replace("del", "moveFrom"))
        + p("second", about=numbered(2)),
        numbering=NUMBERING,
    )  # fmt: skip
    assert parsed.body == "a) first\nb) second"


def test_numbers_that_come_with_a_style_are_counted_too() -> None:
    styles = STYLES.replace(
        '<w:name w:val="heading 2"/>', '<w:name w:val="heading 2"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    ).replace('<w:name w:val="heading 1"/>', '<w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>')  # fmt: skip
    parsed = word(p("A", style="H1") + p("B", style="H2") + p("C", style="Own"), styles=styles, numbering=NUMBERING)  # fmt: skip
    assert parsed.body.startswith("# 1 A\n\n## 1.1 B")


def test_header_and_footer_stand_once_and_count_no_pages() -> None:
    page = "<w:fldSimple w:instr=' PAGE '>" + run("7") + "</w:fldSimple>"
    section = '<w:sectPr><w:headerReference w:type="{}" r:id="header1"/><w:footerReference r:id="footer1"/>{}</w:sectPr>'
    parsed = word(
        p("Clear the ramp.") + p("", about=section.format("default", "")) + section.format("first", "<w:titlePg/>"),
        header1=p("Owner: Facilities"),
        footer1=p("Hotline 555-0187") + p("FAC-11 | Page ", page, " of ", "<w:r><w:fldChar w:fldCharType='begin'/></w:r>"
        "<w:r><w:instrText>NUMPAGES</w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>"
        + run("9") + "<w:r><w:fldChar w:fldCharType='end'/></w:r>"),
    )  # fmt: skip
    assert parsed.body == "Owner: Facilities\n\nHotline 555-0187\n\nFAC-11\n\nClear the ramp."


def test_a_text_box_is_read_once_though_it_is_written_twice() -> None:
    box = f"<w:txbxContent>{p('Mind the gap.')}{tbl([tc('Gate'), tc('Opens')], [tc('East'), tc('06:00')])}</w:txbxContent>"
    twice = (
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice><mc:Fallback>"
        f"<w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    old = f"<w:r><w:pict><v:shape><v:textbox><w:txbxContent>{p('Old box.')}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    body = word(p("Before.", twice, old, "After.")).body
    assert [body.count(text) for text in ("Mind the gap.", "| East | 06:00 |", "Old box.")] == [
        1,
        1,
        1,
    ]
    assert body.startswith("Before.After.")


def test_notes_stand_under_the_heading_that_refers_to_them() -> None:
    def note(name: int, kind: str = "footnote") -> str:
        return f'<w:r><w:{kind}Reference w:id="{name}"/></w:r>'

    parsed = word(
        p("Pier", style="H1")
        + p("The load is 5 t", note(4), ".")
        + p("first", note(2, "endnote"), about=numbered(2))
        + p("second", about=numbered(2))
        + p("Crane", style="H1")
        + p("Up to 9 m."),
        styles=STYLES,
        numbering=NUMBERING,
        footnotes='<w:footnote w:id="4">' + p("In winter 3 t.") + "</w:footnote>",
        endnotes='<w:endnote w:id="2">' + p("As measured.") + "</w:endnote>",
    )
    assert parsed.body == (
        "## Pier\n\nThe load is 5 t[1].\n\n[1] In winter 3 t.\n\na) first[note 1]\nb) second\n\n"
        "[note 1] As measured.\n\n## Crane\n\nUp to 9 m."
    )


def test_cells_that_span_are_repeated_and_inner_tables_stay_in_their_cell() -> None:
    goes_on = "<w:vMerge/>"
    inner = tbl([tc("Pump"), tc("7 bar")], [tc("Hose"), tc("2 bar")]) + p("")
    parsed = word(
        tbl(
            [tc("Climate of the houses", '<w:gridSpan w:val="3"/>')],
            [
                tc("House", '<w:vMerge w:val="restart"/>'),
                tc("Set | point", '<w:gridSpan w:val="2"/>'),
            ],
            [tc("", goes_on), tc("Night"), tc("Day")],
            [tc("North", '<w:vMerge w:val="restart"/>'), tc("19 C"), tc("24 C")],
            [tc("", goes_on), tc(inner), tc(p("two") + p("lines"))],
            header_rows=3,
        )
    )
    assert parsed.body.startswith("Climate of the houses\n\n|")
    assert rows(parsed.body) == [
        ["House", "Set \\| point Night", "Set \\| point Day"],
        ["North", "19 C", "24 C"],
        ["North", "Pump: 7 bar; Hose: 2 bar", "two lines"],
    ]


def test_a_table_that_only_frames_text_is_text() -> None:
    parsed = word(tbl([tc(p("Take care", style="H1") + p("Hot oil."))]) + tbl([tc("Owner:"), tc("Depot")]), styles=STYLES)  # fmt: skip
    assert parsed.body == "# Take care\n\nHot oil.\n\nOwner: Depot"


def test_fields_controls_and_signs_give_what_is_shown() -> None:
    def field(code: str, result: str, inside: str = "") -> str:
        return (
            f"<w:r><w:fldChar w:fldCharType='begin'>{inside}</w:fldChar></w:r><w:r><w:instrText>{code}"
            f"</w:instrText></w:r><w:r><w:fldChar w:fldCharType='separate'/></w:r>{run(result) if result else ''}"
            "<w:r><w:fldChar w:fldCharType='end'/></w:r>"
        )

    ticked = "<w:ffData><w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox></w:ffData>"
    chosen = "<w:ffData><w:ddList><w:result w:val='1'/><w:listEntry w:val='blue'/><w:listEntry w:val='red'/></w:ddList></w:ffData>"
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{run('by hand')}</w:sdtContent></w:sdt>"
    parsed = word(
        p("See ", field("REF a", "Table 3"), " on page ", field("PAGEREF a", "4"), ".")
        + p(field("FORMCHECKBOX", "", ticked), " sent, colour ", field("FORMDROPDOWN", "", chosen), " ", control)
        + p("5 ", "<w:r><w:sym w:font='Symbol' w:char='F06D'/></w:r>", run("m", "<w:rFonts w:ascii='Symbol'/>"), "g")
        + p('<w:hyperlink r:id="out">' + run("the form") + "</w:hyperlink>"),
        outside="https://example.org/a form",
    )  # fmt: skip
    assert parsed.body == (
        "See Table 3 on page 4.\n\n☒ sent, colour red by hand\n\n5 μμg\n\n[the form](https://example.org/a%20form)"
    )


def test_equations_are_written_on_a_line() -> None:
    def r(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    root = f"<m:rad><m:deg/><m:e>{r('b')}</m:e></m:rad>"
    power = f"<m:sSup><m:e>{r('x')}</m:e><m:sup>{r('2')}</m:sup></m:sSup>"
    total = f"<m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub>{r('i=1')}</m:sub><m:sup>{r('n')}</m:sup><m:e>{r('i')}</m:e></m:nary>"
    fraction = f"<m:f><m:num>{r('a+1')}</m:num><m:den>{root}</m:den></m:f>"
    body = word(p("Here ", f"<m:oMath>{fraction}{r(' = ')}{power}{r(' + ')}{total}</m:oMath>")).body
    assert body == "Here (a+1)/(√b) = x^2 + ∑_(i=1)^n i"


def test_what_is_left_out_is_counted() -> None:
    parsed = word(
        p("Shown ", run("hidden", "<w:vanish/>"), run("shown too", "<w:vanish w:val='0'/>"))
        + p("All dark", style="Dark")
        + p("<w:r><w:drawing><a:blip/></w:drawing></w:r>")
        + "<w:altChunk/>",
        styles=STYLES,
        comments="<w:comment/><w:comment/>",
    )
    assert parsed.body == "Shown shown too"
    assert parsed.left_out == (
        "2 pieces of hidden text", "1 picture", "1 embedded document", "2 comments",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["# of items", "- 5 degrees", "<name> signs", "> 30 km", "---"])
def test_words_are_not_taken_for_markdown(text: str) -> None:
    written = text.replace("<", "&lt;").replace(">", "&gt;")
    assert word(p(written)).body == f"\\{text}"
