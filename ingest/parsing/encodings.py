"""Bytes to text: which encoding they are in is told from all of them, not from the first ones.

Knows nothing about formats.
"""

import codecs
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from mmap import mmap

import charset_normalizer

from ingest.entries import Unreadable

Bytes = bytes | mmap

BLOCK_BYTES = 1_000_000  # looked at, and decoded, at a time
SAMPLE_BYTES = 65_536  # of those that tell the encoding apart
AROUND_BYTES = 40  # before and after a letter that is not ASCII
MOST_CONTROLS = 0.02  # share of control characters above which bytes are no text
SURE_PAIRS = 0.8  # share of common letters above which pairs of bytes are taken for them
SURE_NULS = 0.9  # of all NUL bytes on one side of the pairs, when they are UTF-16
SURE_SCRIPT = 0.9  # of all letters in one script, when they are UTF-16 without a space

# Encodings that documents come in; a short list guesses better than all that exist.
ENCODINGS = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "iso8859_2",
    "iso8859_15", "mac_roman", "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufffd]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_WORD = re.compile(r"[^\W\d_]+")
_SIGNS = set("“”‘’„‚–—…•€£§©®°·«»¿¡\xa0№™×")
# Letters beyond ASCII of the languages that an encoding is used for.
_LANGUAGES = {
    "cp1252": (
        "àâçéèêëîïôùûœ",
        "äöüß",
        "áéíóúñü",
        "àèéìòù",
        "áâãàçéêíóôõú",
        "åäöæøé",
        "áéíóúýþæöð",
    ),
    "cp1250": ("áčďéěíňóřšťúůýžäľĺôŕ", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîşţ"),
    "cp1254": ("ğışçöüâî\u0307",),  # the dot of a capital I, when it is made small
}
_SHORT_WORDS = set("аявкосуиієАЯВКОСУИ")
_FINALS = set("ךםןףץ")


def decode(data: Bytes) -> str:
    """Turn bytes into text at once; see `blocks`."""
    return "".join(blocks(data))


def blocks(data: Bytes) -> Iterator[str]:
    """Turn bytes into text by their byte order mark, as UTF-8, or by the likeliest encoding.

    Line ends become \\n. Raises Unreadable when the bytes are no text.
    """
    decoder = codecs.getincrementaldecoder(encoding_of(data))("replace")
    lines = io.IncrementalNewlineDecoder(decoder, translate=True)
    for start in range(0, len(data), BLOCK_BYTES):
        end = start + BLOCK_BYTES
        block = lines.decode(data[start:end], final=end >= len(data))
        if start == 0:
            _refuse_binary(block[:SAMPLE_BYTES])
        yield block


def encoding_of(data: Bytes) -> str:
    """Give the likeliest encoding of all these bytes."""
    first = data[:SAMPLE_BYTES]
    for mark, encoding in _MARKS:
        if first.startswith(mark):
            return encoding
    if wide := _by_nuls(first):
        return wide
    letters, damages = _as_utf8(data)
    if not letters + damages and not _is_clean(first, "utf-8"):
        return _wide(first) or "utf-8"
    # A letter of several bytes is hardly ever there by chance; a damaged one costs only itself.
    if letters >= damages:
        return "utf-8"
    return _wide(first) or _legacy(_telling(data))


def _refuse_binary(sample: str) -> None:
    if len(_CONTROL.findall(sample)) > MOST_CONTROLS * len(sample) + 1:
        raise Unreadable("It is binary, not text. Rename it to what it is.", is_skip=True)


def _by_nuls(sample: bytes) -> str | None:
    """Tell UTF-16 by its spaces and line ends: one byte of each is NUL, always on the same side."""
    nuls = sample.count(0)
    odd = sample[1::2].count(0)
    if not nuls or nuls > len(sample) // 2 + 1:
        return None
    if odd >= SURE_NULS * nuls:
        return "utf-16-le" if _is_clean(sample, "utf-16-le") else None
    if nuls - odd >= SURE_NULS * nuls:
        return "utf-16-be" if _is_clean(sample, "utf-16-be") else None
    return None


def _is_clean(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "replace")
    return len(_CONTROL.findall(text)) <= MOST_CONTROLS * len(text)


def _wide(sample: bytes) -> str | None:
    """Tell UTF-16 without a single space by its letters: nearly all are of one script."""
    if len(sample) % 2 and len(sample) < SAMPLE_BYTES:
        return None
    found = {e: _one_script(sample.decode(e, "replace")) for e in ("utf-16-le", "utf-16-be")}
    best = max(found, key=lambda encoding: found[encoding])
    return best if found[best] >= SURE_SCRIPT else None


def _one_script(text: str) -> float:
    """Give the share of the commonest script; kana are needed beside Chinese signs."""
    scripts = Counter(_script(letter) for letter in text)
    kana = scripts["kana"]
    share = max(scripts["alphabet"], kana + scripts["han"] if kana else 0) / max(len(text), 1)
    return share if len(text) >= 2 else 0.0


def _script(letter: str) -> str:
    code = ord(letter)
    if 0x3001 <= code <= 0x3002 or 0x3040 <= code <= 0x30FF:
        return "kana"
    if 0x4E00 <= code <= 0x9FFF or 0xFF00 <= code <= 0xFF60:
        return "han"
    return "alphabet" if 0x0370 <= code <= 0x06FF or 0x0900 <= code <= 0x0E7F else "other"


def _as_utf8(data: Bytes) -> tuple[int, int]:
    """Count the letters of several bytes, and the places that are no UTF-8."""
    letters = damages = 0
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for start in range(0, len(data), BLOCK_BYTES):
        end = start + BLOCK_BYTES
        text = decoder.decode(data[start:end], final=end >= len(data))
        if not text.isascii():
            bad = text.count("\ufffd")
            damages += bad
            letters += len(text) - len(text.encode("ascii", "ignore")) - bad
    return letters, damages


def _telling(data: Bytes) -> bytes:
    """Give the bytes that are not ASCII with what is around them, wherever they stand."""
    found: list[bytes] = []
    size = last = 0
    for high in _HIGH.finditer(data):
        start, end = max(last, high.start() - AROUND_BYTES), high.end() + AROUND_BYTES
        if last < end:
            found.append((b" " if start > last else b"") + data[start:end])
            size, last = size + len(found[-1]), end
        if size > SAMPLE_BYTES:
            break
    return b"".join(found)


def _legacy(sample: bytes) -> str:
    pairs = [e for e in _PAIRED if _common_pairs(sample, e) >= SURE_PAIRS]
    if pairs:
        return max(pairs, key=lambda encoding: _common_pairs(sample, encoding))
    scores = {encoding: score for encoding in _SINGLE if (score := _plausible(sample, encoding))}
    best = max(scores, key=lambda encoding: scores[encoding], default=None)
    if best and scores[best] > 0:
        return best
    guesses = charset_normalizer.from_bytes(sample, cp_isolation=ENCODINGS)
    # Between equally good guesses the order of the list decides.
    likeliest = min(
        (guess for guess in guesses if guess.encoding in ENCODINGS),
        key=lambda g: (round(g.chaos, 2), -round(g.coherence, 1), ENCODINGS.index(g.encoding)),
        default=None,
    )
    return likeliest.encoding if likeliest else "cp1252"


# The rows of the tables where the commonest signs of a language stand, by the first byte.
_PAIRED: dict[str, tuple[Iterable[int], Iterable[int]]] = {
    "cp932": ({*range(0x81, 0x85), *range(0x88, 0x98)}, {*range(0x40, 0xFD)}),
    "euc_jp": ({0xA1, *range(0xA3, 0xA6), *range(0xB0, 0xD0)}, {*range(0xA1, 0xFF)}),
    "cp949": ({0xA1, 0xA3, *range(0xB0, 0xC9)}, {*range(0xA1, 0xFF)}),
    "gb18030": ({0xA1, 0xA3, *range(0xB0, 0xD8)}, {*range(0xA1, 0xFF)}),
    "big5": ({0xA1, *range(0xA4, 0xC7)}, {*range(0x40, 0x7F), *range(0xA1, 0xFF)}),
}
_SINGLE = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256")


def _common_pairs(sample: bytes, encoding: str) -> float:
    """Give the share of pairs of bytes that are common signs of the encoding's language."""
    firsts, seconds = _PAIRED[encoding]
    pairs = list(_pairs(sample))
    if len(pairs) < 2:
        return 0.0
    try:
        text = sample.decode(encoding, "ignore")
    except LookupError:
        return 0.0
    common = sum(a in firsts and b in seconds for a, b in pairs) / len(pairs)
    if encoding == "euc_jp" and not any(0x3040 <= ord(letter) <= 0x30FF for letter in text):
        common -= 0.1  # Japanese without kana is rarer than Chinese or Korean
    if encoding == "cp932" and any(a in range(0x81, 0xA0) for a, _ in pairs):
        common += 0.05  # the others hardly use these
    return common + (0.05 if encoding == "cp949" and _has_gaps(sample) else 0.0)


def _pairs(sample: bytes) -> Iterator[tuple[int, int]]:
    place = 0
    while place < len(sample) - 1:
        if sample[place] >= 0x80:
            yield sample[place], sample[place + 1]
            place += 1
        place += 1


def _has_gaps(sample: bytes) -> bool:
    """Tell whether there are spaces between the words, as in Korean."""
    return re.search(rb"[\xa1-\xfe] [\xa1-\xfe]", sample) is not None


def _plausible(sample: bytes, encoding: str) -> float:
    """Score a reading: words are of one script and one case, other signs those of print."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    signs = [sign for sign in text if ord(sign) > 127 and not sign.isalpha()]
    languages = _LANGUAGES.get(encoding, ("",))
    best = max(sum(_of_word(word, encoding, letters) for word in words) for letters in languages)
    return best + sum(0.2 if sign in _SIGNS else -1.0 for sign in signs)


def _of_word(word: str, encoding: str, letters: str) -> float:
    if not (word.islower() or word.isupper() or word.istitle() or word.lower() == word.upper()):
        return -1.0
    scripts = {_alphabet(letter) for letter in word}
    if len(scripts) > 1:
        return -1.0
    if "LATIN" not in scripts:
        return _of_another_script(word, encoding)
    high = [letter for letter in word.lower() if not letter.isascii()]
    if len(high) > 2 and len(high) > len(word) / 2:  # no word of a Latin script
        return -1.0
    # Turkish before Icelandic, which has the same six bytes, and others beside them.
    sure = {"cp1252": 1.0, "cp1254": 1.1}.get(encoding, 0.9)
    return sure if set(high) <= set(letters) else -0.5


def _of_another_script(word: str, encoding: str) -> float:
    if encoding == "cp1255":  # a final letter stands at the end, and nowhere else
        return 1.2 if not _FINALS & set(word[:-1]) else -1.0
    return 1.0 if len(word) > 1 or word in _SHORT_WORDS else 0.1


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0]
