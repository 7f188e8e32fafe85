"""KMS keys."""

from auditwire_local.resources.shim import Made, Request, as_json, as_tags, resource


@resource("AWS::KMS::Key", attributes=("Arn", "KeyId"))
def make_key(request: Request) -> Made:
    """A key that signs or encrypts. Its policy is kept and asked for nothing: moto does not look at it."""
    properties = request.properties
    properties.record("PendingWindowInDays")
    key = request.client("kms").create_key(
        Policy=as_json(properties.require("KeyPolicy")),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in as_tags(properties.take("Tags")).items()],
        **properties.select("Description", "KeySpec", "KeyUsage", "EnableKeyRotation"),
    )["KeyMetadata"]
    return Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})
