"""One small shim per CloudFormation resource type of the template; importing the package registers them
all."""

from auditwire_local.resources import (
    apigateway,
    cloudwatch,
    dynamodb,
    events,
    functions,
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
    "cloudwatch",
    "deploying",
    "dynamodb",
    "events",
    "functions",
    "iam",
    "kms",
    "logs",
    "s3",
    "sns",
    "sqs",
]
