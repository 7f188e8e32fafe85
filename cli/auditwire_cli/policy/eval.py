"""``auditwire policy eval``: what a policy records of requests, with one line for each."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.errors import ExitCode, UsageError
from auditwire_cli.files import lines_of
from auditwire_cli.terminal.escaping import printable
from auditwire_cli.terminal.output import Output, show, show_json, tell

if TYPE_CHECKING:
    from auditwire.policy import Attributes, LoadedPolicy


def policy_eval(
    *,
    policy: Annotated[Path, typer.Option(metavar="FILE", help="A policy of audit.k8s.io/v1.")],
    requests: Annotated[
        str, typer.Option(metavar="FILE", help="Requests, one JSON object a line; - for standard input.")
    ],
    output: Annotated[
        Output, typer.Option("--format", help="One line of JSON for each request, or text for people.")
    ] = Output.JSON,
) -> None:
    """Say what a policy records of requests.

    A request is an object with the members user (null when not authenticated), groups, verb, resource_request, group,
    resource, subresource, name, namespace, path and stage. For each request, in order, there is one line of JSON with
    the members load (ok, warning), level, omit_stage, omit_managed_fields, emit, errors and warnings. For a policy that
    does not load there is only one line: its load is error, and its errors say why (type, field, message).

    \b
    Exit codes: 0 every request was evaluated, 1 the policy does not load, 2 wrong usage, or a line that is no request.

    \b
    Examples:
      auditwire policy eval --policy rules/policy.yaml --requests requests.jsonl
      auditwire policy eval --policy rules/policy.yaml --requests - --format text < requests.jsonl
    """
    from auditwire.policy import load_policy
    from auditwire_cli.policy.check import source_of

    loaded = load_policy(source_of(policy))
    if loaded.policy is None:
        _refuse(loaded, output)
        raise typer.Exit(ExitCode.FINDINGS)
    for attributes in _requests(requests):
        decision = loaded.policy.evaluate(attributes)
        result = {
            "load": loaded.load,
            "level": str(decision.level),
            "omit_stage": attributes.stage in decision.omit_stages,
            "omit_managed_fields": decision.omit_managed_fields,
            "emit": decision.emits(attributes.stage),
            "errors": [],
            "warnings": list(loaded.warnings),
        }
        if output is Output.JSON:
            show_json(result)
        else:
            show(_as_text(attributes, result))


def _refuse(loaded: "LoadedPolicy", output: Output) -> None:
    if output is Output.JSON:
        errors = [{"type": fault.type, "field": fault.field, "message": fault.message} for fault in loaded.errors]
        show_json({"load": loaded.load, "errors": errors, "warnings": list(loaded.warnings)})
    for found in loaded.diagnostics:
        if found.is_error:
            tell(found.as_text())


def _requests(name: str) -> Iterator["Attributes"]:
    """The requests of a file; empty lines are skipped. Raises UsageError for a line that is no request."""
    from auditwire.policy import Attributes, AttributesError

    for number, line in enumerate(lines_of(name), 1):
        if not line.strip():
            continue
        try:
            yield Attributes.from_json(_object(line.strip()))
        except (AttributesError, ValueError) as error:
            raise UsageError(
                f"{name}:{number}: this is not a request: {error}", "see `auditwire policy eval --help`"
            ) from None


def _object(line: bytes) -> dict[str, Any]:
    """The attributes on a line: the object itself, or its member ``attributes``, as in files of test vectors."""
    import orjson

    plain = orjson.loads(line)
    if not isinstance(plain, dict):
        raise ValueError("it is not a JSON object")
    inner = plain.get("attributes")
    return inner if isinstance(inner, dict) else plain


def _as_text(attributes: "Attributes", result: dict[str, Any]) -> str:
    below = f"/{attributes.subresource}" if attributes.subresource else ""
    place = f" in {attributes.namespace}" if attributes.namespace else ""
    target = f"{attributes.resource}{below} {attributes.name}".strip() + place if attributes.resource_request else ""
    request = f"{attributes.user or 'nobody'} {attributes.verb} {target or attributes.path} {attributes.stage}".strip()
    return f"{result['level'] if result['emit'] else 'nothing':<16} {printable(request)}"
