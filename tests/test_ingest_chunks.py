"""Splitting: chunks follow headings, fit the window, and keep tables and code readable."""

from ingest.parsing import text
from ingest.parsing.text import Parsed
from ingest.splitting import chunks as split
from ingest.splitting import naming, sections
from store.records import Chunk
from tests.fakes import HashEmbedder

ENCODER = HashEmbedder()
WINDOW = 60


def chunks(body: str, *, window: int = WINDOW, url: str | None = "u") -> tuple[Chunk, ...]:
    return of(text.markdown(body.encode("utf-8", "surrogatepass")), window=window, url=url)


def of(parsed: Parsed, *, window: int = WINDOW, url: str | None = "u") -> tuple[Chunk, ...]:
    title = split.fit_title(naming.title_of(parsed, "a/page.md"), ENCODER.count, window)
    pieces = sections.sections(parsed, title)
    found = tuple(split.split(pieces, title, url, count=ENCODER.count, window=window))
    for chunk in found:
        whole = split.embedded(title, chunk.heading, chunk.body)
        assert ENCODER.count([whole])[0] <= window - split.SPECIAL_TOKENS
    return found


def words(number: int, word: str = "word") -> str:
    return " ".join([word] * number)


def test_each_heading_begins_a_chunk_with_its_path() -> None:
    found = chunks(
        f"# T\n\n{words(40, 'a')}\n\n## B\n\n{words(45, 'b')}\n\n### C\n\n{words(35, 'c')}"
    )
    assert [chunk.heading for chunk in found] == ["", "B", "B > C"]
    assert [chunk.body[0] for chunk in found] == ["a", "b", "c"]
    assert [chunk.position for chunk in found] == [0, 1, 2]


def test_links_lead_to_the_heading_as_github_names_it() -> None:
    found = chunks(
        f"# T\n\n## What's `new`, *here*?\n\n{words(35)}\n\n## Own {{#mine}}\n\n{words(35)}\n\n"
        f"## Twice\n\n{words(35)}\n\n## Twice\n\n{words(35)}"
    )
    anchors = [str(chunk.url).split("#")[1] for chunk in found]
    assert anchors == ["whats-new-here", "mine", "twice", "twice-1"]
    assert found[0].heading == "What's new, here?"


def test_without_a_link_there_is_none() -> None:
    assert chunks("# T\n\ntext", url=None)[0].url is None


def test_a_body_is_verbatim() -> None:
    body = "Some *marked* text\nover two lines, with [a link](https://x.org).\n\n- a\n- b"
    assert chunks(f"# T\n\n{body}\n")[0].body == body


def test_addresses_of_links_are_not_encoded() -> None:
    whole = split.embedded("T", "", "see [the page](https://x.org/long) and ![pic](a.png)")
    assert whole == "T\n\nsee the page and pic"


def test_a_long_section_is_cut_between_sentences() -> None:
    body = " ".join(f"Sentence {n} has these words." for n in range(40))
    found = chunks(f"# T\n\n{body}")
    assert len(found) > 3
    assert all(chunk.body.endswith(".") and chunk.body.startswith("Sentence") for chunk in found)
    assert "".join(chunk.body.replace(" ", "") for chunk in found) == body.replace(" ", "")


def test_a_table_keeps_its_header_with_each_part() -> None:
    rows = "\n".join(f"| {n} | value {n} |" for n in range(30))
    found = chunks(f"# T\n\n| a | b |\n|---|---|\n{rows}\n")
    assert len(found) > 2
    assert all(chunk.body.startswith("| a | b |\n|---|---|\n| ") for chunk in found)
    assert sum(chunk.body.count("value") for chunk in found) == 30


def test_code_stays_whole_where_it_fits_and_fenced_where_not() -> None:
    whole = "```sh\nmake up\n\n# not a heading\n```"
    assert whole in chunks(f"# T\n\n{words(50)}\n\n{whole}\n")[1].body
    lines = "\n".join(f"line {n}" for n in range(60))
    found = chunks(f"# T\n\n```py\n{lines}\n```\n")
    assert len(found) > 1
    assert all(c.body.startswith("```py\n") and c.body.endswith("\n```") for c in found)


def test_a_heading_never_stands_alone() -> None:
    found = chunks(f"# T\n\n## Empty\n\n### Full\n\n{words(35)}\n\n## Last")
    assert [(chunk.heading, chunk.body) for chunk in found] == [("Empty > Full", words(35))]


def test_tiny_neighbours_share_a_chunk_under_their_parent() -> None:
    found = chunks("# T\n\n## Contacts\n\n### Ann\n\nRoom 1\n\n### Bob\n\nRoom 2\n")
    assert [(chunk.heading, chunk.body) for chunk in found] == [
        ("Contacts", "### Ann\n\nRoom 1\n\n### Bob\n\nRoom 2")
    ]


