"""How a path may be read: by us, by a server that decodes it again, by one that ignores letter case.

Knows nothing about sources. A rule that guards something looks at every reading.
"""

import unicodedata
from urllib.parse import unquote

MOST_DECODINGS = 5


def lenient(path: str) -> str:
    """Decode a path to the end, in small letters, without `..`, empty parts and parameters."""
    path, mark, query = path.partition("?")
    return _resolved(_decoded(path)) + (mark + _decoded(query) if mark else "")


def _decoded(text: str) -> str:
    for _ in range(MOST_DECODINGS):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    return unicodedata.normalize("NFKC", text).casefold().replace("\\", "/").replace("\x00", "")


def _resolved(path: str) -> str:
    parts: list[str] = []
    for segment in path.split("/"):
        name = segment.partition(";")[0]
        bare = name.rstrip(". ") or name.strip(" ")  # as Windows reads names
        if bare == "..":
            del parts[-1:]
        elif bare not in ("", "."):
            parts.append(bare)
    is_root, is_folder = path.startswith("/"), path.endswith("/") and bool(parts)
    return "/" * is_root + "/".join(parts) + "/" * is_folder


def folded(pattern: str) -> str:
    """Give a pattern as `lenient` writes paths; its `*` and `?` stay."""
    return unicodedata.normalize("NFKC", unquote(pattern)).casefold()
