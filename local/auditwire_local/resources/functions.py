"""Lambda: functions, versions, aliases, layers, permissions, and how events reach functions."""

from auditwire_local.resources.shim import Made, Request, as_tags, resource


@resource("AWS::Lambda::LayerVersion", name="LayerName", attributes=("Arn",))
def make_layer_version(request: Request) -> Made:
    """A layer version; its physical id is its ARN with the version, as functions refer to it."""
    properties = request.properties
    code = properties.nested("Content").select("S3Bucket", "S3Key")
    version = request.client("lambda").publish_layer_version(
        LayerName=properties.take("LayerName", request.name),
        Content=code,
        Description=properties.take("Description", ""),
        CompatibleRuntimes=properties.take("CompatibleRuntimes", []),
        CompatibleArchitectures=properties.take("CompatibleArchitectures", []),
    )
    return Made(version["LayerVersionArn"], {"Arn": version["LayerVersionArn"]})


@resource("AWS::Lambda::Function", name="FunctionName", attributes=("Arn",))
def make_function(request: Request) -> Made:
    """A function with its configuration; its code runs in this process, never in moto."""
    properties = request.properties
    # Recorded only: moto has neither snapshots nor networks nor disks, and keeps no log group of a function.
    properties.record("FunctionName", "SnapStart", "VpcConfig", "LoggingConfig", "EphemeralStorage")
    variables = properties.nested("Environment").take("Variables", {})
    given = properties.select(
        "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "Layers", "Architectures"
    )
    function = request.client("lambda").create_function(
        FunctionName=request.name[:64],
        Code=properties.nested("Code").select("S3Bucket", "S3Key"),
        Environment={"Variables": {name: str(value) for name, value in variables.items()}},
        Tags=as_tags(properties.take("Tags")),
        **given,
    )
    return Made(function["FunctionName"], {"Arn": function["FunctionArn"]})


@resource("AWS::Lambda::Version", attributes=("Version", "FunctionArn"))
def make_version(request: Request) -> Made:
    """A published version of a function."""
    properties = request.properties
    version = request.client("lambda").publish_version(
        FunctionName=properties.require("FunctionName"), Description=properties.take("Description", "")
    )
    return Made(version["FunctionArn"], {"Version": version["Version"], "FunctionArn": version["FunctionArn"]})


@resource("AWS::Lambda::Alias", attributes=("AliasArn",))
def make_alias(request: Request) -> Made:
    """An alias; its physical id is its ARN."""
    properties = request.properties
    properties.record("ProvisionedConcurrencyConfig")
    alias = request.client("lambda").create_alias(
        FunctionName=properties.require("FunctionName"),
        Name=properties.require("Name"),
        FunctionVersion=str(properties.require("FunctionVersion")),
        Description=properties.take("Description", ""),
    )
    return Made(alias["AliasArn"], {"AliasArn": alias["AliasArn"]})


@resource("AWS::Lambda::Permission", attributes=("Id",))
def make_permission(request: Request) -> Made:
    """Recorded: the front itself calls functions. Tests read which caller and which route are allowed."""
    for name in ("Action", "FunctionName", "Principal", "SourceArn"):
        request.properties.require(name)
    request.properties.record("SourceAccount")
    return Made(request.name, {"Id": request.name})


@resource("AWS::Lambda::EventSourceMapping", attributes=("Id", "EventSourceMappingArn"))
def make_event_source_mapping(request: Request) -> Made:
    """Recorded: a real one makes moto take the messages itself and drop them. The poller does this work."""
    properties = request.properties
    for name in ("EventSourceArn", "FunctionName"):
        properties.require(name)
    properties.record("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "Enabled")
    properties.nested("ScalingConfig").record("MaximumConcurrency")
    arn = f"arn:aws:lambda:{request.region}:{request.account}:event-source-mapping:{request.name}"
    return Made(request.name, {"Id": request.name, "EventSourceMappingArn": arn})


@resource("AWS::Lambda::EventInvokeConfig")
def make_event_invoke_config(request: Request) -> Made:
    """Recorded: how often an event is tried again after a function failed. The local EventBridge does this work."""
    properties = request.properties
    for name in ("FunctionName", "Qualifier"):
        properties.require(name)
    properties.record("MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    # SAM always gives one, with or without a destination in it.
    failure = properties.nested("DestinationConfig").nested("OnFailure")
    failure.record("Destination")
    return Made(request.name)
