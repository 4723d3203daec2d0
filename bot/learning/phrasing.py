"""Do people like phrased answers as much as quoted ones? Where they clearly do not, phrasing is switched off.

Knows nothing about LLMs. The test is made as often, and at such levels, as that of a learned part (looks.py).
"""

from datetime import datetime

from bot.learning import looks
from bot.learning.looks import Looks
from bot.learning.promotion import Verdict
from store.database import Connection
from store.feedback import likes, phrasing
from store.records import Kind

KIND: Kind = "phrasing"

MIN_JUDGED = 40
"""Judged answers of both kinds that are needed to compare them."""

MIN_HELD_BACK = 20
"""Judged answers that were held back from which on phrased ones are compared with these alone."""

LEAST = MIN_JUDGED // 4
"""Votes of one person that always count: nobody decides alone."""


def compare(connection: Connection, workspace: str, looked: Looks, now: datetime) -> Verdict | None:
    """Hold the thumbs on phrased answers against those on quoted ones; None while it is off, or where nobody judged a
    phrased answer.

    Quoted ones are those whose phrasing was held back, drawn by lot (bot/phrasing), from MIN_HELD_BACK on. Until there are so
    many, or where none are held back, they are all that were as sure: harder questions may be among these.

    Only answers since phrasing was last switched count, of a year at most. "promoted" says that quotes alone
    are to serve.
    """
    switch = phrasing.switch(connection, workspace)
    if not switch.is_on:
        return None
    since = max(switch.changed_at or now - looks.YEAR, now - looks.YEAR)
    liked, judged = likes.between(connection, workspace, since, now, least=LEAST, phrased=True)
    if not judged:
        return None
    liked_quoted, quoted = likes.between(
        connection, workspace, since, now, least=LEAST, phrased=False
    )
    liked_held, held = likes.between(
        connection, workspace, since, now, least=LEAST, phrased=False, held_back=True
    )
    is_fair = held >= MIN_HELD_BACK
    if is_fair:
        liked_quoted, quoted = liked_held, held
    last = looked.last(KIND)
    need = MIN_JUDGED
    if last is not None and last.at >= since:
        need = last.judged + looks.needed(last.judged)
    if judged < need or (quoted < MIN_JUDGED and not is_fair):
        reason = (
            f"{judged} phrased and {quoted} quoted answers are judged; {need} and {MIN_JUDGED} are needed"
            f" (or {MIN_HELD_BACK} held back, of which there are {held})."
        )
        return Verdict(KIND, "waiting", reason)
    return _verdict((liked, judged), (liked_quoted, quoted), looks.level(looked.number(KIND)))


def _verdict(phrased: tuple[int, int], quoted: tuple[int, int], level: float) -> Verdict:
    from scipy.stats import fisher_exact  # brings numpy, which the worker starts without

    (liked, judged), (liked_quoted, others) = phrased, quoted
    table = [[liked, judged - liked], [liked_quoted, others - liked_quoted]]
    p = float(fisher_exact(table, alternative="less").pvalue)
    told = f"{liked} of {judged} phrased answers are liked, {liked_quoted} of {others} quoted ones, p {p:.4f}"
    numbers = {
        "judged": judged, "liked": liked, "quoted_judged": others, "quoted_liked": liked_quoted,
        "p": round(p, 6), "alpha": round(level, 6),
    }  # fmt: skip
    if p < level:
        cure = "`threadwise phrasing on` switches it on again."
        return Verdict(KIND, "promoted", f"phrasing is switched off: {told}. {cure}", numbers)
    return Verdict(KIND, "refused", f"phrasing stays: {told} (needed: {level:.4f})", numbers)
