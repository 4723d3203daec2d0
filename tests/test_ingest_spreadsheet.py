"""Spreadsheets as people see them: shown values, merged cells, what is hidden left out and said."""

import base64
import io
import zlib
from collections.abc import Callable
from datetime import date, timedelta

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from ingest.parsing.number_formats import shown
from ingest.parsing.text import Parsed
from tests.office_files import archive, read, rows


def workbook(fill: Callable[[Worksheet], object], name: str = "Depot") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = name
    fill(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def sheet_of(*lines: list[object], about: Callable[[Worksheet], object] = lambda s: None) -> Parsed:
    def fill(sheet: Worksheet) -> None:
        for line in lines:
            sheet.append(line)
        about(sheet)

    return read("a.xlsx", workbook(fill))


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (1067, "00000", "01067"),
        (0.175, "0.0 %", "17.5 %"),
        (-1234.5, "#,##0.00;[Red]-#,##0.00", "-1,234.50"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (-12, '_("$"* #,##0.00_);_("$"* (#,##0.00)', "$(12.00)"),
        (45691, "dd.mm.yyyy", "03.02.2025"),
        (45691.52, 'd mmm yyyy", "hh:mm', "3 Feb 2025, 12:28"),
        (0.75, "h:mm AM/PM", "6:00 PM"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (45691, "[$-F800]dddd, mmmm dd, yyyy", "2025-02-03"),
        (0.1 + 0.2, "General", "0.3"),
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (12.5, '0.0" °C"', "12.5 °C"),
        (1.25, "# ?/?", "1 1/4"),
        (12345, "0.00E+00", "1.23E+04"),
        (1_500_000, '0.0,,"M"', "1.5M"),
        (12, '[>=10]"many";"few"', "many"),
        (-3, '0;"a;b"0', "a;b3"),
        (0, '0;-0;"none"', "none"),
        (1e300, "yyyy-mm-dd", "1e+300"),
        (1e300, "#,##0.00", "1e+300"),
        (float("inf"), "0", "inf"),
    ],
)
def test_numbers_look_as_the_sheet_shows_them(value: float, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_cells_of_every_kind_are_written_as_shown() -> None:
    def look(sheet: Worksheet) -> None:
        sheet["B2"].number_format = "00000"
        sheet["C2"].number_format = "0 %"
        sheet["F2"].number_format = "[h]:mm"

    parsed = sheet_of(
        ["Site", "Code", "Share", "Opened", "Open?", "Runs"],
        ["Quay", 1067, 0.5, date(2025, 2, 3), True, timedelta(hours=30)],
        about=look,
    )
    assert rows(parsed.body)[1] == ["Quay", "01067", "50 %", "2025-02-03", "TRUE", "30:00"]


def test_a_formula_without_its_result_is_shown_and_said() -> None:
    parsed = sheet_of(["Item", "Net", "Gross"], ["Rope", 4, "=B2*1.2"], ["Hook", 3, "=SUM(B2:B3)"])
    assert rows(parsed.body)[1:] == [["Rope", "4", "=B2*1.2"], ["Hook", "3", "=SUM(B2:B3)"]]
    assert parsed.left_out == ("results of 2 formulas are not in the file",)


def test_what_is_hidden_is_left_out_and_counted() -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["C"].hidden = True
        assert sheet.parent
        for name, state in (("Costs", "hidden"), ("Margins", "veryHidden")):
            other = sheet.parent.create_sheet(name)
            other.append(["secret"])
            other.sheet_state = state

    parsed = sheet_of(
        ["Item", "Net", "Cost"], ["Rope", 4, 2], ["Sack", 7, 3], ["Hook", 2, 1], about=hide
    )
    assert rows(parsed.body) == [["Item", "Net"], ["Rope", "4"], ["Hook", "2"]]
    assert parsed.left_out == (
        "2 hidden sheets (Costs, Margins)", "1 hidden row of sheet Depot", "1 hidden column of sheet Depot",
    )  # fmt: skip


def test_a_comment_stands_in_its_row() -> None:
    def remark(sheet: Worksheet) -> None:
        sheet["B2"].comment = Comment("Ask the harbour master first.", "Harbour master")

    parsed = sheet_of(["Berth", "Depth"], ["North", "4 m"], about=remark)
    assert rows(parsed.body)[1] == ["North", "4 m (Comment: Ask the harbour master first.)"]


def test_merged_cells_are_repeated_and_a_title_across_is_a_title() -> None:
    def merge(sheet: Worksheet) -> None:
        for area in ("A1:D1", "A2:A3", "B2:C2", "A4:A5"):
            sheet.merge_cells(area)

    parsed = sheet_of(
        ["Tides of the year"],
        ["Quay", "Spring", None, "Note"],
        [None, "High", "Low", None],
        ["North", 4.2, 0.3, "silt"],
        [None, 4.4, 0.2, "clear"],
        about=merge,
    )
    assert "Tides of the year\n\n|" in parsed.body
    assert rows(parsed.body) == [
        ["Quay", "Spring High", "Spring Low", "Note"],
        ["North", "4.2", "0.3", "silt"],
        ["North", "4.4", "0.2", "clear"],
    ]


def test_tables_apart_stay_apart_and_groups_of_one_table_together() -> None:
    parsed = sheet_of(
        ["Item", "Price", None, "Crew", "Phone"],
        ["Rope", 4, None, "Ada", "x11"],
        ["Hook", 2, None, "Bo", "x12"],
        [],
        ["Sack", 3],
        [],
        ["Gate", "Opens"],
        ["East", "06:00"],
    )
    assert rows(parsed.body) == [
        ["Item", "Price"], ["Rope", "4"], ["Hook", "2"],
        ["Crew", "Phone"], ["Ada", "x11"], ["Bo", "x12"],
        ["Sack", "3"],
        ["Gate", "Opens"], ["East", "06:00"],
    ]  # fmt: skip


def test_a_sheet_may_claim_a_size_that_is_wrong() -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"

    def linked(name: str, target: str) -> str:
        link = f'<Relationship Id="r1" Type="{kind}/{name}" Target="{target}"/>'
        return f'<Relationships xmlns="{links}">{link}</Relationships>'

    cells = "".join(
        f'<row><c t="inlineStr"><is><t>{name}</t><rPh sb="0" eb="1"><t>aloud</t></rPh></is></c>'
        f'<c><v>{n}</v></c></row>' for n, name in enumerate(["Item", "Rope", "Hook"])
    )  # fmt: skip
    parts = {
        "_rels/.rels": linked("officeDocument", "xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": linked("worksheet", "/xl/worksheets/one.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
        '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/one.xml": f'<worksheet xmlns="{main}"><dimension ref="A1"/>'
        f"<sheetData>{cells}</sheetData></worksheet>",
    }
    expected = [["Item", "0"], ["Rope", "1"], ["Hook", "2"]]
    assert rows(read("a.xlsx", archive(parts)).body) == expected
    strict = {
        name: text.replace("schemas.openxmlformats.org/spreadsheetml/2006", "purl.oclc.org/ooxml/spreadsheetml")
        .replace("schemas.openxmlformats.org/officeDocument/2006", "purl.oclc.org/ooxml/officeDocument")
        for name, text in parts.items()
    }  # fmt: skip
    assert rows(read("a.xlsx", archive(strict)).body) == expected


def test_a_chart_is_named_below_its_numbers() -> None:
    def draw(sheet: Worksheet) -> None:
        chart = BarChart()
        chart.title = "Visitors by month"
        chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=2), titles_from_data=True)
        sheet.add_chart(chart, "D4")

    assert (
        "Chart: Visitors by month" in sheet_of(["Month", "Visitors"], ["May", 12], about=draw).body
    )


def test_rows_beyond_the_limit_are_counted() -> None:
    parsed = sheet_of(["id", "name"], *([n, "x"] for n in range(20_004)))
    assert parsed.left_out == ("5 rows at the end of sheet Depot",)


# An .xls file of a depot, as xlwt writes it: no library in use here writes such files any more.
OLD_EXCEL = (
    "c-rk)T}V_x6#i!Jz3xx0uBL)U%OYrHB1SL0=vG?RgJv4^Lr|+;DYm?_?u$K?Wj+Q$Pem_+6}{NcLq8N!FHsN~^$-"
    "Ms7Ci+)P!ObUXU@IX)HYBkLA&SfoS8Xu&Y3f3&OI}GUykOD4c;ml#~i4IhN*M_Su<#YO2F-eLF4JPYPz+bO4@@Z1"
    "pz;8WR`&kq31rehibpaA#qcGOc;1i<siDzWObR*MTD(vLtH2uYJ^U)Cvlld4vN{Xe8%mJS2DiAybl>~X39CnHN-n"
    "64q!CaRI$m4<9)J}$8rb@++~@!Oxb`!JXLXg>b$Ud4QxpsjUW4e2O@elhCtELV0M{F)eqtd4We2>L=WI9bm~=Amq"
    "qjtuBkjwU)5N(pI{6H6jDR@mW~2n-Q4jg>d_aME<p6}v+2G+(EYT#ndoYtGtq;z<(cR!GU&M=DN_27J}lIWH-Hd+"
    "=xW43z1eN06yb%>j=egoC)G27J$&Q@?9|j_wkOS0Hqe@~+7nT$GujyMB?UWE=5ea(tPYdnvh_$jX%hFYZVK2AqPJ"
    "MxCRMHR_5@WsEGrRIIyv=)XQjRnCxmRm9mwT&9;bycd1d1ImsgE#&9OsF>Eq+hJ`~H;s*uKMB|*YDaP>jG8K_{1^"
    "^DK3)>YgtVO&6qrMkSi&}nS%XP&b>T2Aw9WOyB0Go!th+5?|<--`@<h^?dcaKreCg5fu@L6nlWI!InU{iqa`;?hM"
    "0_hW7?ob>sQaq(}d)Gx!1?P=%a&&4Ey+|1(@kC2bR-cgUn5+Z|yU<swu?g{30dy;zkbWfw6;mj^G=#s2UdG(|WvW"
    "N09OonPwrEy8NcQQPQ+2a~{_VY8z`m{OvM#y6t>$A0Kq^%IQNt+?nh~#x<VKuci$7Xf8u@(3b5$dNY)oKCKQ5|(m"
    ")mgRAQLgi{%bleeGx*)58O-l@_zmVSqTWZ|DCtaZgN9m}k2}g6bk6;P#RzFJjhAXji;N-7H(upcWb&#99(dq^2Oc"
    "ap5PTbfb3p>%M6&pbV}I9~q%!4wCRw)70*js${Y~43E~=C0T~PcK!4R%4F;5xyd!d58G<y;Ww6PtD1;;Pl`ozrj%"
    "v&)0_g<le&OfyfJOA<gKLJ}xKt="
)


def test_old_excel_files_are_read_as_new_ones() -> None:
    parsed = read("a.xls", zlib.decompress(base64.b85decode(OLD_EXCEL)))
    assert "Stock of May\n\n|" in parsed.body
    assert rows(parsed.body) == [
        ["Item", "Code", "Share", "Opened"],
        ["Rope", "01067", "17.5%", "3.2.2025"],
        ["Rope", "01068", "TRUE", ""],
        ["Hook", "5", "", ""],
    ]
    assert parsed.left_out == ("1 hidden sheet (Costs)", "1 hidden row of sheet Depot")
