"""Schedules run as cron does, over changes of the clock too; what is no schedule is refused."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ingest.schedule import Schedule, ScheduleError

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)  # March 2026 begins on a Sunday


def times(
    line: str, count: int, since: datetime = START, zone: ZoneInfo | None = None
) -> list[str]:
    found, schedule = [], Schedule(line)
    for _ in range(count):
        since = schedule.after(since, zone or UTC) or since
        found.append(f"{since:%d.%m. %H:%M}" if zone is None else f"{since:%d. %H:%M %z}")
    return found


def weekdays(line: str) -> set[str]:
    """The days on which a line runs within some weeks."""
    found, since = set(), START
    for _ in range(20):
        since = Schedule(line).after(since) or since
        found.add(f"{since:%a}")
    return found


def test_a_day_fits_by_its_number_or_by_its_weekday() -> None:
    assert times("0 0 1 * 1", 6) == [
        f"{day} 00:00" for day in ("01.03.", "02.03.", "09.03.", "16.03.", "23.03.", "30.03.")
    ]
    assert times("0 0 13 * *", 2) == ["13.03. 00:00", "13.04. 00:00"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("0", "Sun"), ("7", "Sun"), ("1-5", "Mon Tue Wed Thu Fri"), ("mon,3", "Mon Wed"),
        ("*/3", "Sun Wed Sat"), ("5-7", "Fri Sat Sun"), ("sun-tue", "Sun Mon Tue"),
        ("6-1", "Sat Sun Mon"), ("FRI-mon", "Fri Sat Sun Mon"), ("sat-sun", "Sat Sun"),
        ("fri-tue/2", "Fri Sun Tue"), ("5#1", "Fri"), ("sun", "Sun"),
    ],
)  # fmt: skip
def test_weekdays_are_named_and_counted_as_cron_does(days: str, expected: str) -> None:
    assert weekdays(f"0 4 * * {days}") == set(expected.split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 22-1 * * *", ["01.03. 00:00", "01.03. 01:00", "01.03. 22:00", "01.03. 23:00"]),
        ("0 0 1 nov-feb *", ["01.11. 00:00", "01.12. 00:00", "01.01. 00:00", "01.02. 00:00"]),
        ("50-10/10 4 * * *", ["01.03. 04:00", "01.03. 04:10", "01.03. 04:50", "02.03. 04:00"]),
        ("5,*/30 9 * JAN,mar *", ["01.03. 09:00", "01.03. 09:05", "01.03. 09:30", "02.03. 09:00"]),
        ("0 0 29 2 *", ["29.02. 00:00"]),
        ("@daily", ["01.03. 00:00", "02.03. 00:00"]),
        ("@Hourly", ["01.03. 00:00", "01.03. 01:00"]),
        ("@weekly", ["01.03. 00:00", "08.03. 00:00"]),
        ("@monthly", ["01.03. 00:00", "01.04. 00:00"]),
        ("@yearly", ["01.01. 00:00"]),
    ],
)
def test_lists_steps_names_and_ranges_over_the_end(line: str, expected: list[str]) -> None:
    assert times(line, len(expected)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "every day", "", "* * * *", "0 0 * * * *", "60 * * * *", "0 24 * * *", "0 0 0 * *",
        "0 0 31 2 *", "0 0 * 13 *", "0 0 * * 8", "0 0 * * funday", "*/0 * * * *", "@reboot",
        "0 0 20-10 * *", "-1 * * * *", "1-2-3 * * * *", "٣ * * * *", "0 0 * * 1#9", "a,b * * * *",
        "0 0 * * 6-1/0", ", * * * *",
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_a_reason(line: str) -> None:
    with pytest.raises(ScheduleError, match=r"\w"):
        Schedule(line)


def test_a_time_that_is_jumped_over_comes_right_after_the_jump() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)  # clocks go from 2:00 to 3:00 on the 29th
    assert times("30 2 * * *", 2, before, BERLIN) == ["29. 03:00 +0200", "30. 02:30 +0200"]


def test_a_time_that_comes_twice_counts_once() -> None:
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)  # clocks go from 3:00 to 2:00 on the 25th
    assert times("30 2 * * *", 2, before, BERLIN) == ["25. 02:30 +0200", "26. 02:30 +0100"]


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]
)
def test_every_half_hour_is_every_half_hour_when_clocks_change(day: datetime) -> None:
    found, schedule = [day], Schedule("*/30 * * * *")
    for _ in range(20):
        found.append((schedule.after(found[-1], BERLIN) or day).astimezone(UTC))
    assert {(b - a).total_seconds() for a, b in pairwise(found)} == {1800}
