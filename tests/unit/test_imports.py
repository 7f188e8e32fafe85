"""Imports point one way, the core is pure, and functions stay short."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "layers" / "auditwire" / "auditwire"

# A part may import parts of a lower rank only, and of its own rank only itself.
RANKS = {
    "documents": 0,
    "senders": 0,
    "condition": 1,
    "events": 1,
    "policy": 2,
    "rules": 3,
    "pipeline": 4,
    "aws": 4,
    "clusters": 5,
    "thresholds": 5,
    "archive": 6,
    "alerts": 6,
    "measure": 6,
    "measured": 6,
    "bundles": 7,
    "analysis": 7,
    "ledger": 7,
    "search": 7,
    "ingest": 8,
    "watch": 8,
    "ocsf": 8,
    "evidence": 9,
}
PURE = ("documents", "senders", "condition", "events", "policy", "rules", "pipeline", "analysis")
IMPURE_MODULES = {"boto3", "botocore", "requests", "urllib3", "socket", "subprocess", "aws_lambda_powertools", "moto"}
CLOCKS = {"time", "random", "secrets"}


def modules() -> list[Path]:
    return sorted(path for path in LIBRARY.rglob("*.py") if path != LIBRARY / "__init__.py")


def part_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> tuple[str, ...]:
    """The dotted names a module imports, wherever in it."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            if node.module == "auditwire":
                yield from (f"auditwire.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    own = part_of(path)
    others = {name.split(".")[1] for name in imports(path) if name.startswith("auditwire.")} - {own, "__version__"}

    upwards = {other for other in others if RANKS[other] >= RANKS[own]}

    assert not upwards


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) in PURE], ids=lambda path: path.stem)
def test_the_core_touches_neither_aws_nor_network_nor_clock(path: Path) -> None:
    heads = {name.split(".")[0] for name in imports(path)}

    assert not heads & (IMPURE_MODULES | CLOCKS)


def test_the_architecture_shows_these_floors() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", page, re.MULTILINE)

    assert {name: int(floor) for floor, parts in rows for name in re.findall(r"`(\w+)`", parts)} == RANKS


def test_modules_make_no_circle() -> None:
    names = {".".join(("auditwire", *path.relative_to(LIBRARY).with_suffix("").parts)): path for path in modules()}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    # A package's __init__ only names again what its modules define; what a module takes from there is theirs.
    found = {
        name: {other for other in imports(path) if other in names and names[other].stem != "__init__"}
        for name, path in names.items()
        if path.stem != "__init__"
    }

    TopologicalSorter(found).prepare()


def test_the_library_knows_nothing_of_command_line_and_local_system() -> None:
    heads = {name.split(".")[0] for path in modules() for name in imports(path)}

    assert not heads & {"auditwire_cli", "auditwire_local", "typer", "rich", "moto", "samtranslator"}


def test_only_the_local_system_knows_moto_and_the_sam_translator() -> None:
    heads = {name.split(".")[0] for path in (ROOT / "cli").rglob("*.py") for name in imports(path)}

    assert not heads & {"moto", "samtranslator"}


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_a_function_wires_and_does_nothing_else(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 60
