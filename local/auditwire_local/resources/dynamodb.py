"""DynamoDB tables."""

from auditwire_local.resources.shim import Made, Request, resource


@resource("AWS::DynamoDB::Table", name="TableName", attributes=("Arn",))
def make_table(request: Request) -> Made:
    """A table with its keys, indexes, time to live and point-in-time recovery; encryption is recorded
    only."""
    properties, dynamodb = request.properties, request.client("dynamodb")
    properties.record("TableName", "SSESpecification", "TableClass")
    given = properties.select(
        "AttributeDefinitions",
        "KeySchema",
        "BillingMode",
        "GlobalSecondaryIndexes",
        "DeletionProtectionEnabled",
        "Tags",
    )
    arn = dynamodb.create_table(TableName=request.name, **given)["TableDescription"]["TableArn"]
    if lifetime := properties.take("TimeToLiveSpecification"):
        dynamodb.update_time_to_live(TableName=request.name, TimeToLiveSpecification=lifetime)
    if recovery := properties.take("PointInTimeRecoverySpecification"):
        dynamodb.update_continuous_backups(TableName=request.name, PointInTimeRecoverySpecification=recovery)
    return Made(request.name, {"Arn": arn})
