"""Web pages: what a visitor reads comes in, menus and consent boxes do not, and structure stays."""

from datetime import UTC, datetime

import pytest

from ingest.entries import Content, Unreadable
from ingest.parsing import parse, webpage
from ingest.parsing.text import Parsed

CONSENT = "We use cookies and similar techniques to remember choices and to count visits. " * 4
LONG = "The quay is swept by the night shift, which writes down what it finds. " * 12
NUMBERED = (
    "<pre class='language-py'><span class='line'><span class='ln'>1</span>a = 1</span>"
    "<span class='line'><span class='ln'>2</span>  b = 2</span></pre>"
)
TWO_COLUMNS = (
    "<table class='highlighttable'><tr><td class='linenos'><pre>1\n2</pre></td>"
    "<td class='code'><pre class='language-py'>a = 1\n  b = 2\n</pre></td></tr></table>"
)


def page(body: str, head: str = "") -> Parsed:
    return webpage.page(f"<html><head>{head}</head><body>{body}</body></html>".encode())


def body(html: str) -> str:
    return page(html).body


@pytest.mark.parametrize(
    "box",
    [
        f'<div id="cookie-consent" class="x"><h2>Your privacy</h2><p>{CONSENT}</p><button>OK</button></div>',
        '<div class="cookie-banner"><p>We use cookies</p><a href="#" class="x">Accept all</a></div>',
        f'<section class="cmplz-box"><p>{CONSENT}</p><button>Deny</button></section>',
        f'<div class="modal fade"><p>{CONSENT}</p><button>Alle akzeptieren</button></div>',
        f'<div><div><p>{CONSENT}</p></div><div><a class="btn" href="#">Accept all</a></div></div>',
        f'<div role="dialog" class="privacy-banner"><p>{CONSENT}</p><input type="submit" value="Agree"></div>',
    ],
)  # fmt: skip
def test_a_box_that_asks_for_consent_does_not_replace_a_short_page(box: str) -> None:
    for html in (
        f"{box}<main><h1>Quay</h1><p>Open at six.</p></main>",
        f"<p>Open at six.</p>{box}",
    ):
        found = body(html)
        assert "Open at six." in found and "cookies" not in found


def test_a_page_about_cookies_is_a_page() -> None:
    html = f'<main class="cookie-policy"><h1>Cookies</h1><p>{CONSENT}</p></main><button>Accept</button>'
    assert "similar techniques" in body(html)
    html = f'<h1>Guide</h1><section id="cookie-banner"><h2>Cookie banner</h2><p>{CONSENT}</p></section>'
    assert "## Cookie banner" in body(html) and "similar techniques" in body(html)


def test_menus_and_frames_go_and_headers_of_texts_stay() -> None:
    html = (
        "<header><a href='/'>Harbour</a> <p>Slogan</p></header><nav><a href='/a'>Start</a></nav>"
        "<div class='sidebar'><ul><li><a href='/b'>Other page</a></li></ul></div>"
        f"<article><header><p>By the harbour office</p></header><p>{LONG}</p>"
        "<footer>Note of the author</footer></article><footer>Imprint</footer>"
    )
    found = body(html)
    assert "By the harbour office" in found and "Note of the author" in found
    assert not any(word in found for word in ("Slogan", "Start", "Other page", "Imprint"))


def test_a_page_that_is_all_header_or_menu_is_read_all_the_same() -> None:
    assert "The bridge is closed" in body(
        "<header><p>The bridge is closed on Monday from nine to noon for paint.</p></header>"
    )
    assert "Eel" in body(
        "<footer><p>Eel nets hang in the shed behind the lock, number five.</p></footer>"
    )


def test_panels_that_something_shows_are_read_under_their_names() -> None:
    found = body(
        "<details><summary>Dogs?</summary><p>On a lead.</p></details>"
        "<h3><button aria-expanded='false'>Bikes?</button></h3>"
        "<div aria-hidden='true' style='display:none'><p>On deck.</p></div>"
        "<ul role='tablist'><li role='tab' aria-controls='t1'>Spring</li><li role='tab' aria-controls='t2'>"
        "Winter</li></ul><div role='tabpanel' id='t1'>At six.</div>"
        "<div role='tabpanel' id='t2' hidden>At nine.</div><button>Copy</button>"
    )
    assert found == (
        "**Dogs?**\n\nOn a lead.\n\n### Bikes?\n\nOn deck.\n\n**Spring**\n\nAt six.\n\n**Winter**\n\nAt nine."
    )


def test_asides_and_text_without_any_structure_are_read() -> None:
    assert "tides" in body(f"<main><p>{LONG}</p><aside><p>Mind the tides.</p></aside></main>")
    assert body("<div><div>One line.</div>Two.<div>Eels<br>at night</div></div>") == (
        "One line.\n\nTwo.\n\nEels\nat night"
    )


