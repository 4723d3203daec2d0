"""The settings: read once from the environment and `.env`, checked, frozen.

Nothing else reads the environment, but for the tokens of sources (bot/secrets.py).
"""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: defaults that ship with the project are found from here."""

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")


SECRETS = (
    "slack_bot_token", "slack_app_token", "slack_signing_secret", "slack_client_secret", "database_url", "database_replica_url",
    "llm_key", "llm_url",
)  # fmt: skip
"""Settings whose value is never shown."""

TEST_PREFIX = "THREADWISE_TEST_"
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_ADDRESS = re.compile(r"https?://[^/?#@\s]+/?")
_CHANNEL = re.compile(r"[CDGUW][A-Z0-9]+")


class SettingsError(Exception):
    """A setting cannot be used; the message names it and what to write instead."""


class Settings(BaseSettings):
    """Everything that can be set. With nothing set, all of it works on one machine."""

    # With populate_by_name a field's bare name counts too: without the prefix HOME would be `home`.
    model_config = SettingsConfigDict(
        env_file=".env",
        env_prefix="THREADWISE_",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    home: Path = Field(ROOT / "var", alias="THREADWISE_HOME")
    sources: Path | None = Field(None, alias="THREADWISE_SOURCES")
    intents: Path = Field(ROOT / "intents.toml", alias="THREADWISE_INTENTS")
    embedder: str | None = Field(None, alias="THREADWISE_EMBEDDER")
    reader: str | None = Field(None, alias="THREADWISE_READER")
    models: Literal["small", "better"] = Field("small", alias="THREADWISE_MODELS")
    second_embedder: str | None = Field(None, alias="THREADWISE_SECOND_EMBEDDER")
    reranker: str | None = Field(None, alias="THREADWISE_RERANKER")
    hub_offline: bool = Field(False, alias="HF_HUB_OFFLINE")
    runtime: Literal["torch", "onnx"] = Field("torch", alias="THREADWISE_RUNTIME")
    slack_mode: Literal["socket", "http"] = Field("socket", alias="THREADWISE_SLACK_MODE")
    http_host: str = Field("127.0.0.1", alias="THREADWISE_HTTP_HOST")
    http_port: int = Field(3000, alias="THREADWISE_HTTP_PORT", ge=0, le=65535)
    url: str | None = Field(None, alias="THREADWISE_URL")
    health_port: int | None = Field(None, alias="THREADWISE_HEALTH_PORT", ge=0, le=65535)
    metrics_port: int | None = Field(None, alias="THREADWISE_METRICS_PORT", ge=0, le=65535)
    admins: Annotated[tuple[str, ...], NoDecode] = Field((), alias="THREADWISE_ADMINS")
    admin_channel: str | None = Field(None, alias="THREADWISE_ADMIN_CHANNEL")
    experts: Annotated[tuple[str, ...], NoDecode] = Field((), alias="THREADWISE_EXPERTS")
    expert_emoji: str = Field("white_check_mark", alias="THREADWISE_EXPERT_EMOJI")
    keep_emoji: str = Field("bookmark", alias="THREADWISE_KEEP_EMOJI")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="THREADWISE_LOG_LEVEL"
    )
    learn_at: str = Field("03:30", alias="THREADWISE_LEARN_AT")
    cache: Literal["on", "off"] = Field("on", alias="THREADWISE_CACHE")
    threads: int = Field(2, alias="THREADWISE_THREADS", ge=1, le=64)
    answer_above: float | None = Field(None, alias="THREADWISE_ANSWER_ABOVE", ge=0, le=1)
    unsure_above: float | None = Field(None, alias="THREADWISE_UNSURE_ABOVE", ge=0, le=1)
    max_question: int = Field(3000, alias="THREADWISE_MAX_QUESTION", ge=100)
    max_per_minute: int = Field(100, alias="THREADWISE_MAX_PER_MINUTE", ge=1, le=10_000)
    max_waiting: int = Field(100, alias="THREADWISE_MAX_WAITING", ge=1, le=10_000)
    max_file_mb: int = Field(50, alias="THREADWISE_MAX_FILE_MB", ge=1)
    max_removed_share: float = Field(0.3, alias="THREADWISE_MAX_REMOVED_SHARE", ge=0, le=1)
    retention_days: int = Field(365, alias="THREADWISE_RETENTION_DAYS", ge=1, le=36_500)
    llm_url: str | None = Field(None, alias="THREADWISE_LLM_URL")
    llm_model: str | None = Field(None, alias="THREADWISE_LLM_MODEL")
    llm_key: str | None = Field(None, alias="THREADWISE_LLM_KEY")
    llm_timeout: float = Field(3.0, alias="THREADWISE_LLM_TIMEOUT", ge=0.1, le=60)
    llm_quoted_share: float = Field(0.1, alias="THREADWISE_LLM_QUOTED_SHARE", ge=0, le=1)
    llm_channels: Annotated[tuple[str, ...], NoDecode] = Field((), alias="THREADWISE_LLM_CHANNELS")
    slack_bot_token: str | None = Field(None, alias="SLACK_BOT_TOKEN")
    slack_app_token: str | None = Field(None, alias="SLACK_APP_TOKEN")
    slack_signing_secret: str | None = Field(None, alias="SLACK_SIGNING_SECRET")
    slack_client_id: str | None = Field(None, alias="SLACK_CLIENT_ID")
    slack_client_secret: str | None = Field(None, alias="SLACK_CLIENT_SECRET")
    slack_api_url: str = Field("https://slack.com/api/", alias="SLACK_API_URL")
    database_url: str | None = Field(None, alias="DATABASE_URL")
    database_replica_url: str | None = Field(None, alias="DATABASE_REPLICA_URL")

    @field_validator("admins", "experts", "llm_channels", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("learn_at")
    @classmethod
    def _is_time(cls, value: str) -> str:
        if value != "off" and not _TIME.fullmatch(value):
            raise ValueError('write a time of day such as 03:30 (0:00 to 23:59), or "off"')
        return value

    @field_validator("admins", "experts")
    @classmethod
    def _are_people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for member in value:
            if not _PERSON.fullmatch(member):
                raise ValueError(f"{member!r} is not a person's Slack id such as U0BOSS001")
        return value

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError("write it like https://threadwise.example.com, without a path")
        return value and value.rstrip("/")

    @field_validator("admin_channel")
    @classmethod
    def _is_channel(cls, value: str | None) -> str | None:
        if value is not None and not _CHANNEL.fullmatch(value):
            raise ValueError("it is not a channel's Slack id such as C0ADMINS1")
        return value

    @field_validator("llm_channels")
    @classmethod
    def _are_channels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for channel in value:
            if channel != "terminal" and not _CHANNEL.fullmatch(channel):
                raise ValueError(
                    f'{channel!r} is neither a channel\'s Slack id such as C0HELP001 nor "terminal"'
                )
        return value

    @field_validator("llm_url")
    @classmethod
    def _is_endpoint(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write the API's base, such as http://localhost:11434/v1")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError(
                "write it without a user name and without ?...: a key belongs to THREADWISE_LLM_KEY"
            )
        return value

    @field_validator("llm_key")
    @classmethod
    def _fits_a_header(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[!-~]+", value):
            raise ValueError("a key has letters, digits and signs alone, without spaces")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _end_with_slash(cls, value: str) -> str:
        return value if value.endswith("/") else value + "/"

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: object) -> object:
        field = cls.model_fields[info.field_name]  # type: ignore[attr-defined]
        return field.default if isinstance(value, str) and not value.strip() else value

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is never shown."""
        values = (getattr(self, name) for name in SECRETS)
        return tuple(value for value in values if value)

    @property
    def talks_to_slack(self) -> bool:
        """Whether Slack is set up; otherwise the terminal is where questions come from."""
        return self.slack_bot_token is not None

    def address(self, port: int | None = None) -> str:
        """Give the address by which browsers reach the HTTP port (`port`, where it turned out so)."""
        host = "127.0.0.1" if self.http_host in ("", "0.0.0.0", "::") else self.http_host
        shown = f"[{host}]" if ":" in host else host
        return self.url or f"http://{shown}:{port or self.http_port}"

    def sign_in_link(self, token: str, port: int | None = None) -> str:
        """Give the address of the screen's page that a token signs in on."""
        return f"{self.address(port)}/screen/sign-in?token={token}"


