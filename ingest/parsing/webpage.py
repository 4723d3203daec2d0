"""Web pages: their text as Markdown, without menus, footers and boxes that ask for consent.

Knows nothing about where a page came from.
"""

import codecs
import re
from typing import Any

from ingest.entries import Unreadable
from ingest.parsing import titles, web_dates
from ingest.parsing.text import Parsed, decode
from ingest.parsing.web_clutter import Clutter
from ingest.parsing.web_text import Text, text_of

LEAST = 10  # letters and digits: with fewer kept, menus, headers and footers are taken as well
MOUNTED = 40  # letters and digits, beside an element for a script to fill
SCRIPTED = 200  # letters and digits below which a page may only say that it needs a script
HEAD_BYTES = 1_000_000  # in which a page's own word on its charset is looked for

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CHARSET = re.compile(rb"<meta\b[^>]{1,500}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]{1,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})")
_HEAD_END = re.compile(rb"</head\b|<body\b", re.IGNORECASE)
_IN_TEXT = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
# What the web means by these names, by the WHATWG's standard on encodings.
_MEANT = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252",
    "us-ascii": "cp1252", "windows-1252": "cp1252", "iso8859-1": "cp1252", "iso-8859-9": "cp1254",
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "korean": "cp949", "big5-hkscs": "big5hkscs",
    "tis-620": "cp874", "iso-8859-11": "cp874", "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "unicode": "utf-16",
}  # fmt: skip
_NO_CHARSETS = {"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}

_NEEDS_SCRIPT = re.compile(
    r"(?:enable|activate|turn on|requires?|needs?|without|aktivier\w*|activer|habilit\w*)\W{1,3}"
    r"(?:\w+\W{1,3}){0,3}javascript|javascript\W{1,3}(?:\w+\W{1,3}){0,4}"
    r"(?:enabled?|disabled|required|aktivier|activ|habilit)",
    re.IGNORECASE,
)
_LOADING = re.compile(
    r"\W*(?:loading|please wait|wird geladen|chargement|cargando)\W*", re.IGNORECASE
)
_MOUNTS = {
    "root",
    "app",
    "__next",
    "__nuxt",
    "react-root",
    "app-root",
    "svelte",
    "main-app",
    "q-app",
}
_SPLIT = re.compile(r"(?<!\s)\s+(?:[|·•»›~]|::|[-–—])\s+|(?:(?<!\s)\s+)?[|]\s*")


def page(data: bytes) -> Parsed:
    """Read a page as it lies on a server; raises Unreadable when only a script makes its text."""
    html = decode_html(data)
    tree = _tree(html)
    if tree is None:
        return Parsed("")
    parsed, letters = _read(tree)
    if letters <= SCRIPTED and _is_made_by_script(tree, parsed.body):
        raise Unreadable(
            "A script in the browser makes this page: there is no text in the page itself."
            " Export its text, or name the source that it comes from."
        )
    return parsed


def read(html: str) -> Parsed:
    """Give the text of a page, or of a piece of one, with its own title and date."""
    tree = _tree(html)
    return Parsed("") if tree is None else _read(tree)[0]


def decode_html(data: bytes, charset: str | None = None) -> str:
    """Turn a page's bytes into text by its byte order mark, `charset` as its server gave it, what
    the page says itself, or by guessing."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    named = _known(charset) or _known(_own_charset(data))
    if named is None or named == "utf-8":
        return decode(data)
    if named in ("cp1252", "utf-16"):
        # The names that servers and tools give without looking: the bytes know better.
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return decode(data) if named == "utf-16" else data.decode(named, "replace")
    return data.decode(named, "replace")


def charset_of(media_type: str | None) -> str | None:
    """Give the charset that a media type names, as Python calls it; None when it is not known."""
    found = _IN_TEXT.search(media_type or "")
    return _known(found.group(1)) if found else None


def _own_charset(data: bytes) -> str | None:
    """Give what a page's head says, wherever in it that stands, but in no comment."""
    head = data[:HEAD_BYTES]
    first, *others = head.split(b"<!--")
    head = first + b"".join(part.partition(b"-->")[2] for part in others)
    end = _HEAD_END.search(head)
    found = _XML.match(head) or _CHARSET.search(head, 0, end.start() if end else len(head))
    return found.group(1).decode("ascii", "replace") if found else None


def _known(charset: str | None) -> str | None:
    try:
        name = codecs.lookup(_MEANT.get((charset or "").lower(), charset or "")).name
        b"".decode(name)
    except (LookupError, ValueError):
        return None
    return None if name in _NO_CHARSETS else name


def _tree(html: str) -> Any:
    from lxml import etree
    from lxml import html as parsers

    parser = parsers.HTMLParser(
        encoding="utf-8", recover=True, no_network=True, huge_tree=True, remove_blank_text=False
    )
    # As bytes: a declaration of another encoding in the text would be believed.
    data = html.replace("\x00", "").encode("utf-8", "replace")
    try:
        tree = etree.fromstring(data, parser) if data.strip() else None
    except (etree.ParserError, etree.XMLSyntaxError):
        tree = None
    if any("depth" in error.message for error in parser.error_log):
        raise Unreadable("Its elements stand too deep within each other to be read whole.")
    return tree


def _read(tree: Any) -> tuple[Parsed, int]:
    """Give a page's text, and how many letters and digits that is."""
    root = next(tree.iter("body"), tree)
    clutter = Clutter(root)
    found = text_of(root, clutter.passes_over)
    for level, least in ((1, LEAST), (0, 1)):
        if _letters(found.body) < least:
            clutter.level = level
            found = text_of(root, clutter.passes_over)
    left_out = tuple(f"{n} {what}{'s' if n > 1 else ''}" for what, n in found.left_out.items())
    when = web_dates.stated(tree, _seen(root))
    title = _title(tree, found)
    return Parsed(found.body, title, when, named=found.named, left_out=left_out), _letters(
        found.body
    )


def _seen(root: Any) -> str:
    """Give the words of a page, the footer's too, where many state their date."""
    texts = (
        e.text for e in root.iter() if isinstance(e.tag, str) and e.tag not in ("script", "style")
    )
    tails = (e.tail for e in root.iter())
    words = " ".join(part for pair in zip(texts, tails, strict=False) for part in pair if part)
    return words


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _title(tree: Any, found: Text) -> str | None:
    """Give a page's title without the name of its site."""
    metas = {str(m.get("property") or m.get("name")): m.get("content") for m in tree.iter("meta")}
    named = _words(next((t.text or "" for t in tree.iter("title")), ""))
    shown = _words(metas.get("og:title") or "")
    site = _words(metas.get("og:site_name") or metas.get("application-name") or "").lower()
    heading = titles.beginning(found.body)
    tops = re.findall(r"^# (.+)$", found.body, re.MULTILINE)
    heading = tops[0] if tops and (len(set(tops)) == 1 or found.body.startswith("# ")) else heading
    for title in (shown, named):
        parts = _SPLIT.split(title)
        if heading and len(parts) > 1 and heading.lower() in map(str.lower, parts):
            return heading.strip("¶ ")
        if site and len(parts) > 1 and site in (parts[0].lower(), parts[-1].lower()):
            short = title[len(parts[0]) :] if parts[0].lower() == site else title[: -len(parts[-1])]
            title = re.sub(r"^[\s|·•»›~:–—-]+|[\s|·•»›~:–—-]+$", "", short)
        if title:
            chosen = titles.chosen(title, heading if tops else None)
            return chosen.strip("¶ ") if chosen else None
    return heading.strip("¶ ") if heading and tops else None


def _words(text: str) -> str:
    return " ".join(text.split())


def _is_made_by_script(tree: Any, body: str) -> bool:
    """Tell whether a page with hardly any text is one that a script fills in the browser."""
    if next(tree.iter("script"), None) is None and "javascript" not in body.lower():
        return False
    if _NEEDS_SCRIPT.search(body) or _LOADING.fullmatch(body):
        return True
    if _letters(body) > MOUNTED:
        return False
    asked = any(_NEEDS_SCRIPT.search("".join(e.itertext())) for e in tree.iter("noscript"))
    is_empty = any((e.get("id") or "") in _MOUNTS or "-root" in str(e.tag) for e in tree.iter())
    return asked or is_empty
