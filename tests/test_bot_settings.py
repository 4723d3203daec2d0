"""Settings: documented, checked, named in errors."""

import os
import re
from pathlib import Path

import pytest

from bot import settings
from bot.settings import ROOT, Settings, SettingsError


def _load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name in [name for name in os.environ if name.startswith("THREADWISE_")] + _names():
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return settings.load(env_file=None)


def _names() -> list[str]:
    return [str(field.alias) for field in Settings.model_fields.values()]


def test_with_nothing_set_everything_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _load(monkeypatch)
    assert not found.talks_to_slack
    assert found.database_url is None
    assert found.home == ROOT / "var"


def test_every_setting_stands_in_the_readme_and_in_the_example() -> None:
    for file in ("README.md", ".env.example"):
        text = (ROOT / file).read_text(encoding="utf-8")
        missing = [name for name in _names() if not re.search(rf"\b{name}\b", text)]
        assert not missing, f"{file} does not mention {missing}"


def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="THREADWISE_HTTP_PORT='many'"):
        _load(monkeypatch, THREADWISE_HTTP_PORT="many")


@pytest.mark.parametrize(
    "time", ["24:00", "25:00", "3:60", "03:30:00", "3", "noon", "٣:30", "-1:00"]
)
def test_a_time_that_no_day_has_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, time: str
) -> None:
    with pytest.raises(SettingsError) as error:
        _load(monkeypatch, THREADWISE_LEARN_AT=time)
    said = str(error.value)
    assert said.startswith(f"THREADWISE_LEARN_AT={time!r} cannot be used: write a time of day")
    assert "\n" not in said


@pytest.mark.parametrize("time", ["0:00", "23:59", "03:30", "off"])
def test_the_times_of_a_day_are_taken(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    assert _load(monkeypatch, THREADWISE_LEARN_AT=time).learn_at == time


def test_an_empty_value_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _load(monkeypatch, DATABASE_URL=" ", THREADWISE_HTTP_PORT="").http_port == 3000


def test_admins_are_a_list_of_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _load(monkeypatch, THREADWISE_ADMINS="U1, U2,").admins == ("U1", "U2")


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        ({"SLACK_BOT_TOKEN": "xoxp-1"}, "Bot User OAuth Token"),
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "connections:write"),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "THREADWISE_SLACK_MODE": "http"}, "SLACK_SIGNING_SECRET"),
    ],
)
def test_half_of_slack_is_said_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], cure: str
) -> None:
    with pytest.raises(SettingsError, match=cure):
        _load(monkeypatch, **values)


@pytest.mark.parametrize(
    ("values", "cure"),
    [
        ({"THREADWISE_ADMINS": "@boss"}, "'@boss' is not a person's Slack id"),
        ({"THREADWISE_ADMINS": "*"}, "not a person's"),
        ({"THREADWISE_ADMINS": "U1; U2"}, "not a person's"),
        ({"THREADWISE_EXPERTS": "C0HELP"}, "not a person's"),
        ({"THREADWISE_ADMIN_CHANNEL": "#admins"}, "not a channel's"),
        ({"THREADWISE_ADMIN": "U1"}, "did you mean THREADWISE_ADMINS"),
        ({"THREADWISE_RETENTION_DAY": "30"}, "did you mean THREADWISE_RETENTION_DAYS"),
        ({"THREADWISE_RETENTION_DAYS": "0"}, "RETENTION_DAYS='0'"),
        ({"THREADWISE_RETENTION_DAYS": "999999999"}, "less than or equal to 36500"),
        ({"THREADWISE_RETENTION_DAYS": "30.5"}, "RETENTION_DAYS"),
        ({"THREADWISE_LEARN_AT": "24:00"}, "THREADWISE_LEARN_AT='24:00'"),
        ({"THREADWISE_LEARN_AT": "29:59"}, "LEARN_AT"),
        ({"THREADWISE_LEARN_AT": "23:60"}, "LEARN_AT"),
        ({"THREADWISE_LEARN_AT": "midnight"}, "LEARN_AT"),
    ],
)
def test_a_setting_that_guards_is_refused_rather_than_ignored(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], cure: str
) -> None:
    with pytest.raises(SettingsError) as error:
        _load(monkeypatch, **values)
    assert cure in str(error.value)


def test_nobody_else_reads_the_environment() -> None:
    readers = [
        path
        for package in ("store", "ingest", "models", "evals")
        for path in Path(ROOT / package).rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8")
    ]
    assert readers == []


def test_an_llm_is_off_until_address_and_model_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _load(monkeypatch).llm_url is None
    with pytest.raises(SettingsError, match="THREADWISE_LLM_MODEL is missing"):
        _load(monkeypatch, THREADWISE_LLM_URL="http://localhost:11434/v1")
    found = _load(
        monkeypatch, THREADWISE_LLM_URL="http://localhost:11434/v1", THREADWISE_LLM_MODEL="small",
        THREADWISE_LLM_CHANNELS="C0HELP001, terminal", THREADWISE_LLM_KEY="sk-1",
    )  # fmt: skip
    assert found.llm_channels == ("C0HELP001", "terminal") and found.llm_timeout == 3
    assert "sk-1" in found.secrets


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THREADWISE_LLM_URL", "localhost:11434"),
        ("THREADWISE_LLM_URL", "ftp://localhost/v1"),
        ("THREADWISE_LLM_URL", "https://me:secret@llm.example/v1"),
        ("THREADWISE_LLM_URL", "https://llm.example/v1?key=secret"),
        ("THREADWISE_LLM_URL", "http://"),
        ("THREADWISE_LLM_TIMEOUT", "0"),
        ("THREADWISE_LLM_TIMEOUT", "nan"),
        ("THREADWISE_LLM_CHANNELS", "#general"),
        ("THREADWISE_LLM_KEY", "secret with spaces"),
        ("THREADWISE_LLM_KEY", "secret\r\nX-Other: 1"),
    ],
)
def test_an_llm_setting_that_cannot_work_is_named_without_its_key(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=name) as error:
        _load(monkeypatch, **{name: value})
    assert "secret" not in str(error.value)
