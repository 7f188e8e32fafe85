"""One small shim for each CloudFormation resource type in the template; importing the package registers all of them."""

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
