"""What a command loads before it works: nobody waits for models that are not asked for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "sentence_transformers", "transformers", "sklearn", "scipy", "numpy")
"""What counting, learning and encoding need; torch alone takes seconds and 200 MB."""

LOADED = """
import json, sys
try:
    {run}
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def loaded(run: str, **env: str) -> set[str]:
    """The packages that a process of its own has loaded when `run` is over."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(run=run)],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def command(*words: str) -> str:
    return f"from bot.cli.main import main; sys.argv[:] = ['threadwise', *{words!r}]; main()"


def test_help_loads_nothing_that_it_does_not_show() -> None:
    found = loaded(command("--help"))
    assert "typer" in found
    assert not found & {*HEAVY, "pydantic", "psycopg", "slack_sdk", "procrastinate"}


@pytest.mark.parametrize("words", [("eval", "--help"), ("models", "promote", "-h"), ("ask", "-h")])
def test_a_command_s_help_needs_no_database(words: tuple[str, ...]) -> None:
    assert not loaded(command(*words)) & {*HEAVY, "psycopg", "slack_sdk", "procrastinate"}


@pytest.mark.parametrize("words", [("sources",), ("sources", "--json"), ("models",), ("migrate",)])
def test_commands_that_only_look_things_up_load_no_models(
    words: tuple[str, ...], database_url: str, tmp_path: Path
) -> None:
    found = loaded(command(*words), DATABASE_URL=database_url, THREADWISE_HOME=str(tmp_path))
    assert "psycopg" in found
    assert not found & set(HEAVY)


@pytest.mark.parametrize("process", ["bot", "clock", "up", "worker"])
def test_a_process_is_there_before_its_models(process: str) -> None:
    assert not loaded(f"import bot.processes.{process}") & set(HEAVY)
