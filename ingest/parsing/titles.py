"""Titles that say something: what a program fills in by itself is none.

Knows nothing about formats: a reader gives the title it found and what its text begins with.
"""

import re

LONGEST_LINE = 100  # characters of a first line that serves as a title

_PROGRAM = re.compile(
    r"^Microsoft (?:Office )?(?:Word|PowerPoint|Excel|Publisher|Visio)\s*-\s*", re.IGNORECASE
)
_ENDING = re.compile(
    r"\.(?:docx?|dotx?|docm|rtf|odt|pptx?|potx?|odp|xlsx?|xlsm|ods|pdf|html?|md|txt|tex|dvi|indd|pages|wpd|qxd|fm)$",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"(?:(?:new |neues |nouveau )?(?:microsoft )?(?:office )?(?:(?:word|powerpoint|excel)[ -])?)"
    r"(?:document|dokument|documento|doc|untitled|unbenannt|ohne titel|sans titre|sin t[ií]tulo"
    r"|senza titolo|presentation|pr[äa]sentation|pr[ée]sentation|presentaci[óo]n|presentazione"
    r"|book|workbook|mappe|arbeitsmappe|classeur|libro|sheet|tabelle|feuil|hoja|foglio|slide|folie"
    r"|title|titel|titre|no title|no name|unknown|none|null|template|vorlage|scan|image|page"
    r"|chapter|part|section|default|draft|new page|home|index)"
    r"[\s_-]*(?:template)?[\s_-]*\(?\d*\)?",
    re.IGNORECASE,
)  # fmt: skip
_FILE_NAME = re.compile(r"\S*_\S*|[\w.]+(?:-[\w.]+){2,}")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.*)$", re.MULTILINE)


def chosen(declared: str | None, begins_with: str | None) -> str | None:
    """Give the title that a document declares, or what it begins with where that says more.

    None when neither says anything: the file's name serves then.
    """
    title = " ".join((declared or "").split())
    bare = _ENDING.sub("", _PROGRAM.sub("", title)).strip()
    first = " ".join((begins_with or "").split()) or None
    if not bare or _NOTHING.fullmatch(bare):
        return first
    if bare != title or _FILE_NAME.fullmatch(bare):  # a file's name
        return first or bare
    return title


def beginning(body: str) -> str | None:
    """Give the heading that Markdown begins with, or its only one of the first level.

    One of several of its level is a chapter's name.
    """
    headings = [(len(marks), text) for marks, text in _HEADING.findall(body)]
    if not headings:
        return None
    level, text = headings[0]
    if body.lstrip().startswith("#") and all(other > level for other, _ in headings[1:]):
        return str(text)
    tops = [text for level, text in headings if level == 1]
    return str(tops[0]) if len(tops) == 1 else None


def first_line(body: str) -> str | None:
    """Give a text's first line where it stands like a title: short, and no sentence."""
    line = next((line.strip() for line in body.split("\n") if line.strip()), "")
    is_other = line.startswith(("#", "|", "- ")) or line.endswith((".", ":", ";", ",", "!"))
    return line if 0 < len(line) <= LONGEST_LINE and not is_other else None
