"""What a web page or a sitemap says to a crawler: where it leads, and whether it wants to be read.

Knows nothing about requests. Runs in the parser's child, since it reads strangers' text.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

MOST_LINKS = 20_000
LONGEST_LINK = 2_000  # characters
MOST_SITEMAP = 100_000_000  # bytes, unpacked
MOST_PAGES = 100_000  # of one sitemap (its own limit is 50,000)

Said = dict[str, object]


def page(data: bytes, address: str) -> Said:
    """Give `links`, `canonical`, `robots` (words such as noindex), `password` (whether it asks for
    one), `letters` that it shows, and `gist`, which pages share that differ in numbers only."""
    from lxml import etree

    from ingest.parsing.webpage import decode_html

    html = decode_html(data).replace("\x00", "").encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", recover=True, no_network=True, huge_tree=True)
    tree = etree.fromstring(html, parser) if html.strip() else None
    if tree is None:
        return {"links": [], "robots": [], "letters": 0}
    bases = (b.get("href") for b in tree.iter("base"))
    base = _joined(address, next(filter(None, bases), "")) or address
    robots = {
        word
        for meta in tree.iter("meta")
        if (meta.get("name") or "").lower() in ("robots", "threadwise")
        for word in re.split(r"[\s,]+", (meta.get("content") or "").lower())
    }
    shown = "".join(_shown(tree))
    gist = re.sub(r"[\W\d_]+", " ", shown)
    return {
        "links": list(dict.fromkeys(_links(tree, base)))[:MOST_LINKS],
        "canonical": _canonical(tree, base),
        "robots": sorted(robots),
        "password": any((e.get("type") or "").lower() == "password" for e in tree.iter("input")),
        "letters": sum(map(str.isalnum, shown)),
        "gist": hashlib.sha256(gist.encode("utf-8", "replace")).hexdigest()[:32],
    }


def sitemap(data: bytes, address: str) -> Said:
    """Give the `sitemaps` and the `pages` (address, date of change or nothing) that are listed."""
    from lxml import etree

    if data.startswith(b"\x1f\x8b"):
        data = zlib.decompressobj(31).decompress(data, MOST_SITEMAP)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = data.decode("utf-8", "replace").lstrip("\ufeff").split()
        return {
            "sitemaps": [],
            "pages": [[x, ""] for x in lines if x.startswith("http")][:MOST_PAGES],
        }
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    tree = etree.fromstring(data.lstrip(), parser)
    found: dict[str, list[tuple[str, str]]] = {"sitemap": [], "url": []}
    for item in tree.iter() if tree is not None else ():
        kind = _local(item)
        if kind in found and len(found[kind]) < MOST_PAGES:
            said = {_local(child): "".join(child.itertext()).strip() for child in item}
            if url := _joined(address, said.get("loc", "")):
                found[kind].append((url, said.get("lastmod", "")))
    return {
        "sitemaps": [url for url, _ in found["sitemap"]],
        "pages": [list(p) for p in found["url"]],
    }


def _links(tree: Any, base: str) -> Iterator[str]:
    for link in tree.iter("a", "area"):
        if "nofollow" in (link.get("rel") or "").lower().split():
            continue
        if url := _joined(base, link.get("href") or ""):
            yield url


def _canonical(tree: Any, base: str) -> str | None:
    for link in tree.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split():
            return _joined(base, link.get("href") or "")
    return None


def _shown(tree: Any) -> Iterator[str]:
    for element in tree.iter():
        if isinstance(element.tag, str) and element.tag not in (
            "script",
            "style",
            "title",
            "noscript",
        ):
            yield element.text or ""
        yield element.tail or ""


def _joined(base: str, link: str) -> str | None:
    link = link.strip()
    if not link or len(link) > LONGEST_LINK:
        return None
    try:
        return urljoin(base, link)
    except ValueError:
        return None


def _local(element: Any) -> str:
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
