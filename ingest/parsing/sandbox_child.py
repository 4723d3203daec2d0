"""The child of ingest.parsing.sandbox: reads one request a line, answers with Markdown or a reason, as JSON.

Knows nothing about the database or the network, and runs without our environment.
"""

import json
import os
import resource
import signal
import sys

from ingest.entries import Unreadable
from ingest.parsing.sandbox import LENGTH

LONGEST_SECONDS = 900  # on one file; only met when the parent was killed and cannot give it up


def main() -> None:
    """Serve until the input ends, within the megabytes of memory given as the first argument."""
    limit = int(sys.argv[1]) * 1_000_000
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What libraries print must not be taken for an answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        signal.alarm(LONGEST_SECONDS)
        reply = json.dumps(_answer(request["name"], request["file"])).encode()
        signal.alarm(0)
        out.write(LENGTH.pack(len(reply)) + reply)
        out.flush()


def _answer(name: str, file: str) -> dict[str, object]:
    from ingest.parsing import formats

    try:
        parsed = formats.convert(name, file)
    except Unreadable as error:
        return {"reason": str(error), "is_skip": error.is_skip}
    except MemoryError:
        return {"reason": "Reading it takes more memory than is allowed. Split it, or exclude it."}
    # Parsers of strangers' files raise anything; the reason goes to the person who can act on it.
    except Exception as error:  # noqa: BLE001
        first = str(error).strip().split("\n")[0][:120]
        return {
            "reason": f"It is damaged or of an unknown variant ({type(error).__name__}"
            f"{': ' + first if first else ''}). Save it again, or exclude it."
        }
    return {
        "body": parsed.body,
        "title": parsed.title,
        "updated_at": parsed.updated_at and parsed.updated_at.isoformat(),
        "anchors": parsed.anchors,
        "named": parsed.named,
        "left_out": parsed.left_out,
    }


if __name__ == "__main__":
    main()
