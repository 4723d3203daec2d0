"""Fixtures that tests share: a real Postgres, once per run, and a fresh database per test.

Knows nothing about what is tested.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from store.database import Database
from store.server import binaries
from tests import postgres

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

pytest_plugins = ["tests.slack_fixtures"]

SHARED = pytest.StashKey[dict[str, str]]()


def pytest_report_header() -> str:
    """Say which Postgres the tests run on."""
    given = os.environ.get(postgres.OWN_SERVER)
    if given:
        return f"postgres: {urlsplit(given).hostname} (from {postgres.OWN_SERVER})"
    programs = binaries.find(binaries.account_for(Path("/nowhere")))
    versions = binaries.dotted(programs.version), binaries.dotted(programs.pgvector)
    return "postgres: {}, pgvector {}, {}".format(*versions, programs.folder)


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several workers one core for its sums, and the processes that it starts."""
    if hasattr(config, "workerinput"):
        os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_finish() -> None:
    """Take what was imported from the garbage collector, which would walk it at every training."""
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Let every worker of pytest-xdist use one Postgres, which ends after the last of them."""
    if SHARED not in node.config.stash:
        opened = ExitStack()
        node.config.add_cleanup(opened.close)  # after Ctrl-C, too
        url = opened.enter_context(postgres.running())
        node.config.stash[SHARED] = {
            "server": url,
            "template": opened.enter_context(postgres.migrated(url)),
        }
    node.workerinput.update(node.config.stash[SHARED])


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the process that started this worker has made for all of them; empty without workers."""
    return getattr(request.config, "workerinput", {})


@pytest.fixture(scope="session")
def server(shared: dict[str, str]) -> Iterator[str]:
    """The URL of one Postgres for the whole run, whose account may create databases."""
    if "server" in shared:
        yield shared["server"]
        return
    with postgres.running() as url:
        yield url


@pytest.fixture(scope="session")
def template(server: str, shared: dict[str, str]) -> Iterator[str]:
    """The name of a database with every migration applied, to copy from."""
    if "template" in shared:
        yield shared["template"]
        return
    with postgres.migrated(server) as name:
        yield name


@pytest.fixture
def empty_url(server: str) -> Iterator[str]:
    """The URL of a database of this test's own to which no migration was applied."""
    with postgres.database(server, "template1") as url:
        yield url


@pytest.fixture
def database_url(server: str, template: str) -> Iterator[str]:
    """The URL of a migrated, empty database of this test's own."""
    with postgres.database(server, template) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A Database on a migrated, empty database of this test's own."""
    opened = Database(database_url)
    yield opened
    opened.close()
