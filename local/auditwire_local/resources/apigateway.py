"""API Gateway HTTP APIs. SAM puts routes and integrations into the OpenAPI document of the API, not into
resources."""

from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::ApiGatewayV2::Api", attributes=("ApiId", "ApiEndpoint"))
def make_api(request: Request) -> Made:
    """An HTTP API. The front serves the routes of its ``Body``, which stays on the record."""
    properties = request.properties
    body = properties.require("Body")
    properties.record("FailOnWarnings", "Tags")
    api = request.client("apigatewayv2").create_api(Name=body["info"]["title"], ProtocolType="HTTP")
    return Made(api["ApiId"], {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]})


@resource("AWS::ApiGatewayV2::Stage")
def make_stage(request: Request) -> Made:
    """A stage; throttling and access logs are recorded, never enforced on one machine."""
    properties = request.properties
    properties.record("Tags")
    given = properties.select("AutoDeploy")
    throttling = properties.nested("DefaultRouteSettings").select(
        "ThrottlingRateLimit", "ThrottlingBurstLimit", "DetailedMetricsEnabled"
    )
    access_logs = properties.nested("AccessLogSettings").select("DestinationArn", "Format")
    stage = request.client("apigatewayv2").create_stage(
        ApiId=properties.require("ApiId"),
        StageName=properties.require("StageName"),
        DefaultRouteSettings=throttling,
        AccessLogSettings=access_logs,
        **given,
    )
    return Made(stage["StageName"])
