"""What a site's robots.txt allows (RFC 9309): the longest rule that fits a path decides.

Knows nothing about requests.
"""

from ingest import paths

LONGEST = 500_000  # characters that are looked at
MOST_RULES = 5_000


class Robots:
    """The rules for one agent, by its first word in small letters."""

    def __init__(self, text: str = "", agent: str = "threadwise") -> None:
        self.sitemaps: list[str] = []
        self.delay: float | None = None
        self._rules: list[tuple[str, bool]] = []
        groups = self._groups(text[:LONGEST])
        ours = [group for group in groups if any(a != "*" and a in agent for a in group[0])]
        for _, rules, delay in ours or [group for group in groups if "*" in group[0]]:
            self._rules += rules
            self.delay = delay if delay is not None else self.delay
        del self._rules[MOST_RULES:]
        self._lenient = [(paths.folded(rule), allowed) for rule, allowed in self._rules]

    def allows(self, path: str) -> bool:
        """Tell whether a path, with its query, may be fetched: by every way to read it."""
        return _allows(self._rules, path) and _allows(self._lenient, paths.lenient(path))

    def _groups(self, text: str) -> list[tuple[list[str], list[tuple[str, bool]], float | None]]:
        groups: list[tuple[list[str], list[tuple[str, bool]], float | None]] = []
        is_open = False
        for line in text.splitlines():
            key, colon, value = line.partition("#")[0].partition(":")
            key, value = key.strip().lower(), value.strip()
            if not colon:
                continue
            if key == "sitemap":
                self.sitemaps.append(value)
            elif key == "user-agent":
                if not is_open:
                    groups.append(([], [], None))
                groups[-1][0].append(value.lower())
                is_open = True
            elif key in ("allow", "disallow", "crawl-delay") and groups:
                is_open = False
                agents, rules, delay = groups[-1]
                if key == "crawl-delay":
                    groups[-1] = agents, rules, _seconds(value, delay)
                elif value:
                    rules.append((value, key == "allow"))
        return groups


def _allows(rules: list[tuple[str, bool]], path: str) -> bool:
    found = [(len(rule), allowed) for rule, allowed in rules if _fits(rule, path)]
    return max(found, default=(0, True))[1]


def _fits(rule: str, path: str) -> bool:
    """Match a rule, in which * stands for anything and $ at its end for the path's end."""
    is_end = rule.endswith("$")
    first, *others = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    for n, part in enumerate(others):
        if is_end and n == len(others) - 1:
            return len(path) - len(part) >= place and path.endswith(part)
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return not is_end or place == len(path)


def _seconds(value: str, otherwise: float | None) -> float | None:
    try:
        return max(0.0, min(float(value), 60.0))
    except ValueError:
        return otherwise
