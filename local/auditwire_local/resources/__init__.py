"""One small shim for each CloudFormation resource type in the template; importing the package registers all of them."""

from auditwire_local.resources import (
    apigateway,
    athena,
    cloudwatch,
    dynamodb,
    events,
    functions,
    glue,
    iam,
    kms,
    logs,
    s3,
    sns,
    sqs,
)
from auditwire_local.resources.shim import TYPES, Deployed, Deployment, deploying

__all__ = [
    "TYPES",
    "Deployed",
    "Deployment",
    "apigateway",
    "athena",
    "cloudwatch",
    "deploying",
    "dynamodb",
    "events",
    "functions",
    "glue",
    "iam",
    "kms",
    "logs",
    "s3",
    "sns",
    "sqs",
]
