"""Web addresses in one form: what is checked, fetched and stored is the same text.

Knows nothing about requests. Letter case of a path counts, since many servers tell it apart.
"""

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

LONGEST = 2_000  # characters of an address that is followed
DEFAULT_PORTS = {"http": 80, "https": 443}

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_SLASHES = re.compile(r"/{2,}")
_TRACKING = re.compile(
    r"(?:utm_[a-z]+|gclid|fbclid|msclkid|mc_[ce]id|yclid|dclid)(?:=|$)", re.IGNORECASE
)


def normal(url: str, base: str | None = None) -> str | None:
    """Give an address in its one form (RFC 3986, 6.2); None when it is no address to follow.

    Escapes of plain letters are decoded and others written large, `.`, `..` and empty parts of the
    path resolved, the host small, the usual port, the fragment and marks of campaigns dropped.
    An address with a user's name in it is not followed.
    """
    try:
        url.encode()  # half a sign is of no address
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    place = host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    query = "&".join(p for p in parts.query.split("&") if p and not _TRACKING.match(p))
    path = _path(parts.path)
    found = urlunsplit((scheme, place, path, _escaped(query, "/?"), ""))
    return found if len(found) <= LONGEST else None


def site_of(url: str) -> str:
    """Give scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_same_host(url: str, other: str) -> bool:
    """Tell whether two addresses are of one host, whether it is called www or not."""
    a, b = ((urlsplit(u).hostname or "").removeprefix("www.") for u in (url, other))
    return a == b


def _host(host: str) -> str:
    host = host.lower().rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return f"[{host}]" if ":" in host else host


def _path(path: str) -> str:
    parts: list[str] = []
    segments = _SLASHES.sub("/", _escaped(path.replace("\\", "/"), "/")).split("/")
    for segment in segments:
        if segment == "..":
            del parts[-1:]
        elif segment not in ("", "."):
            parts.append(segment)
    is_folder = segments[-1] in ("", ".", "..") and bool(parts)
    return "/" + "/".join(parts) + "/" * is_folder


def _escaped(text: str, also: str) -> str:
    text = quote(text, safe="%:@!$&'()*+,;=~-._" + also)
    return _ESCAPE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    if found.group(1) is None:
        return "%25"
    sign = chr(int(found.group(1), 16))
    return sign if _UNRESERVED.fullmatch(sign) else found.group().upper()
