"""S3 buckets and their policies."""

from typing import Any

from auditwire_local.properties import Properties
from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::S3::Bucket", name="BucketName", attributes=("Arn", "DomainName"))
def make_bucket(request: Request) -> Made:
    """A bucket with all that the template says of one."""
    properties, s3 = request.properties, request.client("s3")
    properties.record("BucketName")
    bucket = request.name
    lock = _object_lock(properties)
    s3.create_bucket(Bucket=bucket, **lock, **_location(request.region))
    if versioning := properties.take("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    if ownership := properties.take("OwnershipControls"):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=ownership)
    if block := properties.take("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    if rules := _encryption(properties.nested("BucketEncryption")):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    if lifecycle := properties.nested("LifecycleConfiguration").items("Rules"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle]
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    if notifications := _notifications(properties.nested("NotificationConfiguration")):
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=notifications)
    return Made(bucket, {"Arn": f"arn:aws:s3:::{bucket}", "DomainName": f"{bucket}.s3.amazonaws.com"})


@resource("AWS::S3::BucketPolicy")
def make_bucket_policy(request: Request) -> Made:
    """Recorded, not applied: moto takes any Deny with a condition for a denial, so a TLS-only policy would refuse
    everything."""
    request.properties.require("PolicyDocument")
    return Made(request.properties.require("Bucket"))


def _location(region: str) -> dict[str, Any]:
    # us-east-1 is the one region that CreateBucket must not name.
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _object_lock(properties: Properties) -> dict[str, Any]:
    """Object Lock without a default: what is to be retained says so itself."""
    if properties.nested("ObjectLockConfiguration").take("ObjectLockEnabled") != "Enabled":
        return {}
    return {"ObjectLockEnabledForBucket": True}


def _notifications(given: Properties) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if given.nested("EventBridgeConfiguration").take("EventBridgeEnabled"):
        made["EventBridgeConfiguration"] = {}
    queues = [
        {
            "QueueArn": queue.require("Queue"),
            "Events": [queue.require("Event")],
            "Filter": {
                "Key": {
                    "FilterRules": [
                        rule.select("Name", "Value") for rule in queue.nested("Filter").nested("S3Key").items("Rules")
                    ]
                }
            },
        }
        for queue in given.items("QueueConfigurations")
    ]
    return made | ({"QueueConfigurations": queues} if queues else {})


def _encryption(encryption: Properties) -> list[dict[str, Any]]:
    rules = []
    for rule in encryption.items("ServerSideEncryptionConfiguration"):
        default = rule.nested("ServerSideEncryptionByDefault").select("SSEAlgorithm", "KMSMasterKeyID")
        rules.append({"ApplyServerSideEncryptionByDefault": default, **rule.select("BucketKeyEnabled")})
    return rules


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """The flat rule of CloudFormation as the nested rule of the S3 API."""
    expiration: dict[str, Any] = {}
    if (days := rule.take("ExpirationInDays")) is not None:
        expiration["Days"] = int(days)
    if (marker := rule.take("ExpiredObjectDeleteMarker")) is not None:
        expiration["ExpiredObjectDeleteMarker"] = marker
    made = {"ID": rule.require("Id"), **rule.select("Status"), "Filter": {"Prefix": rule.take("Prefix", "")}}
    if expiration:
        made["Expiration"] = expiration
    if noncurrent := rule.nested("NoncurrentVersionExpiration").select("NoncurrentDays"):
        made["NoncurrentVersionExpiration"] = {name: int(value) for name, value in noncurrent.items()}
    if abort := rule.nested("AbortIncompleteMultipartUpload").select("DaysAfterInitiation"):
        made["AbortIncompleteMultipartUpload"] = {name: int(value) for name, value in abort.items()}
    return made
