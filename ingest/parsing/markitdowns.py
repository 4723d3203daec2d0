"""Formats that markitdown reads well enough by itself."""

import functools
import io
from collections.abc import Callable

from ingest.parsing.text import Parsed, tidy


def reader(converter: str, ending: str) -> Callable[[bytes], Parsed]:
    """Give a function that reads bytes by the converter of that name."""
    convert = functools.partial(by_markitdown, converter, ending=ending)
    return lambda data: Parsed(tidy(convert(data)))


def by_markitdown(converter: str, data: bytes, ending: str) -> str:
    """Convert to Markdown by the converter of that name in markitdown.converters."""
    from markitdown import StreamInfo, converters

    found = getattr(converters, converter)()
    return str(found.convert(io.BytesIO(data), StreamInfo(extension=ending)).markdown)
