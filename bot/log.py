"""How the processes log: one line per event on stderr, `event key=value ...`, set up by the CLI alone.

Knows nothing about what is logged; questions' texts and tokens never are at INFO.
"""

import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from store.redaction import escaped, redacted

QUIET = ("apscheduler", "asyncio", "httpx", "procrastinate", "sentence_transformers")
"""Libraries whose own INFO says nothing to an operator."""

SILENT = "psycopg.pool"
"""Warns of every try while the database is away, as if nobody else did."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class KeyValues(logging.Formatter):
    """Writes `2026-11-21T04:20:26Z INFO bot.processes.worker started queues=work`, extras as key=value."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        """`secrets` are left out, as is whatever looks like one."""
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Write a record, its traceback too, without secrets and signs that steer a terminal."""
        return escaped(redacted(super().format(record), self._secrets))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Write the time in UTC, to the second."""
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Append what was given as `extra`, as far as it is a plain value."""
        pairs = [
            f"{key}={_quoted(value)}"
            for key, value in vars(record).items()
            if key not in _STANDARD and isinstance(value, str | int | float | None)
        ]
        return " ".join([super().formatMessage(record), *pairs])


def configure(level: str, secrets: Sequence[str] = ()) -> None:
    """Log at `level` and above to stderr; chatty libraries only from WARNING unless it is DEBUG."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValues(secrets))
    handler.addFilter(_is_news)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(level if level in ("DEBUG", "ERROR") else "WARNING")
    logging.getLogger(SILENT).setLevel("ERROR")


def _is_news(record: logging.LogRecord) -> bool:
    """Drop procrastinate's tracebacks of a lost connection: the worker says it in one line."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or kind.__name__ != "ConnectorException"


def _quoted(value: object) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
