"""What markitdown reads well enough by itself."""

import io


def by_markitdown(converter: str, data: bytes, ending: str) -> str:
    """Convert to Markdown by the converter of that name in markitdown.converters."""
    from markitdown import StreamInfo, converters

    found = getattr(converters, converter)()
    return str(found.convert(io.BytesIO(data), StreamInfo(extension=ending)).markdown)
