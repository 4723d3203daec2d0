"""A git repository: cloned once where there is a place to keep it, then only fetched.

Knows nothing about hosting services: the git command reads the address, with its own credentials.
"""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.sources.folder import link_of

TIMEOUT_SECONDS = 1800
REGULAR = ("100644", "100755")
NOT_FOLLOWED = {
    "120000": "It is a link, which is not followed. What it leads to is read where it lies.",
    "160000": "It is a submodule, another repository. Make that a source of its own.",
}

# Never wait for a password; never run a helper that the address names.
QUIET = ("env", "GIT_TERMINAL_PROMPT=0", "GIT_SSH_COMMAND=ssh -oBatchMode=yes", "LC_ALL=C", "git")
SAFE = ("-c", "protocol.ext.allow=never", "-c", "core.quotePath=false", "-c", "gc.auto=0")


class Git(Source):
    """`address` is what `git clone` takes; `branch` is the default one unless named.

    `history = false` fetches no history: quicker, but then documents have no dates of their own.
    """

    OPTIONS: ClassVar[Mapping[str, type]] = {"branch": str, "history": bool}

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if config.cache:
            name = sha256(config.address.encode()).hexdigest()[:16]
            self.clone = Path(config.cache) / f"{config.name}-{name}.git"
        else:
            self._temporary = tempfile.TemporaryDirectory(prefix="threadwise-git-")
            self.clone = Path(self._temporary.name) / "clone.git"

    def entries(self) -> Iterator[Entry]:
        """Give every file of the branch; its version is the id of its content."""
        commit = self._fetch()
        dates = self._dates(commit)
        listing = self._git("ls-tree", "-r", "-l", "-z", "--full-tree", commit)
        for line in listing.split(b"\0"):
            about, _, name = line.partition(b"\t")
            fields = about.decode().split()
            path = _path(name)
            if len(fields) < 4 or not self._wants(path):
                continue
            if fields[0] in NOT_FOLLOWED:
                yield Entry(path=path, version=fields[2], ref=fields[0])
                continue
            if fields[0] not in REGULAR:
                continue
            yield Entry(
                path=path,
                version=fields[2],
                ref=fields[2],
                url=link_of(self.config, path),
                size=int(fields[3]) if fields[3].isdecimal() else None,
                updated_at=dates.get(path),
            )

    def _wants(self, path: str) -> bool:
        return self.config.wants(path) and not any(p.startswith(".") for p in path.split("/"))

    def read(self, entry: Entry, known: str | None) -> Content:
        """Read a file's content by its id."""
        if entry.ref in NOT_FOLLOWED:
            raise Unreadable(NOT_FOLLOWED[entry.ref], is_skip=True)
        try:
            return Content(self._git("cat-file", "blob", entry.ref), entry.path)
        except SourceError as error:
            raise Unreadable(str(error), is_passing=True) from error

    def close(self) -> None:
        """Remove the clone, unless there is a place to keep it."""
        if self._temporary:
            self._temporary.cleanup()

    def _fetch(self) -> str:
        """Bring the clone up to date; give the branch's commit."""
        branch = str(self.config.options.get("branch") or "HEAD")
        if not (self.clone / "HEAD").exists():
            self.clone.parent.mkdir(parents=True, exist_ok=True)
            self._run("init", "--quiet", "--bare", str(self.clone))
        depth = ["--depth=1"] if self.config.options.get("history") is False else []
        self._git(
            "fetch", "--quiet", "--no-tags", *depth, "--", self.config.address,
            f"+{branch}:refs/threadwise/current",
        )  # fmt: skip
        return self._git("rev-parse", "refs/threadwise/current").decode().strip()

    def _dates(self, commit: str) -> dict[str, datetime]:
        """Give when each path was last committed, from the history that was fetched."""
        if self.config.options.get("history") is False:
            return {}
        log = self._git("log", "--format=%x01%ct", "--name-only", "-z", "--no-renames", commit)
        dates: dict[str, datetime] = {}
        for change in log.split(b"\x01")[1:]:
            stamp, _, names = change.replace(b"\n", b"\0", 1).partition(b"\0")
            when = _moment(stamp)
            for name in names.split(b"\0"):
                if when and name.strip():
                    dates.setdefault(_path(name.strip(b"\n")), when)
        return dates

    def _git(self, *command: str) -> bytes:
        return self._run(f"--git-dir={self.clone}", *command)

    def _run(self, *command: str) -> bytes:
        try:
            done = subprocess.run(
                [*QUIET, *SAFE, *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=TIMEOUT_SECONDS,
            )
        except FileNotFoundError as error:
            raise SourceError("git is not installed. Install it, or use another kind.") from error
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"git did not end within {TIMEOUT_SECONDS // 60} min.") from error
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode("utf-8", "replace").strip().split("\n")
            raise SourceError(
                f"git cannot read {self.config.address}: {said[0]}. Correct the address or branch,"
                " or give this account access."
            ) from error
        return done.stdout


def _path(name: bytes) -> str:
    """Write out bytes that are no UTF-8: two names never become one."""
    return name.decode("utf-8", "backslashreplace")


def _moment(stamp: bytes) -> datetime | None:
    """Read a commit's time; None for one that nobody can have committed at."""
    try:
        seconds = int(stamp)
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
