"""The embedded Postgres: one server per home folder, shared by every process that starts it.

Knows nothing about tables, migrations or pools.
"""

import fcntl
import logging
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from urllib.parse import quote

import psycopg

from store import binaries
from store.binaries import Account, Programs, ServerError

__all__ = ["Server", "ServerError", "start"]

log = logging.getLogger(__name__)

START_SECONDS = 600  # recovery after a crash may take minutes
ORPHAN_SECONDS = 30  # how long backends may outlive a killed postmaster
KILL_SECONDS = 10  # after which such backends are killed, not asked
PROBE_SECONDS = 3
POLL_SECONDS = 0.1
SOCKET_PATH_BYTES = 100  # macOS takes 103, Linux 107
SOCKET = ".s.PGSQL.5432"
LOG_BYTES = 10_000_000
SHARED_MEMORY_BYTES = 1_000_000_000  # below it /dev/shm cannot hold a parallel index build
NO_SUCH_PID = 2_147_483_647  # above any system's largest process id
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")  # the first the system knows; text search reads letters

SETTINGS = """\
# Written by Threadwise at every start. Your own settings: ALTER SYSTEM SET ...
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
log_line_prefix = '%m [%p] '
"""

State = Literal["up", "busy", "down"]  # busy: a server is there but takes no work yet


