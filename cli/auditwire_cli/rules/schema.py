"""``auditwire rules schema``: the JSON Schemas of the documents, for editors and other tools."""

import json
from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """Of which document."""

    DOCUMENT = "document"
    RULE = "rule"
    WEBHOOK = "webhook"
    POLICY = "policy"


def rules_schema(
    kind: Annotated[
        Kind, typer.Option(help="One kind of document, or document: whatever its kind says.")
    ] = Kind.DOCUMENT,
) -> None:
    """Print the JSON Schema of rule documents.

    It knows keys, types and choices, so an editor completes and checks them while you write; what conditions say only
    auditwire rules check can tell.

    \b
    Exit codes: 0 printed, 2 the call was wrong.

    \b
    Examples:
      auditwire rules schema > auditwire.schema.json
      auditwire rules schema --kind webhook
    """
    from auditwire.rules.schema import SCHEMAS

    print(json.dumps(SCHEMAS[kind.value](), indent=2, ensure_ascii=False))
