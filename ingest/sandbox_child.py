"""The child of ingest.sandbox: reads one request a line, answers with sections or a reason.

An answer is several frames of JSON: what the document is, its sections piece by piece, the end. Knows
nothing about the database or the network, and runs without our environment.
"""

import json
import mmap
import os
import resource
import signal
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import astuple

from ingest.entries import Unreadable
from ingest.sandbox import LENGTH

LONGEST_SECONDS = 900  # on one frame; only met when the parent was killed and cannot give it up


def main() -> None:
    """Serve until the input ends, within the megabytes of memory given as the first argument."""
    limit = int(sys.argv[1]) * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What libraries print must not be taken for an answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin:
        signal.alarm(LONGEST_SECONDS)
        for frame in _answer(json.loads(line)):
            reply = json.dumps(frame).encode()
            signal.alarm(0)
            out.write(LENGTH.pack(len(reply)) + reply)
            out.flush()
            signal.alarm(LONGEST_SECONDS)
        signal.alarm(0)


def _answer(request: dict[str, str]) -> Iterator[dict[str, object]]:
    try:
        left_out = yield from _read(request)
        yield {"end": True, "left_out": list(dict.fromkeys(left_out))}
    except Unreadable as error:
        yield {"reason": str(error), "is_skip": error.is_skip}
    except MemoryError:
        yield {"reason": "Reading it takes more memory than is allowed. Split it, or exclude it."}
    # Parsers of strangers' files raise anything; the reason goes to the person who can act on it.
    except Exception as error:  # noqa: BLE001
        first = str(error).strip().split("\n")[0][:120]
        yield {
            "reason": f"It is damaged or of an unknown variant ({type(error).__name__}"
            f"{': ' + first if first else ''}). Save it again, or exclude it."
        }


def _read(request: dict[str, str]) -> Generator[dict[str, object], None, Sequence[str]]:
    """Give what the document is and its sections; returns what was left out of all its pieces."""
    from ingest.parsing import formats, looks
    from ingest.splitting import naming, sections

    # Not read but mapped: a large text is decoded piece by piece.
    with open(request["file"], "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if "look" in request:
        yield dict(looks.look(request["look"], data[:], request["address"]))
        return ()
    parsed = formats.convert(request["name"], data)
    title = request["given"] or parsed.title or request["listed"]
    title = title or naming.title_of(parsed, request["path"])
    yield {
        "title": title,
        "updated_at": parsed.updated_at and parsed.updated_at.isoformat(),
    }
    for piece in sections.sections(parsed, title):
        yield {"sections": [astuple(section) for section in piece]}
    return parsed.left_out


if __name__ == "__main__":
    main()
