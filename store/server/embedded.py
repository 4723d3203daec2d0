"""The embedded Postgres: one server per home folder, shared by every process that starts it.

Knows nothing about tables, migrations or pools.
"""

import fcntl
import logging
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import psycopg

from store.server import binaries, datafolder
from store.server.binaries import Programs, ServerError
from store.server.datafolder import DataFolder

__all__ = ["Server", "ServerError", "start"]

log = logging.getLogger(__name__)

START_SECONDS = 600  # recovery after a crash may take minutes
STOP_SECONDS = 30  # a last checkpoint takes a few; with a full disk it never ends
SILENT_SECONDS = 30  # how long a server may run without answering and without starting
ORPHAN_SECONDS = 30  # how long backends may outlive a killed postmaster
KILL_SECONDS = 10  # after which such backends are killed, not asked
PROBE_SECONDS = 3
POLL_SECONDS = 0.1
LOG_BYTES = 10_000_000
FREE_BYTES = 40_000_000  # with less, Postgres cannot be sure of its next two log files
SHARED_MEMORY_BYTES = 1_000_000_000  # with less, /dev/shm cannot hold a parallel index build
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")  # the first one known; text search sees letters by it

SETTINGS = """\
# Written by Threadwise at every start. For settings of your own use ALTER SYSTEM SET ...
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 128MB
effective_cache_size = 1GB
maintenance_work_mem = 256MB
max_parallel_maintenance_workers = 1
random_page_cost = 1.1
jit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 512MB
checkpoint_timeout = 10min
client_connection_check_interval = 1s
log_checkpoints = off
"""

State = Literal["up", "starting", "silent"]


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded server and this process's hold on it."""

    place: DataFolder
    hold: IO[bytes]

    @property
    def url(self) -> str:
        """Connects to the server's default database as its superuser."""
        return self.place.url

    @property
    def folder(self) -> Path:
        """Holds the data, the server's log and the locks."""
        return self.place.path

    def answers(self) -> bool:
        """Whether a real connection and `select 1` work now."""
        return _probe(self.url)[0] == "up"

    def revive(self) -> None:
        """Start the server again if it does not answer; ServerError when that fails."""
        if self.answers():
            return
        with _plainly(self.folder), self.place.changing():
            if not self.place.data.exists():
                raise ServerError(f"{self.place.data} is gone; restore it from a backup")
            _ensure(self.place)

    def close(self) -> None:
        """Give up this process's hold; the last holder stops the server."""
        if not self.hold.closed:
            with _plainly(self.folder), self.place.changing():
                _release(self.place, self.hold)


def start(home: Path) -> Server:
    """Return a running server whose data live under `home/postgres`, or raise ServerError.

    Safe from several processes at once: under the start lock each takes a shared hold, and the
    first one starts the server.
    """
    with _plainly(home):
        place = datafolder.settle(home)
        with place.changing():
            hold = place.hold()
            try:
                _ensure(place)
            except BaseException:
                _release(place, hold)
                raise
    return Server(place, hold)


@contextmanager
def _plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(
            f"the embedded Postgres of {folder} cannot run: {error}; free the disk or the "
            "permission, or set THREADWISE_HOME to another folder"
        ) from error


def _probe(url: str) -> tuple[State, str]:
    """What a real connection finds, and the words it was refused with."""
    try:
        with psycopg.connect(url, connect_timeout=PROBE_SECONDS, autocommit=True) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError as error:
        words = str(error).strip().partition("\n")[0]
        if "too many clients" in words or "connection slots" in words:
            return "up", words
        starting = re.search("starting up|in recovery|not yet accepting", words)
        return ("starting" if starting else "silent"), words
    return "up", ""


# The rest runs under the start lock.


def _ensure(place: DataFolder) -> None:
    """Start the server unless it answers, making its data first if there are none."""
    if _settled(place):
        return
    programs = binaries.find(place.account)
    if not place.data.exists():
        _create(programs, place)
    version = (place.data / "PG_VERSION").read_text().strip()
    if version != str(programs.version[0]):
        raise ServerError(
            f"{place.data} was made by Postgres {version}, here is Postgres "
            f"{programs.version[0]}; install {version} again and move the data over with pg_dump, "
            "or move that folder away to start empty"
        )
    place.forget_dead_server()
    _write_settings(place)
    _launch(programs, place)


def _settled(place: DataFolder) -> bool:
    """Wait while a server starts or stops; True when it answers, False when none is there.

    One that runs but cannot be reached is reported, not stopped: others may be using it.
    """
    began = time.monotonic()
    while True:
        state, words = _probe(place.url)
        if state == "up":
            return True
        pid = place.postmaster()
        if state == "silent" and pid is None:
            return False
        if time.monotonic() - began > (START_SECONDS if state == "starting" else SILENT_SECONDS):
            raise ServerError(
                f"the Postgres of {place.path} (process {pid}) runs but does not answer: "
                f"{_space(place) or words}; stop it with `kill -QUIT {pid}` and start again"
            )
        time.sleep(POLL_SECONDS)


