"""Markdown to chunks: sections along headings, long ones cut where a reader would."""