def test_what_introduces_a_list_stays_with_it() -> None:
    items = "\n".join(f"- item number {n}" for n in range(8))
    found = chunks(f"# T\n\n{words(30)}\n\nYou need:\n\n{items}")
    assert found[1].body.startswith("You need:\n\n- item")


def test_the_title_is_the_documents_own_its_first_heading_or_its_name() -> None:
    assert naming.title_of(Parsed("# A *b*\n", title="Own"), "x.md") == "Own"
    assert naming.title_of(Parsed("text\n\n# A *b* {#c}\n"), "x.md") == "A b"
    assert naming.title_of(Parsed("Head\n====\n"), "x.md") == "Head"
    assert naming.title_of(Parsed("```sh\n# no\n```\n\n# Yes\n"), "x.md") == "Yes"
    assert naming.title_of(Parsed("## Sheet1\n\n## Sheet2\n"), "pay rates.xlsx") == "Pay rates"
    assert naming.title_of(Parsed("text\n\n# A\n\n# B\n"), "agenda.docx") == "Agenda"
    assert naming.title_of(Parsed("text"), "a/pay_day-2.md") == "Pay day 2"
    assert naming.title_of(Parsed("text"), "people-ops/README.md") == "People ops"


def test_pages_of_a_pdf_are_linked() -> None:
    found = of(Parsed("first page\f\fthird page", title="T", anchors="page"))
    assert [(c.heading, c.url) for c in found] == [("Page 1", "u#page=1"), ("Page 3", "u#page=3")]


def test_links_into_a_web_page_lead_to_the_ids_that_it_gives_its_headings() -> None:
    named = (("Use it ¶", "use"), ("Menu", "menu"), ("Use it", "use-2"))
    body = f"# T\n\n{words(35)}\n\n" + "\n\n".join(
        f"## {heading}\n\n{words(35)}" for heading in ("Use *it*", "Own", "Use it")
    )
    found = of(Parsed(body, title="T", named=named))
    assert [chunk.url for chunk in found] == ["u", "u#use", "u", "u#use-2"]


def test_headings_reach_over_the_pieces_of_a_large_text() -> None:
    parsed = Parsed(
        f"# T\n\n## A\n\n{words(35)}",
        anchors="heading",
        more=(f"{words(35, 'more')}\n\n### B", f"{words(35)}\n\n## A\n\n{words(35)}"),
    )
    found = of(parsed)
    assert [chunk.heading for chunk in found] == ["A", "A", "A > B", "A"]
    assert [str(chunk.url) for chunk in found] == ["u#a", "u#a", "u#b", "u#a-1"]
    assert [chunk.position for chunk in found] == [0, 1, 2, 3]


def test_plain_text_is_cut_at_paragraphs_and_never_read_as_markdown() -> None:
    body = f"# not a heading\n\n{words(30)}\n\n{words(30)}"
    found = of(Parsed(body, title="T", is_plain=True))
    assert [chunk.heading for chunk in found] == ["", ""]
    assert found[0].body.startswith("# not a heading")


def test_monstrous_texts_still_fit() -> None:
    monsters = [
        "x" * 100_000,
        words(5_000),
        f"# {words(500)}\n\n## {words(500)}\n\ntext",
        "| " + " | ".join("cell" for _ in range(300)) + " |\n" + "|---" * 300 + "|\n| x |",
        "```\n" + "y " * 3_000,
        "[" * 5_000,
        "> " * 500 + "deep",
    ]
    for monster in monsters:
        assert of(Parsed(f"intro\n\n{monster}", title="T"))


def test_the_same_text_has_the_same_hash_wherever_it_stands() -> None:
    first, second = chunks("# T\n\ntext", url="u"), chunks("# T\n\ntext", url="other")
    assert first[0].text_hash == second[0].text_hash
    assert first[0].text_hash != chunks("# Other\n\ntext")[0].text_hash


def test_a_short_opening_goes_with_the_first_section_as_it_is_written() -> None:
    text = (
        f"# T\n\nWhat this page is about.\n\n## B\n\n{words(20, 'b')}\n\n## C\n\n{words(35, 'c')}"
    )
    found = chunks(text)
    assert [chunk.heading for chunk in found] == ["B", "C"]
    assert found[0].body in text


def test_what_front_matter_tells_stands_with_the_opening_of_the_page() -> None:
    (found,) = chunks("---\nowner: Ann\n---\n# T\n\nOpening words.\n\n## B\n\nMore words.")
    assert found.body == "Owner: Ann\n\nOpening words.\n\n## B\n\nMore words."
