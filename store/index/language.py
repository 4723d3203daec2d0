"""Whether a question is in German or French, and which of its words say what it is about.

Knows nothing about the database. Function words tell a language best in a short text; English ones are no part of
the index (Postgres leaves them out), so that here those of the other two are left out as well.
"""

import re

from store.index import codes

_ENGLISH = frozenset(
    """the a an of to and or is are was were be do does did has have had my your our their his her its i we you he she
    they it this that these those how what when where who whom whose which why can could may must should will would in on
    at by for from with about into as if not no any some there""".split()  # noqa: SIM905
)
_GERMAN = frozenset(
    """der die das den dem des ein eine einen einem einer eines und oder aber nicht kein keine keinen ich du er sie es wir
    ihr ihre mein meine meinen meiner unser unsere ist sind war wird werden wurde hat habe haben hatte kann können darf
    dürfen muss müssen soll sollen wie was wer wen wem wo wann warum wieso welche welcher welches welchen wieviel viel viele
    im in am an auf aus bei beim bis für fürs durch mit nach seit von vom vor zu zum zur über unter um als auch noch nur
    schon wenn dass man sich mir mich uns gibt ab pro""".split()  # noqa: SIM905
)
_FRENCH = frozenset(
    """le la les un une des du de au aux et ou mais ne pas je tu il elle on nous vous ils elles mon ma mes notre nos votre
    vos est sont était ont avez avons peut peux puis dois doit comment combien où quand qui que quoi quel quelle quels
    quelles pourquoi dans en sur sous avec sans pour par chez ce cette ces se si plus y""".split()  # noqa: SIM905
)
_FOREIGN = (_GERMAN | _FRENCH) - _ENGLISH
_ONLY_ENGLISH = _ENGLISH - _GERMAN - _FRENCH
_WORD = re.compile(r"[^\W\d_]+")

SHORTEST = 3
"""Letters from which a word tells what a question is about."""

SAME_BEGINNING = 5
"""Letters by which two words begin alike that are forms of one: Lastenrad, Lastenräder."""


def is_foreign(text: str) -> bool:
    """Whether more function words are German or French than English, and any is."""
    words = _words(text)
    foreign = sum(word in _FOREIGN for word in words)
    return foreign > sum(word in _ONLY_ENGLISH for word in words)


def told(text: str) -> str:
    """Give a text without the function words of its language, where that is German or French."""
    if not is_foreign(text):
        return text
    return _WORD.sub(lambda word: " " if _is_function(word[0].lower()) else word[0], text)


def share_said(question: str, text: str) -> float:
    """Give the share (0..1) of a question's telling words that a text says, in a like form or within a longer word.

    0 where the question has none.
    """
    wanted = {_plain(word) for word in _words(question) if not _is_function(word)}
    wanted = {word for word in wanted if len(word) >= SHORTEST}
    said = " ".join({_plain(word) for word in _words(text)})
    hits = sum(f" {word[:SAME_BEGINNING]}" in f" {said}" or word in said for word in wanted)
    return hits / len(wanted) if wanted else 0.0


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _is_function(word: str) -> bool:
    return word in _GERMAN or word in _FRENCH


def _plain(word: str) -> str:
    return min(codes.plainly(word), key=len, default=word) if not word.isascii() else word
