"""Is every line of a handbook in some chunk? `python -m tests.bench.coverage DIR [--pages N]`.

Takes random Markdown pages, and looks for each line of prose, list item and table row of the source
in the chunks, markup, case and spaces left out. Lines of front matter are looked for by their values,
template tags are counted and not looked for. Knows nothing about the database or encoders.
"""

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.parsing import frontmatter
from ingest.parsing.formats import convert
from ingest.splitting import chunks as split
from ingest.splitting import naming, sections
from store.values import searchable

WINDOW = 256  # tokens, as the default encoder's
SEED = 7
SHOWN = 40  # lost lines that are printed

_TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->", re.DOTALL)
_HTML = re.compile(r"</?[A-Za-z][^<>]*>|&[a-z]+;|&#\d+;")
_ADDRESS = re.compile(
    r"\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|\]\[[^\]]*\]|\{[:#][^}]*\}"
)
_LIST = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")


def main(arguments: Sequence[str]) -> None:
    """Print the share of lines found, and those lost by kind."""
    reader = argparse.ArgumentParser(prog="tests.bench.coverage")
    reader.add_argument("folder", type=Path)
    reader.add_argument("--pages", type=int, default=60)
    given = reader.parse_args(arguments)
    files = sorted(given.folder.rglob("*.md"))
    chosen = random.Random(SEED).sample(files, min(given.pages, len(files)))
    found, lost, tags = Counter[str](), Counter[str](), 0
    shown: list[str] = []
    for file in chosen:
        data = file.read_bytes()
        whole = " ".join(_chunks(file.name, data))
        text, raw = _letters(whole), _bare(whole)
        front, source = frontmatter.part(data.decode("utf-8", "replace").replace("\r\n", "\n"))
        tags += len(_TAG.findall(source))
        for kind, line in _lines(f"{front.lines()}\n\n{source}"):
            here = _bare(line) in raw or all(_letters(part) in text for part in _parts(line))
            (found if here else lost)[kind] += 1
            shown += [] if here else [f"{file.name}: {kind}: {line.strip()[:120]}"]
    total = found.total() + lost.total()
    share = found.total() / max(total, 1)
    told = [f"{len(chosen)} pages, {total} lines, {share:.2%} found; {tags} tags"]
    told += [f"  {kind}: {found[kind]} found, {lost[kind]} lost" for kind in sorted(found | lost)]
    sys.stdout.write("\n".join([*told, *shown[:SHOWN]]) + "\n")


def _chunks(name: str, data: bytes) -> Iterator[str]:
    parsed = convert(f"document{Path(name).suffix}", data)
    title = parsed.title or naming.title_of(parsed, name)
    pieces = sections.sections(parsed, title)
    for chunk in split.split(pieces, title, None, count=_count, window=WINDOW):
        yield f"{title}\n{chunk.heading}\n{chunk.body}"


def _count(texts: Sequence[str]) -> list[int]:
    return [len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Give the lines that a reader sees, each with its kind; headings count as well."""
    text = _TAG.sub("\n", text)
    in_code = False
    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            in_code = not in_code
            continue
        kind = "code" if in_code else "table" if line.lstrip().startswith("|") else "prose"
        kind = "list" if kind == "prose" and _LIST.match(line) else kind
        kind = "heading" if kind == "prose" and line.startswith("#") else kind
        kind = "html" if kind == "prose" and _HTML.search(line) else kind
        if _letters(line) and not re.match(r"\s*\[[^\]^]+\]:", line):
            yield kind, line


def _parts(line: str) -> Iterator[str]:
    """Give what of a line must stand together: cells of a table and texts between tags may part."""
    line = _ADDRESS.sub("] ", line)
    for cell in re.split(r"(?<!\\)\|", line) if line.lstrip().startswith("|") else [line]:
        for text in _HTML.split(cell):
            yield from re.split(r"(?<=[.;:!?]) ", text)  # long lines are cut between sentences


def _letters(text: str) -> str:
    return _bare(_HTML.sub("", _ADDRESS.sub("]", text)))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", searchable(text)).lower()


if __name__ == "__main__":
    main(sys.argv[1:])
