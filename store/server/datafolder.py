"""The folder of the embedded Postgres: where it is, who owns it, its locks and its pid file.

Knows nothing about starting or stopping a server.
"""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from store.server import binaries
from store.server.binaries import Account, ServerError

log = logging.getLogger(__name__)

SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 100  # macOS takes 103, Linux 107
SHELL = '"$`\\'  # what a shell reads inside double quotes
NO_SUCH_PID = 2_147_483_647  # above any system's largest process id


@dataclass(frozen=True, slots=True)
class DataFolder:
    """`path` holds the data, the log and the locks; `sockets` may be a shorter path elsewhere."""

    path: Path
    sockets: Path
    account: Account

    @property
    def data(self) -> Path:
        """What Postgres calls its data directory."""
        return self.path / "data"

    @property
    def log(self) -> Path:
        """Where the server's own lines go."""
        return self.path / "server.log"

    @property
    def url(self) -> str:
        """The URL of the server's default database, as its superuser."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql://threadwise@/postgres?host={host}&port=5432"

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One process at a time starts or stops; the kernel frees the lock of a killed one."""
        with self._open("start.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def hold(self) -> IO[bytes]:
        """Take a shared hold on the server; closing the file gives it up, and so does dying."""
        file = self._open("holders.lock")
        fcntl.flock(file, fcntl.LOCK_SH)
        return file

    def postmaster(self) -> int | None:
        """The process id of a living server of this folder, whether it answers or not."""
        pid = _pid(self.data / "postmaster.pid")
        return pid if pid is not None and self._serves(pid) else None

    def forget_dead_server(self) -> None:
        """Clear the traces of a killed server; call when `postmaster` is None.

        Its process id may be someone else's by now, which Postgres takes for a running server.
        The pid file is pointed at an impossible process rather than removed, so that Postgres
        still looks for backends that use the old server's shared memory.
        """
        (self.sockets / f"{SOCKET}.lock").unlink(missing_ok=True)
        file = self.data / "postmaster.pid"
        pid = _pid(file)
        if pid is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(file.read_text().replace(str(pid), str(NO_SUCH_PID), 1))

    def write(self, name: str, text: str) -> None:
        """Write a file of the data directory that the server can read, whatever our umask."""
        file = self.data / name
        file.write_text(text)
        if self.account.switch:
            os.chown(file, self.account.uid, self.account.gid)

    def backends(self) -> list[int]:
        """Processes that work in the data directory; empty where there is no /proc."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (process / "cwd").readlink() == self.data:
                    found.append(int(process.name))
        return found

    def _open(self, name: str) -> IO[bytes]:
        file = os.fdopen(os.open(self.path / name, os.O_RDWR | os.O_CREAT, 0o600), "r+b", 0)
        if self.account.switch and os.fstat(file.fileno()).st_uid == 0:
            os.fchown(file.fileno(), self.account.uid, self.account.gid)
        return file

    def _serves(self, pid: int) -> bool:
        """Whether the command line of `pid` is a postmaster's of this folder.

        A zombie has no command line, and a backend shows another one.
        """
        command = Path(f"/proc/{pid}/cmdline")
        if Path("/proc/self").exists():
            with suppress(OSError):
                return os.fsencode(self.data) in command.read_bytes().split(b"\0")
            return False
        shown = self.account.run("ps", "-ww", "-o", "command=", "-p", str(pid)).stdout
        return f"-D {self.data}" in shown


def settle(home: Path) -> DataFolder:
    """The folder under `home`, made if need be; ServerError says why there can be none."""
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    link = home / "postgres"
    if set(str(home)) & set(SHELL):  # pg_ctl hands the path to a shell, in double quotes
        raise ServerError(f"Postgres cannot work in {home}, its name has one of {SHELL}; rename it")
    if link.is_symlink() and not link.exists():
        raise ServerError(
            f"{link} points to {link.readlink()}, which is gone; bring that folder back, "
            f"or remove {link} to start with an empty database"
        )
    account = binaries.account_for(link)
    if not link.exists():
        _place(home, link, account)
    path = link.resolve()
    if not account.can_use(path, "-w"):
        raise ServerError(
            f"account {account.name} cannot write {path}; give it that folder "
            "or set THREADWISE_HOME to another one"
        )
    return DataFolder(path, _sockets(path, account), account)


def _place(home: Path, link: Path, account: Account) -> None:
    """Make the folder in `home`, or elsewhere with a link when root's account cannot get there."""
    if account.can_use(home):
        _make(link, account)
        return
    place = binaries.root_folder() / binaries.digest(str(home))
    _make(place, account)
    with suppress(FileExistsError):
        link.symlink_to(place)
    log.warning("%s is closed to account %s: its database is in %s", home, account.name, place)


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


def _sockets(path: Path, account: Account) -> Path:
    """Where the socket lies: beside the data, or in /tmp when that path is too long for one."""
    sockets = path / "run"
    if len(os.fsencode(sockets / SOCKET)) > SOCKET_PATH_BYTES:
        # Not this process's TMPDIR: all processes of a home must agree on the place.
        sockets = Path(f"/tmp/threadwise-{binaries.digest(str(path))}")
    _make(sockets, account)
    found = sockets.lstat()
    if sockets.is_symlink() or found.st_uid != account.uid or found.st_mode & 0o077:
        raise ServerError(f"{sockets} is not a private folder of {account.name}; remove it")
    return sockets


def _pid(file: Path) -> int | None:
    try:
        first = file.read_text().partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None
