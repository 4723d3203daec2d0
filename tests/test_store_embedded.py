"""The embedded Postgres: one server for everybody, back after every kind of sudden death.

Knows nothing about tables of ours.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from store.server import binaries, embedded
from store.server.embedded import Server, ServerError

DEADLINE_SECONDS = 60
BUSY = "select count(*) from pg_stat_activity where state = 'active' and query ~ '^select 1 from'"
HOLDER = """
import sys
from pathlib import Path
from store.server import embedded
server = embedded.start(Path(sys.argv[1]))
print(server.place.postmaster(), flush=True)
sys.stdin.read()
server.close()
"""

# Makes this process the parent of the postmaster, and one that never asks what became of it.
ZOMBIE = """
import ctypes, os, signal, sys
from pathlib import Path
from store.server import embedded
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
server = embedded.start(Path(sys.argv[1]))
pid = server.place.postmaster()
os.kill(pid, signal.SIGKILL)
while server.answers():
    pass
server.revive()
print(server.answers(), "State:\tZ" in Path(f"/proc/{pid}/status").read_text())
server.close()
"""


@pytest.fixture
def new_home() -> Iterator[Path]:
    """An empty home that the server's account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="threadwise-"))
    folder.chmod(0o755)
    yield folder / "var"
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """A home with a database in it, whose server is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="threadwise-"))
    folder.chmod(0o755)
    embedded.start(folder).close()
    yield folder
    shutil.rmtree(folder)


def test_a_process_that_comes_later_finds_the_same_server(used_home: Path) -> None:
    with running(used_home) as first, running(used_home) as second:
        assert first.url == second.url
        assert first.place.postmaster() == second.place.postmaster()


def test_the_last_holder_stops_the_server(used_home: Path) -> None:
    first, second = embedded.start(used_home), embedded.start(used_home)
    first.close()
    first.close()
    assert second.answers()
    second.close()
    assert not second.answers()
    assert second.place.postmaster() is None


def test_nobody_reaches_the_server_over_the_network_or_as_another_account(used_home: Path) -> None:
    with running(used_home) as server:
        assert value(server, "show listen_addresses") == ""
        assert server.place.sockets.stat().st_mode & 0o077 == 0
        assert server.folder.stat().st_mode & 0o077 == 0


def test_words_are_cut_at_typographic_quotes_and_dashes(used_home: Path) -> None:
    with running(used_home) as server:
        words = value(server, "select to_tsvector('english', '“Vacation” — Élan’s ÜBER')::text")
        assert words == "'vacat':1 'élan':2 'über':4"


def test_rows_survive_a_killed_postmaster(used_home: Path) -> None:
    with running(used_home) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept as select 1 as n")
        kill_postmaster(server)
        server.revive()
        assert server.answers()
        assert value(server, "select count(*) from kept") == 1


def test_a_busy_backend_of_a_killed_postmaster_does_not_hold_up_the_next(used_home: Path) -> None:
    with running(used_home) as server:
        backend = psycopg.connect(server.url, autocommit=True)
        backend.pgconn.send_query(b"select 1 from generate_series(1, 1000000000) n where n < 0")
        until(lambda: value(server, BUSY) == 1)
        kill_postmaster(server)
        began = time.monotonic()
        server.revive()
        assert server.answers()
        assert time.monotonic() - began < embedded.KILL_SECONDS
        backend.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process play init")
def test_a_killed_postmaster_that_nobody_buries_does_not_stop_the_next(used_home: Path) -> None:
    command = [sys.executable, "-c", ZOMBIE, str(used_home)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True True\n"


def test_several_watchers_revive_one_server(used_home: Path) -> None:
    with running(used_home) as server:
        kill_postmaster(server)
        with ThreadPoolExecutor(4) as watchers:
            list(watchers.map(lambda _: server.revive(), range(4)))
        assert server.answers()


def test_reviving_a_server_that_answers_leaves_it_alone(used_home: Path) -> None:
    with running(used_home) as server:
        before = server.place.postmaster()
        server.revive()
        assert server.place.postmaster() == before


def test_a_pid_file_that_names_a_stranger_neither_stops_a_start_nor_hurts_the_stranger(
    used_home: Path,
) -> None:
    server = embedded.start(used_home)
    kill_postmaster(server)
    with stranger(server) as other:
        for file in (
            server.place.data / "postmaster.pid",
            server.place.sockets / ".s.PGSQL.5432.lock",
        ):
            lines = file.read_text().split("\n")
            file.write_text("\n".join([str(other.pid), *lines[1:]]))
        server.close()
        assert other.poll() is None
        with running(used_home) as server:
            assert server.answers()
        assert other.poll() is None


def test_an_empty_pid_file_does_not_stop_a_start(used_home: Path) -> None:
    (used_home / "postgres" / "data" / "postmaster.pid").touch()
    with running(used_home) as server:
        assert server.answers()


def test_four_processes_starting_at_once_share_one_server(new_home: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(new_home)]
    holders = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    servers = {holder.stdout.readline().strip() for holder in holders if holder.stdout}
    for holder in holders:
        holder.kill()
        holder.communicate()
    assert len(servers) == 1 and servers.pop().isdecimal()
    with running(new_home) as server:
        assert server.answers()
    assert not server.answers()


def test_a_start_killed_while_it_makes_the_database_leaves_nothing_half_done(
    new_home: Path,
) -> None:
    command = [sys.executable, "-c", HOLDER, str(new_home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        until(lambda: any(new_home.glob("postgres/new-*/base")))
        starter.kill()
    with running(new_home) as server:
        assert server.answers()
    assert not list(server.folder.glob("new-*"))


def test_a_home_too_deep_for_a_socket_works_all_the_same(new_home: Path) -> None:
    deep = new_home / ("d" * 60) / ("e" * 60)
    with running(deep) as server:
        assert server.answers()
        assert server.place.data == deep / "postgres" / "data"


def test_a_home_with_spaces_and_an_apostrophe_works_all_the_same(new_home: Path) -> None:
    with running(new_home / "it's mine") as server:
        assert server.answers()


def test_a_home_whose_name_a_shell_would_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="rename it"):
        embedded.start(tmp_path / "$(touch x)")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_roots_closed_home_keeps_its_permissions_and_its_data_elsewhere(new_home: Path) -> None:
    new_home.mkdir(mode=0o700)
    elsewhere = binaries.ROOT_FOLDER / binaries.digest(str(new_home.resolve()))
    try:
        with running(new_home) as server:
            assert server.folder == elsewhere == (new_home / "postgres").resolve()
            assert server.answers()
        assert new_home.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


def test_data_of_another_major_version_are_left_alone(used_home: Path) -> None:
    version = used_home / "postgres" / "data" / "PG_VERSION"
    before = version.read_text()
    version.write_text("12\n")
    with pytest.raises(ServerError, match=r"made by Postgres 12.*pg_dump"):
        embedded.start(used_home)
    version.write_text(before)
    with running(used_home) as server:
        assert server.answers()


def test_a_server_that_cannot_start_says_why_in_one_line(used_home: Path) -> None:
    settings = used_home / "postgres" / "data" / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text("shared_buffers = nonsense\n")
    with pytest.raises(ServerError, match="shared_buffers") as caught:
        embedded.start(used_home)
    assert "\n" not in str(caught.value)
    settings.write_text(before)
    with running(used_home) as server:
        assert server.answers()


def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="THREADWISE_HOME"):
        embedded.start(tmp_path / "file")


def test_a_link_to_a_missing_disk_is_not_taken_for_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "postgres").symlink_to(tmp_path / "unmounted")
    with pytest.raises(ServerError, match="points to .* which is gone"):
        embedded.start(tmp_path)


@contextmanager
def running(home: Path) -> Iterator[Server]:
    """A started server that is closed at the end."""
    with closing(embedded.start(home)) as server:
        yield server


def stranger(server: Server) -> subprocess.Popen[bytes]:
    """A process of the server's account that has nothing to do with it."""
    account = server.place.account
    uid, gid = (account.uid, account.gid) if account.switch else (None, None)
    command = ["sh", "-c", "read line"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, user=uid, group=gid, cwd="/")


def kill_postmaster(server: Server) -> None:
    pid = server.place.postmaster()
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not server.answers())


def value(server: Server, query: str) -> object:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
