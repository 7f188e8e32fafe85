"""``auditwire rules schema``: the JSON Schemas of the documents, for editors and other tools."""

from enum import StrEnum
from typing import Annotated

import typer

from auditwire_cli.terminal.output import show_json


class Kind(StrEnum):
    """The kind of document."""

    DOCUMENT = "document"
    RULE = "rule"
    WEBHOOK = "webhook"
    EXCEPTION = "exception"
    POLICY = "policy"


def rules_schema(
    kind: Annotated[
        Kind, typer.Option(help="The kind of document; document stands for all kinds, told apart by their key kind.")
    ] = Kind.DOCUMENT,
) -> None:
    """Print the JSON Schema of rule documents.

    It describes keys, types and choices, so that an editor can complete and check them while you write. Conditions are
    only checked by `auditwire rules check`.

    \b
    Exit codes: 0 printed, 2 wrong usage.

    \b
    Examples:
      auditwire rules schema > auditwire.schema.json
      auditwire rules schema --kind webhook
    """
    from auditwire.rules.schema import SCHEMAS

    show_json(SCHEMAS[kind.value](), indent=2)
