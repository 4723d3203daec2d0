"""Promises about the repository as a whole: arrows, where SQL and torch may stand."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
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


def test_migrations_are_numbered_one_by_one() -> None:
    names = sorted(path.name for path in (ROOT / "migrations").glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_every_package_that_is_imported_is_declared() -> None:
    """The product's in `dependencies` or the extras `onnx` and `reader`, the tests' in any extra."""
    needed, extras = declared()
    served = needed | extras["onnx"] | extras["reader"]
    assert imported(_files(*PACKAGES)) - served == set()
    assert (
        imported(_files("tests"))
        - served
        - extras["test"]
        - extras["test-s3"]
        - extras["test-browser"]
        == set()
    )


def test_every_package_that_is_declared_is_pinned_and_has_its_reason() -> None:
    needed, extras = declared()
    every = needed.union(*extras.values())
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert every - {_name(line) for line in lines if "==" in line} == set()
    design = (ROOT / "DESIGN.md").read_text(encoding="utf-8").replace("_", "-").lower()
    assert {
        name
        for name in needed | extras["onnx"] | extras["reader"] | extras["better"]
        if name.partition("-pypi-part-")[0] not in design
    } == set()


def declared() -> tuple[set[str], dict[str, set[str]]]:
    """Give the names of what pyproject.toml needs, and of what each extra needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {extra: set(map(_name, needed)) for extra, needed in extras.items()}
    return set(map(_name, project["dependencies"])), names


def imported(files: Iterable[Path]) -> set[str]:
    """Give the names of the packages that files import anywhere, inside of functions too."""
    modules = set[str]()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    given = importlib.metadata.packages_distributions()
    foreign = modules - sys.stdlib_module_names - {*PACKAGES, "tests"}
    return {_name(given.get(module, [module])[0]) for module in foreign}


def _name(requirement: str) -> str:
    """Give a requirement's name as PEP 503 compares it."""
    found = re.match(r"[\w.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


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
