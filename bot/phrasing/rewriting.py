"""From a follow-up to a whole question by an LLM, or to nothing, whatever the LLM does.

Knows nothing about searching. What it gives is searched for and never shown as what somebody asked.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence

from bot.answering.request import Request
from bot.phrasing import wording
from bot.phrasing.client import Llm, Silent
from store.records import Rewriting

_log = logging.getLogger(__name__)


class Rewriter:
    """Rewrites follow-ups by one LLM; shared by the worker's threads."""

    def __init__(
        self,
        llm: Llm,
        *,
        seconds: float,
        is_on: Callable[[], bool] = lambda: True,
        channels: Collection[str] = (),
    ) -> None:
        """Without `channels`, follow-ups of all of them are rewritten; `seconds` is how long the LLM may take."""
        self._llm = llm
        self._seconds = seconds
        self._is_on = is_on
        self._channels = channels

    def rewritten(self, request: Request, earlier: Sequence[str]) -> Rewriting | None:
        """Rewrite a message that leans on those `earlier`; never raises because of the LLM.

        None where nothing may be sent. What was said before comes from the message's own thread, so whoever
        reads the reply could read it there.
        """
        if (self._channels and request.channel not in self._channels) or not self._is_on():
            return None
        started, text, dropped = time.perf_counter(), "", ""
        try:
            text = wording.whole(self._llm, request.text, earlier, seconds=self._seconds)
        except Silent as silent:
            dropped = str(silent)
        except Exception:  # noqa: BLE001 - it is searched for without in any case
            _log.exception("rewriting_broke question=%s", request.question_id)
            dropped = "broken"
        seconds = time.perf_counter() - started
        _log.info(
            "rewritten question=%s channel=%s earlier=%d dropped=%s seconds=%.2f",
            request.question_id,
            request.channel,
            len(earlier),
            dropped or "none",
            seconds,
        )
        return Rewriting(text, self._llm.model, round(seconds, 3), dropped)