def test_tables_are_resolved_and_named() -> None:
    found = body(
        "<table><caption>Fares</caption><thead><tr><th>Zone</th><th colspan=2>Fare</th></tr>"
        "<tr><th></th><th>Adult</th><th>Child</th></tr></thead><tr><td rowspan=2>A</td><td>5</td>"
        "<td>3 | 4</td></tr><tr><td>6</td><td><table><tr><td>hot</td><td>1</td></tr></table></td></tr></table>"
    )
    assert found == (
        "Fares\n\n| Zone | Fare Adult | Fare Child |\n| --- | --- | --- |\n"
        "| A | 5 | 3 \\| 4 |\n| A | 6 | hot: 1 |"
    )
    assert body(
        "<table><tr><th>Mate</th><td>Second</td></tr><tr><th>Cook</th><td>Third</td></tr></table>"
    ) == ("- Mate: Second\n- Cook: Third")


def test_a_table_that_arranges_the_page_is_no_table() -> None:
    found = body(f"<table><tr><td>Left</td><td><h2>Rules</h2><p>{LONG}</p></td></tr></table>")
    assert found.startswith("Left\n\n## Rules\n\nThe quay")


def test_terms_stand_before_what_is_said_about_them() -> None:
    found = body(
        "<dl><dt>Bow</dt><dd>The front.</dd><dt>Stern</dt><dt>Aft</dt><dd><p>The back.</p><p>Also rear.</p></dd>"
        "<dt>Keel</dt><dd><ul><li>below</li></ul></dd><dt>Mast</dt></dl>"
    )
    assert found == (
        "**Bow:** The front.\n\n**Stern, Aft:** The back.\n\nAlso rear.\n\n**Keel:**\n\n- below\n\n**Mast:**"
    )


@pytest.mark.parametrize(
    "html",
    [
        "<pre><code class='language-py'>a = 1\n  b = 2</code></pre>",
        "<pre class='language-py'>a = 1<br>  b = 2</pre>",
        "<pre><code class='lang-py'><div>a = 1</div><div>  b = 2</div></code></pre>",
        NUMBERED,
        TWO_COLUMNS,
    ],
)
def test_lines_of_code_stay_lines_without_their_numbers(html: str) -> None:
    assert body(html) == "```py\na = 1\n  b = 2\n```"


def test_code_in_tables_of_lines_keeps_its_indentation() -> None:
    row = "<tr><td class='hljs-ln-numbers' data-line-number='{0}'>{0}</td><td>{1}</td></tr>"
    rows = row.format(1, "def f():") + row.format(2, "    return 3")
    assert body(f"<table class='hljs-ln'>{rows}</table>") == "```\ndef f():\n    return 3\n```"
    assert body("<p>Run</p><code>up<br>down</code>") == "Run\n\n```\nup\ndown\n```"


def test_lists_links_pictures_powers_and_signs() -> None:
    found = body(
        "<ol start=3><li>Third<ul><li>sub</li></ul></li><li><p>Fourth</p></li></ol>"
        "<p>Area 10<sup>3</sup> m<sup>2</sup>, H<sub>2</sub>O: <code>a&lt;b&gt;</code>, &lt;your-token&gt;,"
        " <a href='/x'>the <b>link</b></a>, <a href='javascript:x()'>no link</a>.</p>"
        "<p><img src='a.png' alt='A map of the quay'><img src='b.png'></p>"
    )
    assert found == (
        "3. Third\n   - sub\n4. Fourth\n\nArea 10³ m², H2O: `a<b>`, \\<your-token>, [the **link**](/x),"
        " no link.\n\n![A map of the quay](a.png)"
    )


def test_headings_keep_where_links_lead_to() -> None:
    found = page("<h2 id='pay'>Pay<a class='headerlink' href='#pay'>¶</a></h2><p>Monthly.</p>")
    assert found.named == (("Pay", "pay"),) and found.body.startswith("## Pay\n")


@pytest.mark.parametrize(
    "html",
    [
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id='root'></div><script></script>",
        "<div id='app'><p>Loading...</p></div><script src='a.js'></script>",
        "<app-root></app-root><script src='main.js'></script>",
        "<p>This site requires JavaScript.</p><script>x</script>",
        "<div>Bitte aktivieren Sie JavaScript.</div><script>x</script><div id='root'></div>",
    ],
)
def test_a_page_that_a_script_makes_is_said_to_be_one(html: str) -> None:
    with pytest.raises(Unreadable, match="script") as error:
        page(html)
    assert not error.value.is_skip


