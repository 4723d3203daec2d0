"""Tables: cells that span, titles above a header, delimited text of every kind."""

import pytest

from ingest.parsing.tables import Cell, flat, resolved, table, titled
from tests.office_files import read, rows


def test_a_cell_stands_in_every_place_that_it_covers() -> None:
    grid = resolved(
        [
            [Cell("House", rows=2), Cell("Climate", columns=2)],
            [Cell("Night"), Cell("Day")],
            [Cell("North", rows=2), Cell("19 C"), Cell("24 C")],
            [Cell("17 C"), Cell("22 C", rows=9)],
        ]
    )
    assert grid == [
        ["House", "Climate", "Climate"],
        ["House", "Night", "Day"],
        ["North", "19 C", "24 C"],
        ["North", "17 C", "22 C"],
    ]
    assert rows(titled(grid))[0] == ["House", "Climate Night", "Climate Day"]


def test_a_cell_may_claim_to_cover_more_than_there_is() -> None:
    (line,) = resolved([[Cell("wide", columns=10**9), Cell("next", rows=0, columns=0)]])
    assert line[0] == "wide" and line[-1] == "next" and len(line) < 2_000


def test_signs_and_lines_in_cells_stay_within_their_cell() -> None:
    assert table([["a|b", "c\nd"], ["e"]]) == "| a\\|b | c d |\n| --- | --- |\n| e |  |\n"
    assert flat([["Pump", "7 bar"], ["a", "b", "c"], ["", ""]]) == "Pump: 7 bar; a, b, c"


def test_titles_stand_above_the_table_and_remarks_below() -> None:
    body = titled(
        [
            ["Prices of May", "", ""],
            ["", "", ""],
            ["Item", "Net", "Gross"],
            ["", "EUR", "EUR"],
            ["Rope", "4", "5"],
            ["Hook", "2", "3"],
            ["All without freight", "", ""],
        ]
    )
    assert body.startswith("Prices of May\n\n| Item | Net EUR | Gross EUR |")
    assert body.rstrip().endswith("All without freight")


def test_units_above_the_names_belong_to_them_and_empty_columns_go() -> None:
    body = titled([["", "", "kg", "EUR"], ["Item", "", "Load", "Price"], ["Rope", "", "9", "4"]])
    assert rows(body) == [["Item", "Load kg", "Price EUR"], ["Rope", "9", "4"]]
    assert rows(read("a.csv", "a;b;\n1;2;\n").body) == [["a", "b"], ["1", "2"]]


def test_a_name_of_a_column_may_be_missing_on_the_left() -> None:
    body = titled([["", "North", "South"], ["Eggs", "1", "2"], ["Milk", "2", "3"]])
    assert rows(body)[0] == ["", "North", "South"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a, b";c;d\n"x;1\ny";2,5;3,5\n', [["a, b", "c", "d"], ["x;1 y", "2,5", "3,5"]]),
        ("1,5;2,5\n3,5;4,5\n5,5;6,5\n", [["1,5", "2,5"], ["3,5", "4,5"], ["5,5", "6,5"]]),
        ("a,b,c,d,e\n1;x,2,3,4,5\n1;y,2,3,4,5\n", [["a", "b", "c", "d", "e"], ["1;x", "2", "3", "4", "5"], ["1;y", "2", "3", "4", "5"]]),
        ("\ufeffname\tprice\nRope\t2,5\n", [["name", "price"], ["Rope", "2,5"]]),
        ("sep=|\na|b\n1|2\n", [["a", "b"], ["1", "2"]]),
        ("id,name,x\n1,A\n2,C,D,E\n", [["id", "name", "x", ""], ["1", "A", "", ""], ["2", "C", "D", "E"]]),
        ("time|note\n10:30|a,b\n11:30|c,d\n", [["time", "note"], ["10:30", "a,b"], ["11:30", "c,d"]]),
        ("one column\nfoo\nbar: baz\n", [["one column"], ["foo"], ["bar: baz"]]),
        ('q;a\n"He said ""yes""; twice";5\n', [["q", "a"], ['He said "yes"; twice', "5"]]),
    ],
)  # fmt: skip
def test_delimited_text_is_cut_where_its_rows_agree(text: str, expected: list[list[str]]) -> None:
    assert rows(read("a.csv", text).body) == expected


def test_a_preamble_is_no_header() -> None:
    text = "Export of the depot\nBy: Ada, Bo\n\nid,name,shelf\n1,Rope,A\n2,Hook,B\n3,Sack,C\n"
    body = read("a.csv", text).body
    assert body.startswith("Export of the depot\n\nBy: Ada Bo\n\n| id | name | shelf |")


def test_rows_beyond_the_limit_are_counted() -> None:
    text = "id,name\n" + "".join(f"{n},x\n" for n in range(20_010))
    assert read("a.csv", text).left_out == ("11 rows after the first 20000",)
