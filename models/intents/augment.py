"""Varies examples the way people type: slips, dropped words, casing, emoji, greetings.

Knows nothing about training; `training` uses it only where it helps on held-out rows.
"""

import random
from collections.abc import Callable, Sequence

from models.intents.examples import Example

GREETINGS = ("hi", "hey", "hello", "hi all", "hey team", "morning", "hi there", "quick question:")
EMOJI = ("🙂", "🙏", "😅", "👋", "😬", ":pray:", ":wave:", "!!", "...", "??")
NEIGHBOURS = {  # of a key on a QWERTY keyboard
    key: row[max(0, i - 1) : i] + row[i + 1 : i + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for i, key in enumerate(row)
}


def augment(rows: Sequence[Example], seed: int) -> list[Example]:
    """Give one varied copy of each row, in order; the same seed gives the same ones."""
    chance = random.Random(seed)
    return [Example(vary(row.text, chance), row.intent) for row in rows]


def vary(text: str, chance: random.Random) -> str:
    """Change the text in one or two ways; never gives an empty one."""
    for change in chance.sample(CHANGES, chance.choice((1, 1, 2))):
        text = change(text, chance) or text
    return text


def slip(text: str, chance: random.Random) -> str:
    """Swap, drop, double or mishit one letter."""
    letters = [i for i, c in enumerate(text) if c.lower() in NEIGHBOURS]
    if len(letters) < 4:
        return text
    i = chance.choice(letters[1:])
    wrong = chance.choice((text[i : i + 2][::-1], "", text[i] * 2, _mishit(text[i], chance)))
    return text[:i] + wrong + text[i + (2 if wrong == text[i : i + 2][::-1] else 1) :]


def drop_word(text: str, chance: random.Random) -> str:
    """Leave one word out of four or more."""
    words = text.split()
    if len(words) >= 4:
        del words[chance.randrange(len(words))]
    return " ".join(words)


def recase(text: str, chance: random.Random) -> str:
    """Write all small, all capital or with a capital at the start."""
    return chance.choice((str.lower, str.upper, str.capitalize))(text)


def decorate(text: str, chance: random.Random) -> str:
    """Put an emoji or marks at the end."""
    return f"{text.rstrip(' ?.!')} {chance.choice(EMOJI)}"


def greet(text: str, chance: random.Random) -> str:
    """Put a greeting in front."""
    return f"{chance.choice(GREETINGS)} {text}"


def _mishit(letter: str, chance: random.Random) -> str:
    return chance.choice(NEIGHBOURS[letter.lower()])


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    slip,
    slip,
    drop_word,
    recase,
    decorate,
    greet,
)
