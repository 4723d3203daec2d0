"""`threadwise doctor`: looks at everything that may keep Threadwise from working, and says the cure.

Knows nothing about repairing: it changes nothing.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError

from rich.text import Text
from slack_sdk.errors import SlackApiError

from bot import embedding, indexing, intents, secrets
from bot.answering import classifier
from bot.services import Services, open_services
from bot.settings import ROOT, Settings
from bot.slack import clients
from bot.terminal import console
from ingest.config import ConfigError, example, open_source
from ingest.entries import SourceConfig, SourceError, Unreadable
from ingest.sandbox import Parser
from store import database, migrate, queue
from store.database import StoreError
from store.feedback import versions
from store.migrate import MigrationError
from store.redaction import redacted
from store.server.embedded import ServerError

MANIFEST = ROOT / "manifest.json"

FREE_BYTES = 2_000_000_000
"""Room for the embedded database of a few hundred thousand passages, and its log."""

ALIVE_SECONDS = 10.0

LLM_TASK = 'Reply with JSON and nothing else: {"text": "ready"}.'
LLM_SCHEMA = {
    "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"],
    "additionalProperties": False,
}  # fmt: skip

LLM_CURES = {
    "unreachable": "start its server, or correct THREADWISE_LLM_URL",
    "timeout": "take a smaller model, or raise THREADWISE_LLM_TIMEOUT",
    "http_401": "correct THREADWISE_LLM_KEY",
    "http_403": "correct THREADWISE_LLM_KEY, or ask for access to THREADWISE_LLM_MODEL",
    "http_404": "correct THREADWISE_LLM_MODEL, and THREADWISE_LLM_URL, which often ends in /v1",
    "http_400": "correct THREADWISE_LLM_MODEL: its server refuses the request",
    "http_429": "its limit is reached: wait, or ask for a higher one",
    "not_json": "correct THREADWISE_LLM_URL: what is there does not speak chat completions",
}
"""By why it was silent (bot.phrasing.client)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; what is not well says what to do."""

    line: str
    is_well: bool = True


def check(settings: Settings) -> bool:
    """Print a line for each thing that was looked at; True when all of them are well."""
    out, is_well = console.data(), True
    for finding in examine(settings):
        sign, style = ("✓", "green") if finding.is_well else ("✗", "red")
        out.print(Text.assemble((sign, style), f" {finding.line}"), soft_wrap=True)
        is_well = is_well and finding.is_well
    return is_well


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at disk, database, models, sources, intents, LLM and Slack, in this order; tells no secrets."""
    hidden = secrets.of(settings)
    for finding in _looked_at(settings):
        yield replace(finding, line=redacted(finding.line, hidden))


def _looked_at(settings: Settings) -> Iterator[Finding]:
    yield _home(settings)
    added: list[SourceConfig] = []
    yield from _guarded(lambda: _stored(settings, added), StoreError, ServerError, MigrationError)
    yield from _guarded(lambda: _model(settings), Exception)
    yield from _guarded(lambda: _sources(settings, added), ConfigError)
    yield from _guarded(lambda: _intents(settings), intents.IntentsError)
    yield llm(settings)
    if settings.talks_to_slack:
        yield from _slack(settings)
    else:
        yield Finding("Slack is not set up (no SLACK_BOT_TOKEN): questions come from the terminal")


def _guarded(look: Callable[[], Iterator[Finding]], *errors: type[Exception]) -> Iterator[Finding]:
    try:
        yield from look()
    except errors as error:
        yield Finding(str(error), is_well=False)


def _home(settings: Settings) -> Finding:
    place = settings.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    line = f"{settings.home}: {free / 1e9:.1f} GB free"
    if free < FREE_BYTES:
        return Finding(f"{line}; free some, or set THREADWISE_HOME to another disk", is_well=False)
    return Finding(line)


def _stored(settings: Settings, added: list[SourceConfig]) -> Iterator[Finding]:
    """Look at the database, and put into `added` the sources that it knows alone."""
    with open_services(settings, prepare=False) as services:
        # First what fails at once: a pool would wait half a minute for a server that is away.
        missing = migrate.pending(services.database.url)
        with services.database.reading() as connection:
            database.check_server(connection)
        kind = "Embedded Postgres" if services.server else "Postgres at DATABASE_URL"
        yield Finding(f"{kind} answers and has what is needed")
        if missing:
            yield Finding(f"Not migrated: {', '.join(missing)}; run `threadwise migrate`", False)
            return
        yield Finding("The schema is up to date")
        yield _queue(services)
        yield from _classifier(services)
        added += indexing.added(services)


def _queue(services: Services) -> Finding:
    with services.database.reading() as connection:
        alive = queue.workers(connection, ALIVE_SECONDS)
        waiting = sum(depth.waiting for depth in queue.depths(connection))
    if waiting and not alive:
        return Finding(
            f"{waiting} jobs wait and no worker runs; start `threadwise worker`", is_well=False
        )
    return Finding(f"{'A worker runs' if alive else 'No worker runs now'}, {waiting} jobs wait")


