"""API Gateway HTTP APIs. SAM puts routes and integrations into the OpenAPI document of the API, not into
resources."""

from auditwire_local.errors import DeployError
from auditwire_local.resources.shim import Made, Request, resource

_NO_DOMAINS = "the local system has one endpoint, on loopback: it has neither a custom domain nor mutual TLS"


@resource("AWS::ApiGatewayV2::DomainName", name="DomainName", attributes=("RegionalDomainName", "RegionalHostedZoneId"))
def make_domain(request: Request) -> Made:
    """A custom domain, which one machine cannot have. Raises DeployError."""
    raise DeployError(_NO_DOMAINS)


@resource("AWS::ApiGatewayV2::ApiMapping")
def make_mapping(request: Request) -> Made:
    """What belongs to a custom domain, so this raises DeployError too."""
    raise DeployError(_NO_DOMAINS)


@resource("AWS::ApiGatewayV2::Api", attributes=("ApiId", "ApiEndpoint"))
def make_api(request: Request) -> Made:
    """An HTTP API. The front serves the routes of its ``Body``, which is recorded."""
    properties = request.properties
    body = properties.require("Body")
    for server in body.get("servers", ()):
        if str(server.get("x-amazon-apigateway-endpoint-configuration", {}).get("disableExecuteApiEndpoint")) == "True":
            raise DeployError(_NO_DOMAINS)
    properties.record("FailOnWarnings", "Tags")
    api = request.client("apigatewayv2").create_api(Name=body["info"]["title"], ProtocolType="HTTP")
    return Made(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]})


@resource("AWS::ApiGatewayV2::Stage")
def make_stage(request: Request) -> Made:
    """A stage. Throttling and access logs are recorded; on one machine they are not applied."""
    properties = request.properties
    properties.record("Tags")
    given = properties.select("AutoDeploy")
    throttling = properties.nested("DefaultRouteSettings").select(
        "ThrottlingRateLimit", "ThrottlingBurstLimit", "DetailedMetricsEnabled"
    )
    # Of single routes; nothing is made of them.
    properties.record("RouteSettings")
    access_logs = properties.nested("AccessLogSettings").select("DestinationArn", "Format")
    stage = request.client("apigatewayv2").create_stage(
        ApiId=properties.require("ApiId"),
        StageName=properties.require("StageName"),
        DefaultRouteSettings=throttling,
        AccessLogSettings=access_logs,
        **given,
    )
    return Made(stage["StageName"])
