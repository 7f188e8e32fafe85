"""``auditwire policy eval``: what a policy records of requests, one line each."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditwire_cli.errors import CallError
from auditwire_cli.output import Output, printable

if TYPE_CHECKING:
    from auditwire.policy import Attributes, LoadedPolicy


def policy_eval(
    *,
    policy: Annotated[Path, typer.Option(metavar="FILE", help="A policy of audit.k8s.io/v1.")],
    requests: Annotated[str, typer.Option(metavar="FILE", help="Requests, one JSON object a line; - for stdin.")],
    output: Annotated[
        Output, typer.Option("--format", help="One JSON line a request, or text for people.")
    ] = Output.JSON,
) -> None:
    """Say what a policy records of requests.

    A request has the members user (null when not authenticated), groups, verb, resource_request, group, resource,
    subresource, name, namespace, path and stage. One JSON line a request, in order, with the members load (ok,
    warning), level, omit_stage, omit_managed_fields, emit, errors and warnings. A policy that does not load gives one
    line in all: load is error, errors say why (type, field, message).

    \b
    Exit codes: 0 every request was judged, 1 the policy does not load, 2 the call or a request was wrong.

    \b
    Examples:
      auditwire policy eval --policy rules/policy.yaml --requests requests.jsonl
      auditwire policy eval --policy rules/policy.yaml --requests - --format text < requests.jsonl
    """
    import orjson

    from auditwire.policy import load_policy
    from auditwire_cli.policy.check import source_of

    loaded = load_policy(source_of(policy))
    if loaded.policy is None:
        _refuse(loaded, output)
        raise typer.Exit(1)
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
        print(orjson.dumps(result).decode() if output is Output.JSON else _as_text(attributes, result))


def _refuse(loaded: "LoadedPolicy", output: Output) -> None:
    import orjson

    if output is Output.JSON:
        errors = [{"type": fault.type, "field": fault.field, "message": fault.message} for fault in loaded.errors]
        print(orjson.dumps({"load": loaded.load, "errors": errors, "warnings": list(loaded.warnings)}).decode())
    for found in loaded.diagnostics:
        if found.is_error:
            sys.stderr.write(found.as_text() + "\n")


def _requests(name: str) -> Iterator["Attributes"]:
    """The requests of a file, empty lines left out. Raises CallError for what is no request, naming the line."""
    from auditwire.policy import Attributes, AttributesError

    for number, line in enumerate(_lines(name), 1):
        if not line.strip():
            continue
        try:
            yield Attributes.from_json(_object(line.strip()))
        except (AttributesError, ValueError) as error:
            raise CallError(f"{name}:{number}: no request: {error}", "see auditwire policy eval --help") from None


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield from file
    except OSError as error:
        raise CallError(f"cannot read {name}: {error.strerror}") from None


def _object(line: bytes) -> dict[str, Any]:
    """The attributes on a line: the object itself, or its member ``attributes`` as in a file of test vectors."""
    import orjson

    plain = orjson.loads(line)
    if not isinstance(plain, dict):
        raise ValueError("it is no JSON object")
    inner = plain.get("attributes")
    return inner if isinstance(inner, dict) else plain


def _as_text(attributes: "Attributes", result: dict[str, Any]) -> str:
    below = f"/{attributes.subresource}" if attributes.subresource else ""
    place = f" in {attributes.namespace}" if attributes.namespace else ""
    target = f"{attributes.resource}{below} {attributes.name}".strip() + place if attributes.resource_request else ""
    request = f"{attributes.user or 'nobody'} {attributes.verb} {target or attributes.path} {attributes.stage}".strip()
    return f"{result['level'] if result['emit'] else 'nothing':<16} {printable(request)}"