def _classifier(services: Services) -> Iterator[Finding]:
    """Look at the files of the classifier that serves: they lie on disk, not in the database."""
    from models.shelf import ShelfError

    with services.database.reading() as connection:
        version = versions.serving(connection, services.workspace).get(classifier.KIND)
    if version is None:
        yield Finding("No classifier is trained yet: the worker does so by itself")
        return
    try:
        classifier.verify(classifier.root(services.settings.home) / (version.path or ""))
    except ShelfError as error:
        yield Finding(str(error), is_well=False)
    else:
        yield Finding("The files of the classifier that serves are here and whole")


def _model(settings: Settings) -> Iterator[Finding]:
    loaded = embedding.configured(settings)
    yield Finding(f"The encoder {loaded.name} loads; its files are as they should be")
    if second := embedding.second(settings):
        yield Finding(f"The second encoder {second.name} loads")
    if reranker := embedding.reranker(settings):
        yield Finding(f"The reranker {reranker.name} loads")
    if reader := embedding.reader(settings):
        yield Finding(f"The reader {reader.name} loads")


def _sources(settings: Settings, added: Sequence[SourceConfig]) -> Iterator[Finding]:
    for config in [*indexing.sources(settings), *added] or [example()]:
        yield _source(config)
        if config.complaint:
            yield Finding(config.complaint, is_well=False)


def _source(config: SourceConfig) -> Finding:
    try:
        with closing(Parser()) as parser, closing(open_source(config)) as source:
            source.look = parser.look
            first = next(iter(source.entries()), None)
    except (SourceError, Unreadable) as error:
        return Finding(f"Source {config.name}: {error}", is_well=False)
    if first is None:
        return Finding(f"Source {config.name}: nothing in {config.address} to read", is_well=False)
    return Finding(f"Source {config.name}: {config.address} can be listed")


def _intents(settings: Settings) -> Iterator[Finding]:
    found = intents.load(settings.intents)
    yield Finding(f"{len(found)} intents in {settings.intents}")


def llm(settings: Settings) -> Finding:
    """Ask the LLM for one word, as answers ask it."""
    from bot.phrasing.client import Llm, Silent

    if settings.llm_url is None or settings.llm_model is None:
        return Finding("No LLM is set up (no THREADWISE_LLM_URL): answers are quotes alone")
    model = Llm(settings.llm_url, settings.llm_model, settings.llm_key)
    where = f"The LLM {settings.llm_model} at {settings.llm_url}"
    try:
        model.say(LLM_TASK, "{}", LLM_SCHEMA, seconds=settings.llm_timeout)
    except Silent as silent:
        cure = LLM_CURES.get(str(silent), "look in the log of its server")
        line = f"{where} gives nothing ({silent}); {cure}. Until then answers are quotes alone"
        return Finding(line, is_well=False)
    return Finding(f"{where} answers within {settings.llm_timeout:g} s")


def _slack(settings: Settings) -> Iterator[Finding]:
    client = clients.patient(settings.slack_bot_token, settings.slack_api_url)
    try:
        me = client.auth_test()
    except SlackApiError as error:
        yield Finding(str(clients.refusal(error, "auth.test") or error), is_well=False)
        return
    except (URLError, OSError) as error:
        yield Finding(
            f"Slack cannot be reached at {settings.slack_api_url}: {error}", is_well=False
        )
        return
    yield Finding(f"Slack knows the bot token: {me.get('user')} in {me.get('team')}")
    granted = {k.lower(): v for k, v in (me.headers or {}).items()}.get("x-oauth-scopes")
    if granted is not None:
        yield scopes({scope.strip() for scope in str(granted).split(",")})
    if settings.slack_mode == "socket":
        yield _socket(settings)


def scopes(granted: set[str]) -> Finding:
    """Compare what the token may do with what manifest.json asks for."""
    missing = sorted(needed_scopes(MANIFEST) - granted)
    if missing:
        return Finding(
            f"The bot token lacks {', '.join(missing)}; add them to the app (manifest.json has them"
            " all), reinstall it, and copy the new token",
            is_well=False,
        )
    return Finding("The bot token has every scope of manifest.json")


def needed_scopes(manifest: Path) -> set[str]:
    """Read the bot scopes out of Slack's app manifest."""
    found = json.loads(manifest.read_text(encoding="utf-8"))
    return set(found["oauth_config"]["scopes"]["bot"])


def _socket(settings: Settings) -> Finding:
    client = clients.patient(settings.slack_app_token, settings.slack_api_url)
    try:
        client.apps_connections_open(app_token=str(settings.slack_app_token))
    except SlackApiError as error:
        refused = clients.refusal(error, "apps.connections.open")
        return Finding(f"SLACK_APP_TOKEN: {refused or error}", is_well=False)
    except (URLError, OSError) as error:
        return Finding(f"Slack's socket cannot be asked for: {error}", is_well=False)
    return Finding("Slack opens a socket for the app token")
