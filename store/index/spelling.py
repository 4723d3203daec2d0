"""Words that a question spells almost right: the nearest lexeme that the documents have.

Knows nothing about dictionaries: what the documents write is right, whatever it is.
"""

import string
from collections.abc import Sequence

from store.database import Connection
from store.index import codes

SHORTEST = 5
"""Letters from which a word's neighbours are mostly misspellings of it, not other words."""

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


def nearest(
    connection: Connection, workspace: str, question: str, unknown: Sequence[str]
) -> dict[str, int]:
    """Give known lexeme -> its chunks, one for each unknown word with one typing error (one round trip).

    An error is a letter too much, too few, another, or two that changed places.
    """
    words = _written(question, unknown)
    if not words:
        return {}
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
    words = {word for word in codes.words(question) if len(word) >= SHORTEST and word.isascii()}
    stems = tuple(stem[:-1] for stem in unknown if len(stem) > 3)
    return sorted((w for w in words if w.startswith(stems)), key=len, reverse=True)[:MOST_WORDS]


def _neighbours(word: str) -> set[str]:
    """Give what one typing error may have made the word of; its first letter is mostly right."""
    cuts = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    letters = string.ascii_lowercase
    near = {head + tail[1:] for head, tail in cuts if tail}
    near |= {head + letter + tail for head, tail in cuts for letter in letters}
    near |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
    near |= {head[:-1] + tail[0] + head[-1] + tail[1:] for head, tail in cuts if tail}
    return near - {word}
