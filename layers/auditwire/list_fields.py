"""Writes auditwire/rules/list_fields.py from the types in the PyPI package kubernetes.

    uv pip install --target DIR --no-deps kubernetes && python layers/auditwire/list_fields.py DIR

The package carries Kubernetes' published OpenAPI as Python classes. They are read as text, never imported.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

OUTPUT: Final = Path(__file__).parent / "auditwire" / "rules" / "list_fields.py"
_WIDTH: Final = 120

Types = dict[str, dict[str, tuple[bool, str]]]
"""Each type: its fields, each with whether it is a list, and the type of it or its elements."""


def types_in(package: Path) -> Types:
    """The types of the stable versions in the package's folder."""
    found: Types = {}
    for file in sorted((package / "kubernetes" / "client" / "models").glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not re.search(r"V\d(?:alpha|beta)", node.name):
                found[node.name] = dict(_fields(node))
    return found


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, tuple[bool, str]]]:
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        annotation = ast.unparse(statement.annotation)
        if "ClassVar" in annotation or "Dict[" in annotation or statement.target.id.startswith("_"):
            continue
        name = statement.target.id
        for keyword in statement.value.keywords if isinstance(statement.value, ast.Call) else ():
            if keyword.arg == "serialization_alias" and isinstance(keyword.value, ast.Constant):
                name = str(keyword.value.value)
        types = re.findall(r"\b\w*V\d\w+", annotation)
        yield name, ("List[" in annotation, types[-1] if types else "")


def list_fields(types: Types) -> dict[str, list[str]]:
    """Fields that are lists of objects, each with the keys of its elements; without keys that an object has under the
    same name somewhere else."""
    in_lists: dict[str, set[str]] = {"items": {"apiVersion", "kind", "metadata", "spec", "status"}}
    in_objects: dict[str, set[str]] = {}
    pending = [name for name, fields in types.items() if {"apiVersion", "kind", "metadata"} <= set(fields)]
    seen = set(pending)
    while pending:
        for name, (is_list, inner) in types[pending.pop()].items():
            # A schema contains schemas, and nobody asks for what stands in them.
            if inner not in types or inner == "V1JSONSchemaProps":
                continue
            (in_lists if is_list else in_objects).setdefault(name, set()).update(types[inner])
            if inner not in seen:
                seen.add(inner)
                pending.append(inner)
    found = {name: sorted(keys - in_objects.get(name, set())) for name, keys in sorted(in_lists.items())}
    return {name: keys for name, keys in found.items() if keys}


def _lines(name: str, keys: list[str]) -> Iterator[str]:
    line = f'    "{name}": "{" ".join(keys)}",'
    if len(line) <= _WIDTH:
        yield line
        return
    yield f'    "{name}": ('
    part = ""
    for key in keys:
        if len(part) + len(key) > _WIDTH - 14:
            yield f'        "{part}"'
            part = ""
        part += f"{key} "
    yield f'        "{part.rstrip()}"'
    yield "    ),"


def main() -> None:
    """Write the table."""
    package = Path(sys.argv[1])
    version = next(package.glob("kubernetes-*.dist-info")).name.removeprefix("kubernetes-").removesuffix(".dist-info")
    head = f'''"""The fields of Kubernetes' objects that are lists of objects, with the keys of their elements.

Written by layers/auditwire/list_fields.py from version {version} of the PyPI package kubernetes. Do not edit.
"""

from collections.abc import Mapping
from typing import Final

LIST_FIELDS: Final[Mapping[str, str]] = {{'''
    lines = [line for name, keys in list_fields(types_in(package)).items() for line in _lines(name, keys)]
    OUTPUT.write_text("\n".join([head, *lines, "}"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