def load(env_file: str | Path | None = ".env") -> Settings:
    """Read the environment and `.env`; raise SettingsError naming the first bad setting."""
    _check_names(env_file)
    try:
        settings = Settings(_env_file=env_file)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        shown = "" if name in _secret_names() else f"={first.get('input')!r}"
        raise SettingsError(
            f"{name}{shown} cannot be used: {first['msg'].removeprefix('Value error, ')}."
        ) from None
    _check_slack(settings)
    _check_llm(settings)
    return settings


def _secret_names() -> set[str]:
    return {str(Settings.model_fields[name].alias) for name in SECRETS}


def _check_names(env_file: str | Path | None) -> None:
    """Refuse what looks like a setting and is none: a guard with a slip in its name guards nothing."""
    known = [str(field.alias) for field in Settings.model_fields.values()]
    given = [*os.environ, *(dotenv_values(env_file) if env_file else {})]
    for name in map(str.upper, given):
        if name in known or not name.startswith("THREADWISE_") or name.startswith(TEST_PREFIX):
            continue
        close = difflib.get_close_matches(name, known, 1)
        cure = f"did you mean {close[0]}?" if close else "see .env.example for those there are."
        raise SettingsError(f"{name} is not a setting: {cure}")


def _check_slack(settings: Settings) -> None:
    if settings.slack_bot_token is None:
        return
    if not settings.slack_bot_token.startswith("xoxb-"):
        raise SettingsError(
            "SLACK_BOT_TOKEN does not start with xoxb-: copy the 'Bot User OAuth Token' of your app."
        )
    if settings.slack_mode == "socket":
        if not (settings.slack_app_token or "").startswith("xapp-"):
            raise SettingsError(
                "SLACK_APP_TOKEN is missing or does not start with xapp-: Socket Mode needs an"
                " app-level token with connections:write (or set THREADWISE_SLACK_MODE=http)."
            )
    elif settings.slack_signing_secret is None:
        raise SettingsError(
            "SLACK_SIGNING_SECRET is missing: THREADWISE_SLACK_MODE=http checks Slack's signature with it."
        )


def _check_llm(settings: Settings) -> None:
    if settings.llm_url is not None and settings.llm_model is None:
        raise SettingsError(
            "THREADWISE_LLM_MODEL is missing: name the model that THREADWISE_LLM_URL is to be asked for."
        )
