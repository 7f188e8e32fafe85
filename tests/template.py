"""template.yaml as the tests read it: the source document, and what SAM makes of it."""

import hashlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform

from auditwire_local.deploy import read_template

ROOT = Path(__file__).resolve().parents[1]
Document = dict[str, Any]


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def source(root: Path = ROOT) -> Document:
    """template.yaml, to be changed freely; short-form functions (`!Ref X`) come as their long form."""
    return deepcopy(_read(root / "template.yaml"))


@cache
def _read(path: Path) -> Document:
    return read_template(path)


def translated(artefacts: Mapping[str, str], parameters: Mapping[str, str] | None = None) -> Document:
    """The CloudFormation template, with each function's and layer's code at an address that names its content.

    `artefacts` gives a word per logical id, as `sam package` gives the digest of each folder.
    """
    document = source()
    for logical_id, resource in document["Resources"].items():
        for name in ("CodeUri", "ContentUri"):
            if name in resource["Properties"]:
                resource["Properties"][name] = f"s3://artefacts/{artefacts.get(logical_id, 'unchanged')}"
    result: Document = transform(document, dict(parameters or {}), _NoManagedPolicies())
    return result


def of_type(document: Document, kind: str) -> dict[str, Document]:
    """The properties of each resource of a type, by logical id."""
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in document["Resources"].items()
        if resource["Type"] == kind
    }


def references(value: object) -> Iterator[str]:
    """Every name that a value refers to by Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.split(".")[0]
            elif key == "Fn::Sub":
                text, names = (item, {}) if isinstance(item, str) else item
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
                yield from references(names)
            else:
                yield from references(item)


def folder_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's files, as `sam package` names an upload by its content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
