"""What is asked of strangers' text before it is a document: where it leads, what it allows, what was said.

Knows nothing about requests or archives. Runs in the parser's child; what it gives is plain and not deep.
"""

import json
from collections.abc import Callable, Mapping

from ingest.entries import Unreadable
from ingest.parsing import robots, slack_messages, weblinks

Said = Mapping[str, object]

DEEPEST = 100  # objects within objects of a reply; our parent reads it once more


def look(what: str, data: bytes, address: str) -> Said:
    """Look at bytes as LOOKS says by name; raises Unreadable, or whatever a library raises."""
    return LOOKS[what](data, address)


def reply(data: bytes, address: str) -> Said:
    """Give the JSON object that an API sent; nothing for JSON of another kind."""
    found = json.loads(data)
    waiting = [(found, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise Unreadable(f"It is JSON of more than {DEEPEST} levels.")
        inner = value.values() if isinstance(value, dict) else value
        if not isinstance(value, dict | list):
            continue
        waiting += [(each, depth + 1) for each in inner if isinstance(each, dict | list)]
    return found if isinstance(found, dict) else {}


LOOKS: Mapping[str, Callable[[bytes, str], Said]] = {
    "page": weblinks.page,
    "sitemap": weblinks.sitemap,
    "robots": robots.rules,
    "json": reply,
    "slack-names": slack_messages.names,
    "slack-day": slack_messages.day,
}