@dataclass(frozen=True, slots=True)
class Server:
    """A running embedded server and this process's hold on it.

    `url` connects to it as its superuser; `folder` holds the data, the log and the locks.
    """

    url: str
    folder: Path
    account: Account
    hold: IO[bytes]

    def answers(self) -> bool:
        """Whether a real connection and `select 1` work now."""
        return _state(self.url) == "up"

    def revive(self) -> None:
        """Start the server again when it does not answer; ServerError when that fails."""
        if self.answers():
            return
        with _clear_errors(self.folder), _locked(self.folder, self.account):
            _ensure(self)

    def close(self) -> None:
        """Give up this process's hold; the last holder stops the server."""
        if self.hold.closed:
            return
        with _clear_errors(self.folder), _locked(self.folder, self.account):
            with self.hold, suppress(BlockingIOError):
                fcntl.flock(self.hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(self)


def start(home: Path) -> Server:
    """Return a running server whose data live under `home/postgres`; raise ServerError if none can.

    1. Settle which account runs it and where the data folder is.
    2. Under the start lock, take a shared hold, then start the server unless one answers.
    """
    with _clear_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        home = home.resolve()
        account = binaries.account_for(home / "postgres")
        folder = _folder(home, account)
        sockets = _socket_folder(folder, account)
        url = f"postgresql://threadwise@/postgres?host={quote(str(sockets), safe='')}&port=5432"
        with _locked(folder, account):
            hold = _open(folder / "holders.lock", account)
            fcntl.flock(hold, fcntl.LOCK_SH)
            server = Server(url, folder, account, hold)
            try:
                _ensure(server)
            except BaseException:
                hold.close()
                raise
    return server


# Folders and locks


def _folder(home: Path, account: Account) -> Path:
    """The folder for everything of ours, made if need be; root's account may need another place."""
    link = home / "postgres"
    if link.is_symlink() and not link.exists():
        raise ServerError(
            f"{link} points to {link.readlink()}, which is gone; bring that folder back, "
            f"or remove {link} to start with an empty database"
        )
    if not link.exists():
        if account.can_use(home):
            _make(link, account)
        else:
            place = binaries.ROOT_FOLDER / binaries.digest(str(home))
            binaries.ROOT_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
            _make(place, account)
            with suppress(FileExistsError):
                link.symlink_to(place)
            log.warning("%s is closed to account %s, data are in %s", home, account.name, place)
    folder = link.resolve()
    if not account.can_use(folder, "-w"):
        raise ServerError(
            f"account {account.name} cannot write {folder}; give it that folder "
            "or set THREADWISE_HOME to another one"
        )
    return folder


def _make(folder: Path, account: Account) -> None:
    """Make a private folder owned by `account`; an existing one is left as it is."""
    if folder.exists():
        return
    fresh = folder.with_name(f"{folder.name}-{secrets.token_hex(4)}")
    fresh.mkdir(mode=0o700)
    if account.switch:
        os.chown(fresh, account.uid, account.gid)
    try:
        fresh.rename(folder)
    except OSError:  # another process was quicker
        fresh.rmdir()


def _socket_folder(folder: Path, account: Account) -> Path:
    """Where the socket lies: beside the data, or in /tmp when that path is too long for one."""
    sockets = folder / "run"
    if len(os.fsencode(sockets / SOCKET)) > SOCKET_PATH_BYTES:
        # Not the TMPDIR of this process: all processes of a home must agree on the place.
        sockets = Path(f"/tmp/threadwise-{binaries.digest(str(folder))}")
    _make(sockets, account)
    found = sockets.lstat()
    if sockets.is_symlink() or found.st_uid != account.uid or found.st_mode & 0o077:
        raise ServerError(f"{sockets} is not a private folder of {account.name}; remove it")
    return sockets


def _open(path: Path, account: Account) -> IO[bytes]:
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    if account.switch and os.fstat(file.fileno()).st_uid == 0:
        os.fchown(file.fileno(), account.uid, account.gid)
    return file


@contextmanager
def _locked(folder: Path, account: Account) -> Iterator[None]:
    """One process at a time starts or stops; the kernel frees the lock of a killed one."""
    with _open(folder / "start.lock", account) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _clear_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(
            f"the embedded Postgres of {place} cannot run: {error}; "
            "free the disk or the permission, or set THREADWISE_HOME to another folder"
        ) from error


# Starting and stopping, under the start lock


def _ensure(server: Server) -> None:
    if _settled(server):
        return
    programs = binaries.find(server.account)
    data = server.folder / "data"
    if not data.exists():
        _create(programs, server)
    version = (data / "PG_VERSION").read_text().strip()
    if version != str(programs.major):
        raise ServerError(
            f"{data} was made by Postgres {version} but {programs.folder} is Postgres "
            f"{programs.major}; install {version} and move the data over with pg_dump, "
            "or move that folder away to start empty"
        )
    _forget_dead_server(server)
    _write_settings(server)
    _launch(programs, server)


def _state(url: str) -> State:
    try:
        with psycopg.connect(url, connect_timeout=PROBE_SECONDS, autocommit=True) as connection:
            connection.execute("select 1")
    except psycopg.errors.ConnectionTimeout:
        return "busy"
    except psycopg.OperationalError as error:
        if "connection slots" in str(error) or "too many clients" in str(error):
            return "up"
        return "busy" if "FATAL" in str(error) else "down"
    return "up"


def _settled(server: Server) -> bool:
    """Wait while a server is starting or stopping; True when it answers, False when none is there.

    A server that runs but whose socket nobody can reach is reported, never stopped: it may be
    serving processes that see another /tmp.
    """
    deadline = time.monotonic() + START_SECONDS
    while (state := _state(server.url)) != "up":
        pid = _pid(server.folder / "data" / "postmaster.pid")
        ours = pid is not None and _serves(pid, server.folder / "data")
        if state == "down" and not ours:
            return False
        ready = "ready" in _text(server.folder / "data" / "postmaster.pid")
        if time.monotonic() > deadline or (state == "down" and ready):
            raise ServerError(
                f"a Postgres runs on {server.folder / 'data'} (process {pid}) but does not "
                f"answer; stop it with `kill -INT {pid}` and start again"
            )
        time.sleep(POLL_SECONDS)
    return True


def _create(programs: Programs, server: Server) -> None:
    """Make the data folder under another name first, so that a killed initdb leaves none."""
    for leftover in server.folder.glob("new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = server.folder / f"new-{secrets.token_hex(4)}"
    options = ["--username=threadwise", "--auth=trust", "--encoding=UTF8", "--lc-collate=C"]
    options += ["--lc-messages=C", "--data-checksums", "--text-search-config=english"]
    if programs.major >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    for locale in LOCALES:
        initdb = programs.path("initdb")
        done = server.account.run(initdb, "-D", fresh, f"--lc-ctype={locale}", *options)
        if "invalid locale" not in done.stderr:
            break
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerError(f"cannot make a database in {server.folder}: {_last(done.stderr)}")
    with (fresh / "postgresql.conf").open("a") as file:
        file.write("include_if_exists = 'threadwise.conf'\n")
    fresh.rename(server.folder / "data")


def _forget_dead_server(server: Server) -> None:
    """Clear the traces of a killed server whose process id now belongs to someone else.

    Called when none answers. The pid file is pointed at an impossible process rather than
    removed, so that Postgres still checks the old server's shared memory for live backends.
    """
    data = server.folder / "data"
    for lock in (data / "postmaster.pid", _sockets(server) / f"{SOCKET}.lock"):
        if not lock.exists():
            continue
        pid = _pid(lock)
        if pid is None or lock.name != "postmaster.pid":
            lock.unlink()
        else:
            lock.write_text(_text(lock).replace(str(pid), str(NO_SUCH_PID), 1))


def _write_settings(server: Server) -> None:
    lines = [SETTINGS, f"unix_socket_directories = '\"{_sockets(server)}\"'\n"]
    memory = Path("/dev/shm")
    if memory.exists() and shutil.disk_usage(memory).total < SHARED_MEMORY_BYTES:
        lines.append("dynamic_shared_memory_type = mmap\n")  # containers give it 64 MB
    (server.folder / "data" / "threadwise.conf").write_text("".join(lines))


def _launch(programs: Programs, server: Server) -> None:
    data, output = server.folder / "data", server.folder / "server.log"
    if output.exists() and output.stat().st_size > LOG_BYTES:
        output.replace(output.with_suffix(".old"))
    began = time.monotonic()
    while True:
        seen = output.stat().st_size if output.exists() else 0
        options = ("start", "-w", "-t", str(START_SECONDS))
        done = server.account.run(
            programs.path("pg_ctl"), *options, "-D", data, "-l", output
        )
        if done.returncode == 0 or _settled(server):
            return
        said = output.read_bytes()[seen:].decode(errors="replace") if output.exists() else ""
        waited = time.monotonic() - began
        if "shared memory block" not in said or waited > ORPHAN_SECONDS:
            raise ServerError(f"Postgres did not start: {_last(said or done.stderr)}; see {output}")
        _end_orphans(data, signal.SIGKILL if waited > KILL_SECONDS else signal.SIGTERM)
        time.sleep(POLL_SECONDS)


def _end_orphans(data: Path, how: signal.Signals) -> None:
    """End backends that outlived their postmaster; elsewhere than on Linux they end alone."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == data:
                os.kill(int(process.name), how)


def _stop(server: Server) -> None:
    data = server.folder / "data"
    if _pid(data / "postmaster.pid") is None:
        return
    programs = binaries.find(server.account)
    done = server.account.run(programs.path("pg_ctl"), "stop", "-m", "fast", "-D", data)
    if done.returncode != 0:
        log.warning("Postgres of %s did not stop: %s", server.folder, _last(done.stderr))


# Reading what servers leave behind


def _sockets(server: Server) -> Path:
    return _socket_folder(server.folder, server.account)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _pid(lock: Path) -> int | None:
    first = _text(lock).partition("\n")[0].strip()
    return int(first) if first.isdecimal() else None


def _serves(pid: int, data: Path) -> bool:
    """Whether `pid` is a postmaster of `data`: its command line names the folder.

    A zombie has no command line, and backends show another one.
    """
    if Path("/proc/self").exists():
        return os.fsencode(data) in _command(pid)
    found = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True)
    return os.fsencode(data) in found.stdout


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _last(text: str) -> str:
    """The last lines worth quoting, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line] or lines
    return "; ".join(telling[-2:]) or "no reason given"
