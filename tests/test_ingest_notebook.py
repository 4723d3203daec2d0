"""Notebooks: text, code and what it printed; pictures are counted."""

import json

from ingest.parsing.text import Parsed
from tests.office_files import read


def notebook(*cells: dict[str, object], **about: object) -> Parsed:
    return read("a.ipynb", json.dumps({"cells": cells, "metadata": about}))


def code(source: str, *outputs: dict[str, object]) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": outputs}


def test_cells_and_what_they_printed_are_read() -> None:
    parsed = notebook(
        {"cell_type": "markdown", "source": ["# Tides\n", "\n", "Of the *north* quay."]},
        code("print(1)", {"output_type": "stream", "text": ["1\n", "\x1b[31m2\x1b[0m\n"]}),
        code("df", {"output_type": "execute_result", "data": {
            "text/plain": "ignored", "text/html": "<table><tr><th>Quay</th></tr><tr><td>North</td></tr></table>",
        }}),
        code("1/0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division", "traceback": []}),
        code("plot()", {"output_type": "display_data", "data": {"image/png": "x", "text/plain": "<Figure>"}}),
        {"cell_type": "raw", "source": "kept: raw"},
        language_info={"name": "R"},
    )  # fmt: skip
    for words in ("# Tides\n\nOf the *north* quay.", "```R\nprint(1)\n```\n\n```\n1\n2\n```", "North", "ZeroDivisionError: division", "kept: raw"):  # fmt: skip
        assert words in parsed.body
    assert "Figure" not in parsed.body and "ignored" not in parsed.body
    assert (parsed.title, parsed.left_out) == ("Tides", ("1 picture",))


def test_code_that_holds_fences_stays_code_and_old_notebooks_are_read() -> None:
    assert notebook(code('s = """\n```\nx\n```\n"""')).body.startswith("````python\n")
    old = {"worksheets": [{"cells": [{"cell_type": "heading", "level": 2, "source": "Old"}, {"cell_type": "code", "input": "x = 1", "outputs": []}]}]}  # fmt: skip
    assert read("a.ipynb", json.dumps(old)).body == "## Old\n\n```python\nx = 1\n```"
