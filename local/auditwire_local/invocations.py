"""Lambda's own interface to the functions of the deployed stack: who invokes one through AWS gets its answer.

moto would say that all is well and run nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.awslambda_simple.models import LambdaSimpleBackend

from auditwire_local.errors import FunctionError

Invoke = Callable[[Mapping[str, Any]], Any]


@contextmanager
def answered_invocations(find: Callable[[str], Invoke | None]) -> Iterator[None]:
    """Inside, ``Invoke`` runs what ``find`` gives for the name or ARN of a function; None leaves it to moto.

    An invocation of the type ``Event`` is answered too when the function has ended.
    """
    moto_invoke = LambdaSimpleBackend.invoke

    def invoke(
        self: Any, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> Any:
        run = find(function_name)
        if run is None:
            return moto_invoke(self, function_name, qualifier, body, headers, response_headers)
        try:
            answer = run(json.loads(body or "{}"))
        except FunctionError as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            answer = {"errorMessage": str(error), "errorType": type(error).__name__}
        return json.dumps(answer).encode()

    with patch.object(LambdaSimpleBackend, "invoke", invoke):
        yield
