"""Words that a question spells almost right, or without umlauts: the nearest lexeme that the documents have.

Knows nothing about dictionaries: what the documents write is right, whatever it is.
"""

import string
from collections.abc import Sequence

from store.database import Connection
from store.index import codes

SHORTEST = 5
"""Letters from which a word's neighbours are mostly misspellings of it, not other words."""

TWO_ERRORS = 9
"""Letters from which two errors are still one word: with fewer, they make another."""

BEGINNING = 3
"""Letters that are right where there are two errors."""

ENDING = 2
"""Letters of an ending that a stemmer leaves where it does not know it: zephirometar."""

MOST_TERMS = 1000
"""Lexemes with such a beginning that are compared, the commonest."""

MOST_WORDS = 6
"""Unknown words of one question that are looked for, the longest: each has some 60 neighbours a letter."""

# Of several neighbours the one that most chunks hold is meant.
_KNOWN = """
SELECT DISTINCT ON (near.word) t.term, t.chunks
FROM unnest(%(words)s::text[], %(neighbours)s::text[]) AS near(word, neighbour)
CROSS JOIN LATERAL unnest(tsvector_to_array(to_tsvector('english', near.neighbour))) AS l(lexeme)
JOIN term_stats t ON t.workspace_id = %(workspace)s AND t.term = l.lexeme
WHERE t.chunks > 0 ORDER BY near.word, t.chunks DESC, t.term
"""


# A range instead of a pattern: the index serves it.
_BEGINS = """
SELECT term, chunks FROM term_stats
WHERE workspace_id = %(workspace)s AND term >= %(beginning)s AND term < %(beginning)s || U&'\\FFFF'
  AND length(term) BETWEEN %(letters)s - 2 AND %(letters)s + 2 AND chunks > 0
ORDER BY chunks DESC, term LIMIT %(most)s
"""


def nearest(
    connection: Connection, workspace: str, question: str, unknown: Sequence[str]
) -> dict[str, int]:
    """Give known lexeme -> its chunks, one for each unknown word with one typing error (one round trip), and for
    long ones with two (one more for each).

    An error is a letter too much, too few, another, or two that changed places.
    """
    words = _written(question, unknown)
    found = _one_error(connection, workspace, words) if words else {}
    long = [stem for stem in unknown if len(stem) >= TWO_ERRORS - 1 and stem.isalpha()]
    if found or len(long) != 1:
        return found
    return _two_errors(connection, workspace, long[0])


def _two_errors(connection: Connection, workspace: str, stem: str) -> dict[str, int]:
    rows = connection.execute(
        _BEGINS,
        {
            "workspace": workspace,
            "beginning": stem[:BEGINNING],
            "letters": len(stem),
            "most": MOST_TERMS,
        },
    ).fetchall()
    # The ending of a misspelt word may have stayed on its stem.
    near = (
        (term, chunks)
        for term, chunks in rows
        if _is_within_two(stem, term) or _is_within_two(stem[:-ENDING], term)
    )
    return dict(sorted(near, key=lambda pair: (-pair[1], pair[0]))[:1])


def _is_within_two(one: str, other: str) -> bool:
    """Whether at most two letters are too much, too few or others."""
    if len(set(one) ^ set(other)) > 4:
        return False
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, row = row, [i]
        for j, its in enumerate(other, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != its)))
    return row[-1] <= 2


def _one_error(connection: Connection, workspace: str, words: Sequence[str]) -> dict[str, int]:
    pairs = [(word, near) for word in words for near in _neighbours(word)]
    rows = connection.execute(
        _KNOWN,
        {
            "workspace": workspace,
            "words": [word for word, _ in pairs],
            "neighbours": [near for _, near in pairs],
        },
    ).fetchall()
    return dict(rows)


def _written(question: str, unknown: Sequence[str]) -> list[str]:
    """Give the question's words whose stems are unknown: a stem is how a word begins, but for its last letter."""
    words = {word for word in codes.words(question) if len(word) >= SHORTEST}
    stems = tuple(stem[:-1] for stem in unknown if len(stem) > 3)
    return sorted((w for w in words if w.startswith(stems)), key=len, reverse=True)[:MOST_WORDS]


def _neighbours(word: str) -> set[str]:
    """Give what one typing error may have made the word of; its first letter is mostly right.

    Documents have their words in plain letters too (codes.py).
    """
    if not word.isascii():
        plain = codes.plainly(word)
        return plain.union(*(_neighbours(each) for each in plain if each.isascii()))
    cuts = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    letters = string.ascii_lowercase
    near = {head + tail[1:] for head, tail in cuts if tail}
    near |= {head + letter + tail for head, tail in cuts for letter in letters}
    near |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
    near |= {head[:-1] + tail[0] + head[-1] + tail[1:] for head, tail in cuts if tail}
    return near - {word}
