"""What a package exports is what it names, in order, and each of it has its contract."""

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "layers" / "auditwire"


def exporting() -> list[str]:
    """The packages with names for others, as dotted names."""
    found = [*(LIBRARY / "auditwire").rglob("__init__.py"), ROOT / "local" / "auditwire_local" / "__init__.py"]
    return sorted(
        ".".join(path.parent.relative_to(ROOT / "local" if "local" in path.parts else LIBRARY).parts)
        for path in found
        if "__all__" in path.read_text(encoding="utf-8")
    )


def test_the_packages_that_export_are_found() -> None:
    assert set(exporting()) >= {"auditwire.events", "auditwire.rules", "auditwire.archive", "auditwire_local"}


@pytest.mark.parametrize("package", exporting())
def test_a_package_exports_what_it_names_and_nothing_else(package: str) -> None:
    module: Any = importlib.import_module(package)
    tree = ast.parse(inspect.getsource(module))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("auditwire")
        for alias in node.names
    }

    assert list(module.__all__) == sorted(set(module.__all__), key=_order)
    assert imported == set(module.__all__)


@pytest.mark.parametrize("package", exporting())
def test_what_is_exported_has_a_contract(package: str) -> None:
    module: Any = importlib.import_module(package)
    exported = {name: getattr(module, name) for name in module.__all__}
    own = {name: one for name, one in exported.items() if inspect.isclass(one) or inspect.isfunction(one)}

    assert [name for name, one in own.items() if not (one.__doc__ or "").strip()] == []


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name