def test_a_short_page_with_a_script_is_read() -> None:
    assert body("<p>Open at six.</p><script>count()</script>") == "Open at six."
    assert "JavaScript" in body(
        f"<p>{LONG}</p><p>Enable JavaScript to see comments.</p><script>x</script>"
    )


def test_what_is_embedded_from_elsewhere_is_said_to_be_missing() -> None:
    html = "<p>Map:</p><iframe src='https://maps.example/'></iframe><video></video><video></video>"
    assert page(html).left_out == ("1 embedded page", "2 videos")


@pytest.mark.parametrize(
    ("head", "html", "expected"),
    [
        ("<title>Ferry | Harbour office</title>", "<h1>Ferry</h1><p>x</p>", "Ferry"),
        ("<title>Harbour - Ferry</title><meta property='og:site_name' content='Harbour'>", "x", "Ferry"),
        ("<title>Home</title>", "<h1>Ferry rules</h1><p>x</p>", "Ferry rules"),
        ("<meta property='og:title' content='Ferry – rules and fares'>", "<p>x</p>", "Ferry – rules and fares"),
        ("<title>Ferry: rules</title>", "<p>x</p>", "Ferry: rules"),
        ("", "<h1>Ferry</h1><p>x</p>", "Ferry"),
        ("", "<p>x</p>", None),
    ],
)  # fmt: skip
def test_a_title_comes_without_the_name_of_the_site(
    head: str, html: str, expected: str | None
) -> None:
    assert page(html, head).title == expected


@pytest.mark.parametrize(
    ("head", "html"),
    [
        ("<meta property='article:modified_time' content='2024-03-02T00:00:00Z'>", "<time datetime='2020-01-01'>"),
        ("<script type='application/ld+json'>{\"@graph\": [{\"dateModified\": \"2024-03-02\"}]}</script>", "x"),
        ("", "<p>x</p><footer>Last updated: 2 March 2024</footer>"),
        ("", "<p>x</p><p>Last modified on <b>March 2nd, 2024</b> by the office</p>"),
        ("", "<p>Zuletzt geändert am 02.03.2024</p>"),
        ("", "<p>Dernière mise à jour : 2 mars 2024</p>"),
        ("", "<p>x <time datetime='2024-03-02'>yesterday</time></p>"),
        ("<meta name='date' content='2099-01-01'>", "<p>Page was last edited on 2024-03-02.</p>"),
    ],
)  # fmt: skip
def test_the_date_is_the_one_that_the_page_states(head: str, html: str) -> None:
    assert page(html, head).updated_at == datetime(2024, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "html",
    [
        "<p>The lock was built on 2 March 1884.</p>",
        "<p>Updated: often</p>",
        "<p>On 2024-03-02.</p>",
    ],
)
def test_a_date_in_the_text_is_not_the_date_of_the_page(html: str) -> None:
    assert page(html).updated_at is None


def test_the_charset_is_found_wherever_it_is_named() -> None:
    late = f"<html><head><!-- {'x' * 9000} <meta charset=utf-8> --><meta charset='windows-1251'>".encode()
    assert "Баня" in webpage.decode_html(late + "<p>Баня".encode("cp1251"))
    xml = '<?xml version="1.0" encoding="koi8-r"?><p>Шлюз</p>'.encode("koi8-r")
    assert "Шлюз" in webpage.decode_html(xml)
    assert "Crêpe" in webpage.decode_html("<meta charset='iso-8859-1'><p>Crêpe".encode())
    assert "Käthe" in webpage.decode_html("\ufeff<p>Käthe".encode("utf-16-le"), "koi8-r")
    assert "Kä" in webpage.decode_html("<meta charset='utf-7'><p>Kä".encode())


@pytest.mark.parametrize("charset", ["koi8-r", "ibm866", "Windows-1251", '"iso-8859-5"'])
def test_the_charset_that_the_server_names_reaches_the_reader(charset: str) -> None:
    data = "<meta charset='utf-8'><p>Ключ от шлюза висит у Марфы.</p>".encode(charset.strip('"'))
    content = parse.recoded(Content(data, "lock", f"text/html; charset={charset}"))
    assert webpage.page(content.data).body == "Ключ от шлюза висит у Марфы."


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<b>", "<meta ", "<!--", "<ul><li>x", "<table><tr><td>x", "<h1>x", "<code>`", "&amp", "<br>",
     "<button>Accept", "<header>x", "<div class='cookie-banner'>x<button>y</button>", "last updated ", "<p> "],
)  # fmt: skip
def test_what_is_repeated_without_end_is_read_or_refused(piece: str) -> None:
    """How long it takes is measured elsewhere: here it has to come to an end."""
    try:
        webpage.page((piece * 4_000).encode())
    except Unreadable as error:
        assert "too deep" in str(error)
