"""The options of every command that works on a stack, given by one decorator."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from auditwire_cli.stack.aws_errors import in_one_sentence
from auditwire_cli.stack.stack import DEFAULT_STACK, Stack
from auditwire_cli.stack.state import DEFAULT_STATE

_OPTIONS = {
    "stack": Annotated[
        str | None,
        typer.Option("--stack", metavar="NAME", help=f"The CloudFormation stack.  [default: {DEFAULT_STACK}]"),
    ],
    "profile": Annotated[str | None, typer.Option("--profile", metavar="NAME", help="The AWS profile.")],
    "region": Annotated[str | None, typer.Option("--region", metavar="NAME", help="The AWS region.")],
    "endpoint_url": Annotated[
        str | None, typer.Option("--endpoint-url", metavar="URL", help="The address of AWS, if it is not Amazon's.")
    ],
    "state": Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FILE",
            help="The state file of a running `auditwire dev`, whose stack is used."
            f"  [default: {DEFAULT_STATE}, if it exists and no stack on AWS is named]",
        ),
    ],
}


def on_stack(command: Callable[..., None]) -> Callable[..., None]:
    """Makes a command of a function whose keyword ``where`` is a Stack: its options take that place.

    Whatever AWS refuses ends the command in one sentence, as ``in_one_sentence`` says.
    """
    signature = inspect.signature(command)
    if signature.parameters["where"].annotation is not Stack:
        raise TypeError(f"{command.__name__} takes no Stack")

    @functools.wraps(command)
    def run(**given: Any) -> None:
        options = {name: given.pop(name, None) for name in _OPTIONS}
        where = Stack(options.pop("stack"), **options)
        with in_one_sentence(where):
            command(**given, where=where)

    own = [parameter for name, parameter in signature.parameters.items() if name != "where"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]
    run.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    return run
