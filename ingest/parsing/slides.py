"""PowerPoint presentations to Markdown, a heading per slide."""

from ingest.parsing.markitdowns import by_markitdown
from ingest.parsing.office import Package
from ingest.parsing.text import Parsed, tidy


def read(data: bytes) -> Parsed:
    """Read a .pptx file."""
    title, changed = Package(data).properties()
    return Parsed(tidy(_slides(by_markitdown("PptxConverter", data, ".pptx"))), title, changed)


def _slides(body: str) -> str:
    """Number the slides, so that a citation tells which one it is from."""
    parts = body.split("<!-- Slide number: ")
    slides = []
    for part in parts[1:]:
        number, _, rest = part.partition("-->")
        lines = [line for line in rest.strip().splitlines() if not line.startswith("![")]
        heading = next((line[2:] for line in lines if line.startswith("# ")), "")
        kept = [line for line in lines if line.lstrip("# ") != heading or not line.startswith("# ")]
        name = f"Slide {number.strip()}" + (f": {heading}" if heading.strip() else "")
        slides.append(f"## {name}\n\n" + "\n".join(kept))
    return parts[0] + "\n\n".join(slides)
