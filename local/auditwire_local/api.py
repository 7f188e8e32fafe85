"""One deployed HTTP API: a request to the function that its route names, and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from auditwire_local import gateway
from auditwire_local.authorizer import Authorizer, Issuer, authorizers
from auditwire_local.errors import FunctionError
from auditwire_local.resources import Deployed

Invoke = Callable[[str, Mapping[str, Any]], Any]
"""Calls the function with an ARN, and gives its answer. Raises FunctionError."""


@dataclass(frozen=True, slots=True)
class Api:
    """An API by its identifier: its routes, the most specific first, and the authorizers that these name."""

    identifier: str
    routes: tuple[gateway.Route, ...]
    authorizers: Mapping[str, Authorizer]

    @classmethod
    def of(cls, deployed: Deployed) -> Self:
        """A deployed API. Raises DeployError for what is not understood."""
        body = deployed.properties["Body"]
        return cls(deployed.physical_id, tuple(gateway.routes(body)), authorizers(body))

    def respond(self, request: gateway.Request, issuer: Issuer, invoke: Invoke) -> gateway.HttpAnswer:
        """The answer to a request. ``issuer`` has signed the tokens that routes with an authorizer accept."""
        path = request.target.partition("?")[0]
        for route in self.routes:
            parameters = route.match(request.method, path)
            if parameters is not None:
                break
        else:
            return gateway.NOT_FOUND
        claims = None
        if route.authorizer is not None:
            given = [value for name, value in request.headers if name.lower() == "authorization"]
            claims = issuer.claims_of(",".join(given), self.authorizers[route.authorizer])
            if claims is None:
                return gateway.UNAUTHORIZED
        event = gateway.event(request, route, parameters, api=self.identifier, claims=claims)
        if len(orjson.dumps(event)) >= gateway.MAX_EVENT:
            return gateway.TOO_LARGE
        try:
            result = invoke(route.function, event)
        except FunctionError:
            return gateway.FAILED
        return gateway.FAILED if len(orjson.dumps(result)) > gateway.MAX_RESULT else gateway.answer(result)


def hosts_of(port: int) -> frozenset[str]:
    """What a browser may call an endpoint on a port of loopback. API Gateway refuses every other name itself."""
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost"))


def has_host(request: gateway.Request, hosts: frozenset[str]) -> bool:
    """Whether a request names one of these hosts, once."""
    return [value.lower() in hosts for name, value in request.headers if name.lower() == "host"] == [True]
