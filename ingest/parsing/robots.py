"""A site's robots.txt (RFC 9309) to the rules for one agent. Runs in the parser's child.

Knows nothing about requests, nor about which paths the rules fit.
"""

AGENT = "threadwise"  # by its first word in small letters
LONGEST = 500_000  # bytes that are looked at
MOST_RULES = 5_000
MOST_SITEMAPS = 5_000


def rules(data: bytes, address: str) -> dict[str, object]:
    """Give `sitemaps`, `delay` (seconds or None) and `rules`: what a path begins with, and whether it may be read."""
    sitemaps: list[str] = []
    groups = _groups(data[:LONGEST].decode("utf-8", "replace").removeprefix("\ufeff"), sitemaps)
    ours = [group for group in groups if any(a != "*" and a in AGENT for a in group[0])]
    found: list[tuple[str, bool]] = []
    delay = None
    for _, said, pause in ours or [group for group in groups if "*" in group[0]]:
        found += said
        delay = pause if pause is not None else delay
    return {"sitemaps": sitemaps[:MOST_SITEMAPS], "delay": delay, "rules": found[:MOST_RULES]}


def _groups(
    text: str, sitemaps: list[str]
) -> list[tuple[list[str], list[tuple[str, bool]], float | None]]:
    groups: list[tuple[list[str], list[tuple[str, bool]], float | None]] = []
    is_open = False
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "sitemap":
            sitemaps.append(value)
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


def _seconds(value: str, otherwise: float | None) -> float | None:
    try:
        return max(0.0, min(float(value), 60.0))
    except ValueError:
        return otherwise
