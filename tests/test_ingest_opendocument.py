"""OpenDocument texts, presentations and sheets, written by hand as LibreOffice writes them."""

from ingest.parsing.text import Parsed
from tests.office_files import archive, read, rows

NAMES = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(
    f'xmlns:{short}="{NAMES}:{long}:1.0"'
    for short, long in (
        ("t", "text"), ("b", "table"), ("d", "drawing"), ("o", "office"), ("s", "style"), ("p", "presentation"),
    )
)  # fmt: skip


def document(name: str, content: str, styles: str = "") -> Parsed:
    return read(
        name,
        archive(
            {
                "content.xml": f"<o:document-content {SPACES}>{content}</o:document-content>",
                "styles.xml": f"<o:document-styles {SPACES}>{styles}</o:document-styles>",
            }
        ),
    )


TALL = 'b:number-rows-spanned="2"'


def cell(text: str, about: str = "") -> str:
    return f"<b:table-cell {about}><t:p>{text}</t:p></b:table-cell>"


def test_cells_that_span_are_repeated_and_tables_in_cells_are_read_in_place() -> None:
    inner = f"<b:table><b:table-row>{cell('Pump')}{cell('7 bar')}</b:table-row></b:table>"
    parsed = document(
        "a.odt",
        f"<b:table><b:table-row>{cell('House')}{cell('Crop')}{cell('Night')}</b:table-row>"
        f"<b:table-row>{cell('North', TALL)}{cell('Basil')}{cell('19 C')}</b:table-row>"
        f"<b:table-row><b:covered-table-cell/>{cell('Mint')}<b:table-cell>{inner}</b:table-cell></b:table-row>"
        "</b:table>",
    )
    assert rows(parsed.body)[1:] == [["North", "Basil", "19 C"], ["North", "Mint", "Pump: 7 bar"]]


def test_numbers_of_headings_and_items_stand_as_shown() -> None:
    styles = (
        '<t:outline-style><t:outline-level-style t:level="1" s:num-format="1"/>'
        '<t:outline-level-style t:level="2" s:num-format="1" t:display-levels="2"/></t:outline-style>'
        '<t:list-style s:name="L1"><t:list-level-style-number t:level="1" s:num-format="a" s:num-suffix=")"/>'
        "</t:list-style>"
    )
    parsed = document(
        "a.odt",
        '<t:h t:outline-level="1">Purpose</t:h><t:h t:outline-level="1">Safety</t:h>'
        '<t:h t:outline-level="2">Doors</t:h><t:h t:outline-level="2">Interlock</t:h>'
        '<t:list t:style-name="L1"><t:list-item><t:p>key out</t:p></t:list-item>'
        "<t:list-item><t:p>lamp on</t:p></t:list-item></t:list>",
        styles,
    )
    assert "### 2.2 Interlock\n\na) key out\nb) lamp on" in parsed.body


def test_headers_notes_boxes_and_hidden_text() -> None:
    parsed = document(
        "a.odt",
        '<s:style s:name="H"><s:text-properties t:display="none"/></s:style>'
        "<t:h>Pier</t:h><t:p>Load is 5 t<t:note><t:note-citation>1</t:note-citation><t:note-body>"
        '<t:p>In winter 3 t.</t:p></t:note-body></t:note>.<t:span t:style-name="H">secret</t:span>'
        "<d:frame><d:text-box><t:p>Mind the gap.</t:p></d:text-box></d:frame>"
        "<o:annotation><t:p>really?</t:p></o:annotation></t:p><t:h>Crane</t:h>",
        '<s:header><t:p>Hotline 5550</t:p></s:header><s:footer><t:p>Page <t:page-number>1</t:page-number>'
        "</t:p></s:footer>",
    )  # fmt: skip
    assert parsed.body.startswith("Hotline 5550\n\n## Pier\n\nLoad is 5 t[1].\n\nMind the gap.")
    assert parsed.body.index("[1] In winter 3 t.") < parsed.body.index("# Crane")
    assert "secret" not in parsed.body and "Page" not in parsed.body and "really" not in parsed.body
    assert parsed.left_out == ("1 hidden phrase", "1 comment")


def test_slides_that_are_hidden_are_counted() -> None:
    hidden = '<s:style s:name="D"><s:drawing-page-properties p:visibility="hidden"/></s:style>'
    page = (
        "<d:page d:name='{}' {}><d:frame><d:text-box><t:p>{}</t:p></d:text-box></d:frame></d:page>"
    )
    parsed = document(
        "a.odp",
        hidden + page.format("One", "", "Shown") + page.format("Two", "d:style-name='D'", "Kept"),
    )
    assert parsed.body == "## One\n\nShown" and parsed.left_out == ("1 hidden slide",)


def test_a_sheet_shows_its_cells_and_not_its_hidden_rows() -> None:
    code, share = cell("01067", 'o:value="1067"'), cell("17.5 %", 'o:value="0.175"')
    parsed = document(
        "a.ods",
        '<s:style s:name="T"><s:table-properties b:display="false"/></s:style>'
        '<b:table b:name="Depot"><b:table-column b:number-columns-repeated="2"/>'
        f"<b:table-row>{cell('Item')}{cell('Code')}{cell('Share')}</b:table-row>"
        f"<b:table-row>{cell('Rope', TALL)}"
        f"{code}{share}</b:table-row>"
        f"<b:table-row><b:covered-table-cell/>{cell('01068')}{cell('2 %')}</b:table-row>"
        f'<b:table-row b:visibility="collapse">{cell("Sack")}{cell("9")}</b:table-row>'
        f'<b:table-row>{cell("Hook")}<b:table-cell b:formula="of:=SUM(B2:B3)"/>'
        "<b:table-cell><o:annotation><t:p>Counted by hand.</t:p></o:annotation><t:p>1 %</t:p></b:table-cell>"
        '</b:table-row><b:table-row b:number-rows-repeated="1048000"><b:table-cell/></b:table-row></b:table>'
        f'<b:table b:name="Costs" b:style-name="T"><b:table-row>{cell("secret")}</b:table-row></b:table>',
    )
    assert rows(parsed.body) == [
        ["Item", "Code", "Share"], ["Rope", "01067", "17.5 %"], ["Rope", "01068", "2 %"],
        ["Hook", "=SUM(B2:B3)", "1 % (Comment: Counted by hand.)"],
    ]  # fmt: skip
    assert parsed.left_out == ("1 hidden sheet (Costs)", "1 hidden row of sheet Depot")
