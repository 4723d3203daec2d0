"""Markdown is read as its published page is: markup goes when it is proven, everything else stays."""

import pytest

from ingest.parsing.markup import tidy


@pytest.mark.parametrize(
    "text",
    [
        "Write `${{ secrets.KEY }}` or ``{% if x %}``.",
        "Code:\n\n    env: ${{ secrets.KEY }}\n    <!-- kept -->\n    <b>kept</b>",
        "```\n{{ site.kept }} {% raw %}\n```",
        "A remark begins with `<!--` in HTML.\n\n## Next\n\nMore.",
        "A remark begins with <!-- in HTML.\n\n## Next\n\nMore.",
        "<!-- never closed\n\n## Next\n\nMore.",
        "Open with {{ in one.\n\nClose with }} in another.",
        "Ansible says {{ user_name }}, Helm {{ .Values.image }}, Actions ${{ github.sha }}.",
        "Put <your-token> and <name> here, 3 < 4 > 2.",
        "<instance>\nstands alone",
        "{% unheard_of tag %} and {%",
        "import antigravity is a joke",
        "Sets {a, b} and {#if x} and {:else}",
        "<https://example.org/{{page}}>",
    ],
)
def test_what_is_not_proven_to_be_markup_stays(text: str) -> None:
    assert tidy(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a <!-- one\ntwo --> b", "a  b"),
        ("> a <!-- one\n> two --> b", "> a  b"),
        ("a {{ site.name }}b{{ page.title | upcase }}", "a b"),
        ("{% raw %}{{ site.x }}{% endraw %}", "{{ site.x }}"),
        ("a {% comment %} b\n\nc {% endcomment %}d", "a d"),
        ('{{< figure src="a.png" caption="The plan" >}}', "**The plan**\n"),
        ('see [it]({{< ref "/leave" >}})', "see [it](/leave)"),
        ("## Head {#here}", "## Head {#here}"),
        ("an item {#here}", "an item"),
        ("[[_TOC_]]\n\ntext", "\n\ntext"),
        ("a<br>b<br/>", "a\nb"),
        ("| a<br>b | c |\n|---|---|\n| `<br>` | d |", "| a b | c |\n|---|---|\n| `<br>` | d |"),
        ("<kbd>Ctrl</kbd>+<kbd>C</kbd>", "Ctrl+C"),
        ("x <table><tr><td>5</td><td>120</td></tr></table> y", "x   5  120   y"),
        ("<a href='u'>t</a> <a id='x'></a>", "[t](u) "),
        ('<img src="a b.png" alt="Plan">', "![Plan](a%20b.png)"),
        ("a <code>{{ page.x }}</code>", "a `{{ page.x }}`"),
        ("[t][one] and [one]\n\n[one]: u 'T'", '[t](u "T") and [one](u "T")\n\n[one]: u \'T\''),
        ("import A from '@site/a';\n\ntext", "\n\ntext"),
    ],
)
def test_markup_is_read_as_the_page_shows_it(text: str, seen: str) -> None:
    assert tidy(text) == seen


def lines(text: str) -> list[str]:
    return [line for line in tidy(text).split("\n") if line.strip()]


def test_notes_of_all_kinds_become_text() -> None:
    assert lines(":::tip[Take care]\ntext\n:::") == ["**Take care**", "text"]
    nested = (
        '!!! note "Mind"\n    one\n\n    ```\n    {{ page.x }}\n    ```\n\n    ??? tip\n        two'
    )
    assert lines(nested) == ["**Mind**", "one", "```", "{{ page.x }}", "```", "**Tip**", "two"]
    assert lines("!!! note\n\nnot indented")[0] == "!!! note"


def test_details_and_tabs_show_what_is_in_them() -> None:
    page = "<details>\n<summary>More</summary>\n\nInner *text*\n\n</details>"
    assert lines(page) == ["**More**", "Inner *text*"]
    tabs = '<Tabs>\n<TabItem value="a" label="Linux">\n\nmake\n\n</TabItem>\n</Tabs>'
    assert lines(tabs) == ["**Linux**", "make"]


def test_html_tables_become_tables_with_their_spans_resolved() -> None:
    table = (
        "<table>\n<tr><th>Room</th><th>Key</th></tr>\n\n"
        "<tr><td rowspan='2'>Attic</td><td>brass</td></tr>\n<tr><td>steel | new</td></tr>\n</table>\nEnd"
    )
    assert lines(table) == [
        "| Room | Key |", "| --- | --- |", "| Attic | brass |", "| Attic | steel \\| new |", "End",
    ]  # fmt: skip


def test_html_lists_links_and_code() -> None:
    html = "<ul><li>a<ul><li>b</li></ul></li><li><a href='u'>c</a></li></ul>\n<pre>x\n  {{ page.y }}</pre>"
    assert lines(html) == ["- a", "   - b", "- [c](u)", "```", "x", "  {{ page.y }}", "```"]
