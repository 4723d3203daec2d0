"""The command line: `threadwise` and its commands; errors become one line with the cure.

Knows nothing about how the work is done; heavy parts are imported by the command that needs them.
"""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot import log
from bot.cli import (
    checker,
    evaluation,
    gaps,
    intents,
    learning,
    models,
    phrasing,
    questions,
    reader,
    sources,
)
from bot.terminal import console
from store.redaction import escaped, redacted

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(
    name="threadwise",
    help="Answers your team's questions from your team's documents: quoted, cited, honest.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
questions.register(app)
sources.register(app)
models.register(app)
learning.register(app)
gaps.register(app)
phrasing.register(app)
app.add_typer(intents.app, name="intents")
app.add_typer(reader.app, name="reader")
app.add_typer(checker.app, name="checker")
app.add_typer(evaluation.app, name="eval")


@app.callback()
def prepare(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show tracebacks.")] = False,
) -> None:
    """Read the settings once, before any command."""
    from bot import secrets
    from bot.settings import load

    settings = load()
    log.configure(settings.log_level, secrets.of(settings))
    context.obj = settings
    context.meta["verbose"] = verbose


@app.command()
def up(
    context: typer.Context,
    docs: Annotated[
        Path | None, typer.Option(help="A folder of documents, or a file, to ingest too.")
    ] = None,
) -> None:
    """Everything on this machine: embedded Postgres, and Slack or a conversation here."""
    from bot.processes import up

    raise typer.Exit(up.up(settings_of(context), docs))


@app.command()
def bot(context: typer.Context) -> None:
    """The Slack edge: claim, queue, acknowledge."""
    from bot.processes import bot

    bot.run(settings_of(context))


@app.command()
def screen(context: typer.Context) -> None:
    """Print a link that opens the screen, and serve it where nothing does yet."""
    from bot.processes import screen
    from bot.services import open_services

    settings = settings_of(context)
    with open_services(settings) as services:
        if screen.is_served(settings):
            print_link(screen.link(services))
            return
        with screen.served(services) as server:
            if server is None:
                _fail(
                    f"Port {settings.http_port} is taken: set THREADWISE_HTTP_PORT to a free one."
                )
            print_link(screen.link(services, server.port))
            console.notices().print("The screen is served until Ctrl-C.")
            signal.pause()


@app.command()
def worker(
    context: typer.Context,
    queue: Annotated[
        list[str] | None, typer.Option(help="Only this queue: questions or work.")
    ] = None,
) -> None:
    """Durable jobs: answers, ingestion, learning, rescue."""
    from bot.processes import worker

    worker.run(settings_of(context), queue)


@app.command()
def clock(context: typer.Context) -> None:
    """The schedule; any number may run, one leads."""
    from bot.processes import clock

    clock.run(settings_of(context))


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the database up to date."""
    from bot.services import open_services
    from store.migrate import migrate

    with open_services(settings_of(context), prepare=False) as services:
        names = migrate(services.database.url)
    console.notices().print(f"Applied {', '.join(names)}." if names else "Up to date.")


@app.command()
def doctor(context: typer.Context) -> None:
    """Check settings, database, model files, Slack tokens and scopes."""
    from bot.processes import doctor

    raise typer.Exit(0 if doctor.check(settings_of(context)) else 1)


def print_link(link: str) -> None:
    """Print a link as data, and how long it is good beside."""
    console.data().print(link, soft_wrap=True, markup=False, highlight=False)
    console.notices().print("Good once, for five minutes. Who opens it is an admin.")


def settings_of(context: typer.Context) -> "Settings":
    from bot.settings import Settings

    settings = context.obj
    assert isinstance(settings, Settings)
    return settings


def quieten() -> None:
    """Set what the libraries under the models read from the environment, before they are loaded."""
    # No library that loads a model may ask a hub; what is set by name is downloaded on purpose
    # (models/hub.py), unless HF_HUB_OFFLINE, which is the user's, forbids it.
    os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Threads that wait for one another must not spin: on two busy cores that cost 20 times the p95.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main() -> None:
    """Run the command line; a known error is one line on stderr and exit code 1."""
    quieten()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        # The reader of our output went away (`| head`); that is not our error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - shown without secrets, and the exit code says it
        is_verbose = "-v" in sys.argv or "--verbose" in sys.argv
        if not _is_known(error) or (is_verbose and not _is_setting(error)):
            _fail(traceback.format_exc().rstrip())
        _fail(str(error))


def _is_known(error: Exception) -> bool:
    """Errors of our own carry a line for the user; anything else is a defect and shows itself."""
    return type(error).__module__.split(".")[0] in {"bot", "ingest", "models", "evals", "store"}


def _is_setting(error: Exception) -> bool:
    """A setting that cannot be used needs no traceback, even where one is asked for."""
    from bot.settings import SettingsError

    return isinstance(error, SettingsError)


def _secrets() -> Sequence[str]:
    """Give what is never shown, as far as the settings can be read."""
    from bot import secrets
    from bot.settings import SettingsError, load

    try:
        return secrets.of(load())
    except SettingsError:
        return ()


def _fail(line: str) -> NoReturn:
    line = escaped(redacted(line, _secrets()))
    console.notices().print(line, style="red", markup=False, soft_wrap=True)
    sys.exit(1)
