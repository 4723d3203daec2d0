"""Web pages: the main text as Markdown, without menus and footers.

Knows nothing about where a page came from.
"""

import re
from datetime import date

from ingest.text import Parsed, decode, parse_date

# Of a page's visible text at least this share is expected in its main text; less means that
# the page is no article (a table, a form), and all of it is taken.
LEAST_SHARE = 0.25
SMALL_PAGE = 400  # characters of visible text below which all of it is taken

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?\s*([\w-]+)", re.IGNORECASE)


def read(html: str) -> Parsed:
    """Give a page's main text, with its own title and date."""
    import trafilatura

    whole = _whole(html)
    main = trafilatura.extract(
        html,
        output_format="markdown",
        include_tables=True,
        include_links=True,
        include_formatting=True,
        favor_recall=True,
    )
    # The date of change, as the page states it: one guessed from the text could make old pages win.
    dating = {
        "original_date": False,
        "extensive_search": False,
        "max_date": date.today().isoformat(),
    }
    about = trafilatura.extract_metadata(html, extensive=False, date_config=dating)
    visible = len(re.sub(r"[\W_]+", "", whole))
    kept = len(re.sub(r"[\W_]+", "", main or ""))
    body = whole if not main or len(whole) < SMALL_PAGE or kept < LEAST_SHARE * visible else main
    title = about.title if about else None
    if body is main and title and not re.search(r"^# ", body, re.MULTILINE):
        body = f"# {title}\n\n{body}"
    return Parsed(body, title, parse_date(about.date) if about else None)


def decode_html(data: bytes) -> str:
    """Turn a page's bytes into text by its byte order mark, its meta tag, or by guessing."""
    named = _CHARSET.search(data[:4096])
    if named and not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        try:
            return data.decode(named.group(1).decode("ascii"), "replace")
        except LookupError:
            pass
    return decode(data)


def _whole(html: str) -> str:
    import io

    from markitdown import StreamInfo
    from markitdown.converters import HtmlConverter

    info = StreamInfo(extension=".html", charset="utf-8")
    stream = io.BytesIO(html.encode("utf-8", "replace"))
    return str(HtmlConverter().convert(stream, info).markdown)
