"""Promises about the repository as a whole: arrows, where SQL and torch may stand."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "ingest", "models", "evals", "store")
SQL = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b")


def _files(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def test_arrows_point_down() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as l; l()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_says_what_it_is_for() -> None:
    silent = [
        p for p in _files(*PACKAGES) if not ast.get_docstring(ast.parse(p.read_text("utf-8")))
    ]
    assert silent == []


def test_sql_stands_in_the_store_alone() -> None:
    others = _files("bot", "ingest", "models", "evals")
    assert [p for p in others if SQL.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "module",
    ["bot.cli.main", "bot.processes.bot", "bot.processes.clock", "bot.processes.up", "ingest.run"],
)
def test_light_processes_load_no_torch(module: str) -> None:
    code = (
        f"import sys, {module}; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("path", _files("tests"), ids=lambda p: str(p.relative_to(ROOT)))
def test_tests_hand_things_in_and_patch_nothing_of_ours(path: Path) -> None:
    """Environment variables and the working directory may be set; the code under test may not."""
    assert patched(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("from bot import night\nnight.run = print", 1),
        ("import store.queue\ndel store.queue.fail", 1),
        ("type(services).answerer = None", 1),
        ("services.__dict__['embedder'] = None", 1),
        ("monkeypatch.setattr('bot.night.run', print)", 1),
        ("setattr(services, 'embedder', None)", 1),
        ("from unittest import mock", 1),
        ("from tests import fakes\nmachine = fakes.Machine()\nmachine.serving = 1", 0),
        ("monkeypatch.setenv('A', 'b')\nmonkeypatch.chdir('/')\nself.embedder = None", 0),
    ],
)
def test_what_counts_as_patching(code: str, count: int) -> None:
    assert len(patched(ast.parse(code))) == count


def patched(tree: ast.Module) -> list[str]:
    """Give the lines that change code of ours, or anything at all behind its back."""
    ours = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] in PACKAGES
    }
    return [ast.unparse(node) for node in ast.walk(tree) if _patches(node, ours)]


def _patches(node: ast.AST, ours: set[str]) -> bool:
    if isinstance(node, ast.Call):
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        return name in ("setattr", "delattr", "setitem", "delitem")
    if isinstance(node, ast.Import | ast.ImportFrom):
        module = getattr(node, "module", None) or ""
        return "mock" in {
            module.split(".")[-1],
            *(alias.name.split(".")[-1] for alias in node.names),
        }
    if isinstance(node, ast.Assign | ast.Delete):
        return any(_is_behind_the_back(target, ours) for target in node.targets)
    return isinstance(node, ast.AugAssign) and _is_behind_the_back(node.target, ours)


def _is_behind_the_back(target: ast.expr, ours: set[str]) -> bool:
    """Whether an assignment's target is a part of a module or class of ours, or in a `__dict__`."""
    inner = target
    while isinstance(inner, ast.Attribute | ast.Subscript):
        if isinstance(inner, ast.Attribute) and inner.attr == "__dict__":
            return True
        inner = inner.value
    if inner is target:
        return False
    is_type = isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "type"
    return is_type or (isinstance(inner, ast.Name) and inner.id in ours)
