"""What an answer looks like in the terminal: what is seen of the documents with what says it in bold, and where it stands.

Knows nothing about how answers are made or kept. Text only, never markup: documents cannot style it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.answering import absence, showing
from bot.text import age, missing, visible
from store.records import Answer, Citation, Shown

SHOWN = 3

NOT_FOUND = "I did not find the answer to this in the documents."
NEAREST = "The nearest pages, in case one of them helps:"
IGNORED = "That does not look like a question for me, so in Slack I would have stayed silent."


def render(console: Console, answer: Answer, notes: Sequence[str] = ()) -> None:
    """Print an answer: what it says, how sure it is, and where it stands; first what of the message was not read."""
    for note in notes:
        console.print(Text(note, "dim"))
    if answer.status in ("answered", "unsure"):
        console.print()
        if written := showing.phrased(answer):
            _indent(console, Text(written, "bold cyan"))
            console.print()
        for text in _quotes(answer):
            _indent(console, text)
            console.print()
        console.print(_certainty(answer))
        _list(console, answer.citations)
    elif answer.status == "not_found":
        console.print(Text(absence.told(answer.signals, NOT_FOUND), "yellow"))
        if answer.hints:
            console.print(Text(NEAREST, "dim"))
            _list(console, answer.hints)
    else:
        console.print(Text(_said(answer)))


def _indent(console: Console, text: Text) -> None:
    """Set a text in; lines are broken for a terminal, and left as they are for a file."""
    if console.is_terminal:
        console.print(Padding(text, (0, 2), expand=False))
    else:
        console.print(
            Text("\n").join(Text("  ") + line for line in text.split("\n")), soft_wrap=True
        )


def certainty(answer: Answer) -> str:
    """Put a calibrated confidence into words."""
    share = f"{100 * answer.confidence:.0f} %"
    if answer.status == "unsure":
        return f"Not sure ({share}): please check the page."
    if answer.confidence >= 0.85:
        return f"Quite sure ({share})."
    return f"Fairly sure ({share})." if answer.confidence >= 0.65 else f"Probably ({share})."


def _quotes(answer: Answer) -> Iterator[Text]:
    """One unit first, then its passage, then the others under their titles."""
    seen = showing.of(answer)
    if not seen:
        yield Text(visible(answer.body or ""), "bold")
    for number, each in enumerate(seen):
        name = _name_over(seen[number - 1], each, answer.citations) if number else ""
        head = Text(f"{name}\n", "italic") if name else Text()
        yield Text.assemble(head, *_pieces(each))


def _name_over(before: Shown, seen: Shown, citations: Sequence[Citation]) -> str:
    """Name a further passage: a page by its title, another section of the same page by its heading."""
    if (before.path, before.heading) == (seen.path, seen.heading):
        return ""
    if before.path == seen.path and seen.heading:
        return visible(seen.heading).replace("\n", " ")
    place = (seen.path, seen.heading)
    return next((_name(c) for c in citations if (c.path, c.heading) == place), "")


def _pieces(seen: Shown) -> Iterator[tuple[str, str]]:
    end = 0
    for start, length in sorted((seen.text.find(part), len(part)) for part in seen.marked):
        if start >= end:
            yield visible(seen.text[end:start]), "dim"
            yield visible(seen.text[start : start + length]), "bold"
            end = start + length
    yield visible(seen.text[end:]), "dim"


def _certainty(answer: Answer) -> Text:
    style = "yellow" if answer.status == "unsure" else "green"
    return Text.assemble((certainty(answer), style), (f"  {str(answer.answer_id)[:8]}", "dim"))


def _said(answer: Answer) -> str:
    if answer.status == "ignored":
        return IGNORED
    if answer.status == "failed":
        return f"Something went wrong, id {answer.answer_id}. The worker's log tells more."
    return visible(answer.body or "…")


def _list(console: Console, citations: Sequence[Citation]) -> None:
    now = datetime.now(UTC)
    if not console.is_terminal:
        for number, cited in enumerate(citations[:SHOWN], start=1):
            parts = (_name(cited), _where(cited), _age(cited, now))
            console.print(Text(f"  {number}  {'  '.join(part for part in parts if part)}"))
            if cited.left_out:
                console.print(Text(f"     {missing(cited.left_out)}"))
        return
    table = Table.grid(padding=(0, 2))
    partial = [cited for cited in citations[:SHOWN] if cited.left_out]
    for number, cited in enumerate(citations[:SHOWN], start=1):
        where = Text(_where(cited), f"dim link {cited.url}" if _is_link(cited.url) else "dim")
        name = Text(_name(cited))
        table.add_row(Text(f"  {number}", "dim"), name, where, Text(_age(cited, now), "dim"))
    console.print(table)
    for cited in partial:
        line = f"  {citations.index(cited) + 1}  {missing(cited.left_out)}"
        console.print(Text(line, "yellow"))


def _name(cited: Citation) -> str:
    heading = visible(cited.heading).replace("\n", " ")
    return f"{visible(cited.title)} > {heading}" if heading else visible(cited.title)


def _where(cited: Citation) -> str:
    return visible(cited.url or f"{cited.source}: {cited.path}").replace("\n", " ")


def _age(cited: Citation, now: datetime) -> str:
    return age(cited.updated_at, now) if cited.updated_at else ""


def _is_link(url: str | None) -> bool:
    return url is not None and url.startswith(("http://", "https://")) and " " not in url
