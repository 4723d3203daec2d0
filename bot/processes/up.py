"""`threadwise up`: everything on this machine from one command, and what a person sees of it.

Knows nothing about what the processes do; this one starts them, shows progress, and holds the talk.
"""

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot import indexing, jobs
from bot.processes import follow, screen
from bot.processes.children import Children
from bot.runtime.watchdog import watched
from bot.services import Services, open_services
from bot.settings import Settings
from bot.terminal import chat, console
from bot.terminal.chat import Conversation
from ingest.entries import SourceConfig

WATCH_SECONDS = 0.5

READY = "Ask anything that your documents answer. `help` shows what else you can type, Ctrl-D ends."
PIPED = "Questions are read from the input, one a line; it ends with them."
LIVE = (
    "Try it there: write to @Threadwise directly, or `/invite @Threadwise` into a channel and mention"
    " it with a question; `/ask` answers only you. A :+1: or :-1: on an answer makes it better."
    " Ctrl-C ends."
)


class NotReady(Exception):
    """Something that was asked for cannot be used; the message says what to do."""


def up(settings: Settings, docs: Path | None) -> int:
    """Run everything until Ctrl-C, SIGTERM or the end of the input; gives the exit code.

    1. Start the worker and the clock (and Slack's edge): loading the models takes longest.
    2. Meanwhile start and migrate the database, and queue a run of every source.
    3. Follow the runs; then talk here, or wait while Slack is served.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _check(settings, docs)
    steps = Steps(console.notices())
    try:
        with Children(settings.home / "logs") as children:
            return _run(settings, docs, children, steps)
    except KeyboardInterrupt:
        steps.console.print(Text("Stopped.", "dim"))
        return 0


class Steps:
    """Tells what is being done, and how long each step took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._began = time.monotonic()
        console.print(Text("Threadwise", "bold"))

    @contextmanager
    def step(self, doing: str) -> Iterator[list[str]]:
        """Show `doing` until the work inside is over, then what it put into the list, and the seconds."""
        began, done = time.monotonic(), list[str]()
        with self.console.status(doing):
            yield done
        for line in done:
            self.tell(line, time.monotonic() - began)

    def tell(self, line: str, seconds: float | None = None, *, is_well: bool = True) -> None:
        sign, style = ("✓", "green") if is_well else ("!", "yellow")
        took = "" if seconds is None else f"  {seconds:.1f} s"
        text = Text.assemble("  ", (sign, style), f" {line}", (took, "dim"))
        self.console.print(text, soft_wrap=True)

    def end(self, line: str) -> None:
        """Say that everything is there, after how long, and what to do now."""
        seconds = time.monotonic() - self._began
        text = Text.assemble("\n", (f"Ready after {seconds:.1f} s. ", "bold"), line)
        self.console.print(text, soft_wrap=not self.console.is_terminal)


def _check(settings: Settings, docs: Path | None) -> None:
    """Look at all that may be wrong before anything is started."""
    if docs is not None and not docs.expanduser().exists():
        raise NotReady(f"There is no {docs}. Give the folder that holds your documents, or a file.")
    if settings.talks_to_slack and settings.slack_mode == "http":
        _check_port(settings.http_host, settings.http_port)
    indexing.sources(settings)


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotReady(
                f"Cannot listen on {host}:{port} ({error.strerror or error})."
                " Set THREADWISE_HTTP_HOST and THREADWISE_HTTP_PORT to a free one."
            ) from error


def _run(settings: Settings, docs: Path | None, children: Children, steps: Steps) -> int:
    roles = ["worker", "clock", *(["bot"] if settings.talks_to_slack else [])]
    for role in roles:
        children.start(role)
    steps.tell(f"Started {', '.join(roles)}; logs in {settings.home / 'logs'}")
    with ExitStack() as stack:
        with steps.step("Starting the database") as done:
            services = stack.enter_context(open_services(settings))
            stack.enter_context(watched(services.server))
            done.append(_database(services))
        # They go before the database that they use.
        stack.callback(children.end)
        if settings.talks_to_slack:
            _connect(services, steps)
        if docs is not None:
            indexing.add(services, str(docs.expanduser()))
        _ingest(services, indexing.known(services), children, steps)
        if not settings.talks_to_slack:
            stack.enter_context(screen.served(services))
        return (
            _serve(children, steps) if settings.talks_to_slack else _talk(services, children, steps)
        )


def _database(services: Services) -> str:
    if services.server is None:
        return "Database reached and up to date"
    return f"Embedded Postgres runs, its data are in {services.server.folder}"


def _connect(services: Services, steps: Steps) -> None:
    from bot.slack import app

    with steps.step("Connecting to Slack") as done:
        team = app.connect(services.settings, services.database)
        done.append(f"Slack workspace {team}")


def _ingest(
    services: Services, configs: Sequence[SourceConfig], children: Children, steps: Steps
) -> None:
    """Queue a run of every source and follow them to their ends."""
    since, names = datetime.now(UTC), [config.name for config in configs]
    indexing.register(services, configs)
    for config in configs:
        if config.complaint:
            steps.tell(config.complaint, is_well=False)
    workspace = services.workspace
    with services.database.connection() as connection:
        for name in names:
            jobs.defer_ingest(connection, services.queue, workspace, name)
    with follow.bars(steps.console, names) as report:
        runs = follow.follow(services, names, since, report, children.check)
    for run in runs:
        steps.tell(indexing.summary(run), is_well=run.state == "done")
    for name in sorted(set(names) - {run.source for run in runs}):
        steps.tell(f"{name}: not read, see {children.log_of('worker')}", is_well=False)


def _talk(services: Services, children: Children, steps: Steps) -> int:
    steps.end(READY if sys.stdin.isatty() else PIPED)
    conversation = Conversation.through_queue(services, children.check)
    chat.converse(conversation, console.data(), chat.lines(console.data()))
    return 0


def _serve(children: Children, steps: Steps) -> int:
    steps.end(LIVE)
    forever = threading.Event()
    while not forever.wait(WATCH_SECONDS):
        children.check()
    return 0