def _create(programs: Programs, place: DataFolder) -> None:
    """Make the data under another name first, so that a killed initdb leaves none."""
    if place.account.name.isdecimal():
        raise ServerError(
            f"Postgres needs a name for account {place.account.name}; add it to /etc/passwd, "
            "run Threadwise as another account, or set DATABASE_URL"
        )
    for leftover in place.path.glob("new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = place.path / f"new-{secrets.token_hex(4)}"
    options = ["--username=threadwise", "--auth=trust", "--encoding=UTF8", "--lc-collate=C"]
    options += ["--lc-messages=C", "--data-checksums", "--text-search-config=english"]
    if programs.version >= (17,):
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if programs.version >= (17,) and sys.platform == "linux":
        options += ["--sync-method=syncfs"]
    for locale in LOCALES:
        initdb = programs.path("initdb")
        done = place.account.run(initdb, "-D", fresh, f"--lc-ctype={locale}", *options)
        if "invalid locale" not in done.stderr:
            break
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerError(
            f"cannot make a database in {place.path}: {_telling(done.stderr)}; "
            "free the disk or set THREADWISE_HOME to another folder"
        )
    with (fresh / "postgresql.conf").open("a") as file:
        file.write("include = 'threadwise.conf'\n")
    fresh.rename(place.data)


def _write_settings(place: DataFolder) -> None:
    quoted = '"' + str(place.sockets).replace('"', '""') + '"'  # the setting is a list of paths
    escaped = quoted.replace("\\", "\\\\").replace("'", "''")
    text = SETTINGS + f"unix_socket_directories = '{escaped}'\n"
    if sys.platform == "linux":  # recovery would sync file by file: 4 s instead of 0.4 s
        text += "recovery_init_sync_method = syncfs\n"
    memory = Path("/dev/shm")
    if memory.exists() and shutil.disk_usage(memory).total < SHARED_MEMORY_BYTES:
        text += "dynamic_shared_memory_type = mmap\n"  # containers give it 64 MB
    place.write("threadwise.conf", text)


def _launch(programs: Programs, place: DataFolder) -> None:
    if place.log.exists() and place.log.stat().st_size > LOG_BYTES:
        place.log.replace(place.log.with_suffix(".old"))
    pg_ctl = (programs.path("pg_ctl"), "-D", place.data, "-l", place.log)
    began = time.monotonic()
    while True:
        seen = place.log.stat().st_size if place.log.exists() else 0
        done = place.account.run(*pg_ctl, "start", "-w", "-t", str(START_SECONDS))
        if _settled(place):
            return
        said = place.log.read_bytes()[seen:].decode(errors="replace") if place.log.exists() else ""
        waited = time.monotonic() - began
        if "shared memory block" not in said or waited > ORPHAN_SECONDS:
            raise ServerError(
                f"Postgres did not start: {_space(place) or _telling(said or done.stderr)}; "
                f"put that right and start again (more in {place.log})"
            )
        # A killed postmaster's backends finish their queries first: ask them not to.
        for pid in place.backends():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if waited > KILL_SECONDS else signal.SIGTERM)
        time.sleep(POLL_SECONDS)


def _release(place: DataFolder, hold: IO[bytes]) -> None:
    with hold, suppress(BlockingIOError):
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Asked first, because pg_ctl signals whatever process the pid file names.
        if place.postmaster() is not None:
            _stop(place)


def _stop(place: DataFolder) -> None:
    pg_ctl = (binaries.find(place.account).path("pg_ctl"), "-D", place.data, "stop")
    if place.account.run(*pg_ctl, "-m", "fast", "-t", str(STOP_SECONDS)).returncode != 0:
        # Nothing committed is lost: the next start recovers, as after a power cut.
        done = place.account.run(*pg_ctl, "-m", "immediate")
        reason = _space(place) or _telling(done.stderr)
        log.warning("the Postgres of %s did not stop in an orderly way: %s", place.path, reason)
    with suppress(OSError):
        place.sockets.rmdir()


def _space(place: DataFolder) -> str:
    """What to say when the disk is full, which Postgres cannot even log then."""
    free = shutil.disk_usage(place.path).free
    return f"the disk has {free // 1_000_000} MB left, free some space" if free < FREE_BYTES else ""


def _telling(text: str) -> str:
    """The last lines that tell what went wrong, on one line and without their time stamps."""
    lines = [re.sub(r"^.*\[\d+\] ", "", line.strip()) for line in text.splitlines()]
    telling = [line for line in lines if re.search("FATAL|PANIC|error|invalid", line)]
    return "; ".join((telling or list(filter(None, lines)))[-2:]) or "no reason given"
