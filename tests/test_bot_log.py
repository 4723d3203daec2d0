"""Log lines: one per event, readable by people and by grep."""

import logging

from bot.log import KeyValues


def line(message: str, *args: object, **extra: object) -> str:
    record = logging.LogRecord("bot.processes.worker", logging.INFO, "f", 1, message, args, None)
    vars(record).update(extra, created=0.0)
    return KeyValues().format(record)


def test_a_line_has_time_level_name_and_event() -> None:
    assert line("started queues=%s", "work") == (
        "1970-01-01T00:00:00Z INFO bot.processes.worker started queues=work"
    )


def test_extras_are_key_value_and_quoted_when_they_hold_a_space() -> None:
    assert line("ended", job=3, reason="no disk left").endswith('ended job=3 reason="no disk left"')


def test_structures_of_libraries_are_left_out() -> None:
    assert line("ended", worker={"id": 1}).endswith("ended")
