"""What template.yaml promises, checked as data: on the source, and on what the SAM translator makes of it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from auditwire.archive import items
from auditwire.clusters.silence import MIN_SILENCE_SECONDS
from auditwire.thresholds import table as thresholds
from auditwire_local.event_bridge import minute_of_hour
from template import ROOT, Document, of_type, references, source, translated

# Design section 11; later parts add to it.
OUTPUTS = {
    "AthenaWorkGroup",
    "SearchDatabase",
    "AthenaResultsBucket",
    "IngestUrl",
    "DomainTarget",
    "DomainTargetZone",
    "RulesBucket",
    "ArchiveBucket",
    "ArchiveTable",
    "AlertsTopicArn",
    "AlertsQueueUrl",
    "DeadLetterQueueUrl",
    "OperationsTopicArn",
    "ClustersTable",
    "CompileRulesFunction",
    "Dashboard",
    "MetricsNamespace",
    "SealFunction",
    "OrdersQueueUrl",
    "SealKeyArn",
    "SubscribeEksFunctionArn",
    "ImportQueueUrl",
    "ThresholdsTable",
    "ConsoleUrl",
    "ConsoleDomainTarget",
    "ConsoleDomainTargetZone",
    "ViewersTable",
}
STATEFUL = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key")
TLS_ONLY = {"Bool": {"aws:SecureTransport": "false"}}

# Everything each role may do without optional parts: action, and the resource it is allowed on.
PERMISSIONS = {
    "IngestRole": {
        ("logs:CreateLogStream", "IngestLogGroup"),
        ("logs:PutLogEvents", "IngestLogGroup"),
        ("dynamodb:GetItem", "ClustersTable"),
        ("dynamodb:UpdateItem", "ClustersTable"),
        ("dynamodb:BatchGetItem", "ThresholdsTable"),
        ("dynamodb:UpdateItem", "ThresholdsTable"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/events/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/quarantine/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("sns:Publish", "AlertsTopic"),
    },
    "SubscribeEksRole": {
        ("logs:CreateLogStream", "SubscribeEksLogGroup"),
        ("logs:PutLogEvents", "SubscribeEksLogGroup"),
        ("sqs:DeleteMessage", "UndeliveredQueue"),
        ("sqs:GetQueueAttributes", "UndeliveredQueue"),
        ("sqs:ReceiveMessage", "UndeliveredQueue"),
        ("sqs:SendMessage", "UndeliveredQueue"),
        ("dynamodb:GetItem", "ClustersTable"),
        ("dynamodb:UpdateItem", "ClustersTable"),
        ("dynamodb:BatchGetItem", "ThresholdsTable"),
        ("dynamodb:UpdateItem", "ThresholdsTable"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/events/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/quarantine/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("sns:Publish", "AlertsTopic"),
    },
    "ImportObjectsRole": {
        ("logs:CreateLogStream", "ImportObjectsLogGroup"),
        ("logs:PutLogEvents", "ImportObjectsLogGroup"),
        ("sqs:DeleteMessage", "ImportQueue"),
        ("sqs:GetQueueAttributes", "ImportQueue"),
        ("sqs:ReceiveMessage", "ImportQueue"),
        ("sqs:SendMessage", "ImportQueue"),
        ("s3:GetObject", "arn:${AWS::Partition}:s3:::${ImportBucket}/*"),
        ("dynamodb:GetItem", "ClustersTable"),
        ("dynamodb:UpdateItem", "ClustersTable"),
        ("dynamodb:BatchGetItem", "ThresholdsTable"),
        ("dynamodb:UpdateItem", "ThresholdsTable"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/events/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/quarantine/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("sns:Publish", "AlertsTopic"),
    },
    "CompileRulesRole": {
        ("logs:CreateLogStream", "CompileRulesLogGroup"),
        ("logs:PutLogEvents", "CompileRulesLogGroup"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/rules/*"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/status.json"),
        ("s3:PutObject", "${RulesBucket.Arn}/bundles/*"),
        ("s3:PutObject", "${RulesBucket.Arn}/active.json"),
        ("s3:PutObject", "${RulesBucket.Arn}/status.json"),
        ("sns:Publish", "AlertsTopic"),
    },
    "RelayRole": {
        ("logs:CreateLogStream", "RelayLogGroup"),
        ("logs:PutLogEvents", "RelayLogGroup"),
        ("sqs:DeleteMessage", "AlertsQueue"),
        ("sqs:GetQueueAttributes", "AlertsQueue"),
        ("sqs:ReceiveMessage", "AlertsQueue"),
        ("sqs:SendMessage", "DeadLetterQueue"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
    },
    "PublishOutboxRole": {
        ("logs:CreateLogStream", "PublishOutboxLogGroup"),
        ("logs:PutLogEvents", "PublishOutboxLogGroup"),
        ("s3:ListBucket", "ArchiveBucket"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("s3:DeleteObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("dynamodb:BatchGetItem", "ThresholdsTable"),
        ("dynamodb:UpdateItem", "ThresholdsTable"),
        ("sns:Publish", "AlertsTopic"),
    },
    "SealRole": {
        ("logs:CreateLogStream", "SealLogGroup"),
        ("logs:PutLogEvents", "SealLogGroup"),
        ("sqs:DeleteMessage", "OrdersQueue"),
        ("sqs:GetQueueAttributes", "OrdersQueue"),
        ("sqs:ReceiveMessage", "OrdersQueue"),
        ("sqs:SendMessage", "OrdersQueue"),
        ("sqs:ChangeMessageVisibility", "ArrivalsQueue"),
        ("sqs:DeleteMessage", "ArrivalsQueue"),
        ("sqs:ReceiveMessage", "ArrivalsQueue"),
        ("s3:ListBucket", "ArchiveBucket"),
        ("s3:ListBucketVersions", "ArchiveBucket"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/events/*"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/seals/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/seals/*"),
        ("s3:PutObject", "${ArchiveBucket.Arn}/index/*"),
        ("kms:GetPublicKey", "SealKey or SealKeyArn"),
        ("kms:Sign", "SealKey or SealKeyArn"),
        ("kms:Verify", "SealKey or SealKeyArn"),
        ("cloudwatch:GetMetricData", "*"),
        ("sns:Publish", "AlertsTopic"),
        ("sns:Publish", "OperationsTopic"),
    },
    "ConsoleRole": {
        ("logs:CreateLogStream", "ConsoleLogGroup"),
        ("logs:PutLogEvents", "ConsoleLogGroup"),
        ("s3:ListBucket", "ArchiveBucket"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/events/*"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/seals/*"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/index/*"),
        ("s3:GetObject", "${ArchiveBucket.Arn}/outbox/*"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
        ("dynamodb:Scan", "ClustersTable"),
        ("dynamodb:BatchGetItem", "ViewersTable"),
        ("dynamodb:GetItem", "ViewersTable"),
        ("dynamodb:DeleteItem", "SessionsTable"),
        ("dynamodb:GetItem", "SessionsTable"),
        ("dynamodb:PutItem", "SessionsTable"),
        ("cloudwatch:GetMetricData", "*"),
        ("cloudwatch:ListMetrics", "*"),
    },
    "WatchRole": {
        ("logs:CreateLogStream", "WatchLogGroup"),
        ("logs:PutLogEvents", "WatchLogGroup"),
        ("dynamodb:Scan", "ClustersTable"),
        ("s3:ListBucket", "RulesBucket"),
        ("s3:GetObject", "${RulesBucket.Arn}/active.json"),
        ("s3:GetObject", "${RulesBucket.Arn}/bundles/*"),
        ("s3:GetObject", "${RulesBucket.Arn}/status.json"),
        ("sns:Publish", "AlertsTopic"),
    },
}


@pytest.fixture(scope="module")
def template() -> Document:
    return source()


@pytest.fixture(scope="module")
def stack(region: None) -> Document:
    return translated({})


@pytest.fixture(scope="module")
def region() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield


def cfn_lint(path: Path) -> str:
    """What cfn-lint finds in a template; empty when it is clean.

    Of an API under a condition SAM says the same of each of its routes once more (W1028).
    """
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "parseable", "--ignore-checks", "W1028"]
    command += ["--", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout + answer.stderr if answer.returncode else ""


def test_cfn_lint_finds_nothing_in_the_translated_template(stack: Document, tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(stack, indent=1), encoding="utf-8")
    assert cfn_lint(path) == ""


def test_outputs_are_those_of_the_contract(template: Document) -> None:
    assert set(template["Outputs"]) == OUTPUTS
    assert all(output["Description"] for output in template["Outputs"].values())


def test_ingest_url_is_the_endpoint_without_path(template: Document) -> None:
    condition, own, default = template["Outputs"]["IngestUrl"]["Value"]["Fn::If"]
    assert condition == "HasDomain"
    assert own == {"Fn::Sub": "https://${DomainName}"}
    assert default == {"Fn::Sub": "https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}


def test_a_domain_closes_the_default_endpoint_and_may_ask_for_client_certificates(
    template: Document, stack: Document
) -> None:
    domain = template["Resources"]["Domain"]["Properties"]
    condition, truststore, none = domain["MutualTlsAuthentication"]["Fn::If"]
    assert (condition, none) == ("HasTruststore", {"Ref": "AWS::NoValue"})
    assert truststore["TruststoreUri"] == {"Ref": "TruststoreUri"}
    (configuration,) = domain["DomainNameConfigurations"]
    assert (configuration["EndpointType"], configuration["SecurityPolicy"]) == ("REGIONAL", "TLS_1_2")
    mapping = stack["Resources"]["DomainMapping"]
    assert mapping["Properties"]["Stage"]["Ref"] in of_type(stack, "AWS::ApiGatewayV2::Stage")
    for name in ("Domain", "DomainMapping"):
        assert template["Resources"][name]["Condition"] == "HasDomain"
    for name, condition in (("HttpApi", "CloseDefaultEndpoint"), ("ConsoleApi", "HasConsoleDomain")):
        (server,) = of_type(stack, "AWS::ApiGatewayV2::Api")[name]["Body"]["servers"]
        closing = {"Fn::If": [condition, True, False]}
        assert server["x-amazon-apigateway-endpoint-configuration"] == {"disableExecuteApiEndpoint": closing}


def test_the_console_is_at_a_domain_of_its_own_or_at_the_default_endpoint(template: Document, stack: Document) -> None:
    condition, own, default = template["Outputs"]["ConsoleUrl"]["Value"]["Fn::If"]
    assert (condition, own) == ("HasConsoleDomain", {"Fn::Sub": "https://${ConsoleDomainName}"})
    assert default == {"Fn::Sub": "https://${ConsoleApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
    domain = template["Resources"]["ConsoleDomain"]["Properties"]
    (configuration,) = domain["DomainNameConfigurations"]
    assert (configuration["EndpointType"], configuration["SecurityPolicy"]) == ("REGIONAL", "TLS_1_2")
    # Browsers have no client certificates.
    assert "MutualTlsAuthentication" not in domain
    mapping = stack["Resources"]["ConsoleDomainMapping"]["Properties"]
    assert mapping["ApiId"] == {"Ref": "ConsoleApi"}
    assert mapping["Stage"]["Ref"] in of_type(stack, "AWS::ApiGatewayV2::Stage")


def test_everything_of_the_console_is_made_only_where_it_is_on(stack: Document) -> None:
    conditions = {
        name: resource.get("Condition") for name, resource in stack["Resources"].items() if name.startswith("Console")
    }
    own = {name for name, condition in conditions.items() if condition == "HasConsoleDomain"}
    assert own == {"ConsoleDomain", "ConsoleDomainMapping"}
    assert {condition for name, condition in conditions.items() if name not in own} == {"HasConsole"}
    assert {stack["Resources"][name]["Condition"] for name in ("ViewersTable", "SessionsTable")} == {"HasConsole"}


def test_every_parameter_is_described_constrained_optional_and_grouped(template: Document) -> None:
    constraints = {"AllowedPattern", "AllowedValues", "MinValue"}
    for name, parameter in template["Parameters"].items():
        assert parameter.get("Description"), name
        assert "Default" in parameter, name
        assert constraints & parameter.keys(), name
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert set(interface["ParameterLabels"]) == set(template["Parameters"])


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("AlertmanagerUrls", "", True),
        ("AlertmanagerUrls", "http://am-0.example:9093,https://am-1.example/prefix", True),
        ("AlertmanagerUrls", "http://a.example, http://b.example", False),
        ("AlertmanagerUrls", "https://user:word@am.example", False),
        ("AlertmanagerUrls", "am.example:9093", False),
        ("AlertmanagerSecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:am-AbCdEf", True),
        ("AlertmanagerSecretArn", "am", False),
        ("RelaySubnetIds", "subnet-0123456789abcdef0", True),
        ("RelaySubnetIds", "sg-0123456789abcdef0", False),
        ("RelaySecurityGroupIds", "sg-0123456789abcdef0", True),
        ("KmsKeyArn", "arn:aws-cn:kms:cn-north-1:123456789012:key/12345678-1234-1234-1234-123456789012", True),
        ("KmsKeyArn", "alias/mine", False),
        ("OperationsEmail", "ops@example.com", True),
        ("OperationsEmail", "ops", False),
        ("AlertEmail", "", True),
        ("AlertEmail", "a@example.com, b@example.com", False),
        ("DomainName", "audit.example.com", True),
        ("DomainName", "https://audit.example.com", False),
        ("DomainName", "audit", False),
        ("CertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012", True),
        ("CertificateArn", "arn:aws:iam::123456789012:server-certificate/x", False),
        ("TruststoreUri", "s3://my-truststore/path/ca.pem", True),
        ("TruststoreUri", "https://my-truststore.s3.amazonaws.com/ca.pem", False),
        ("OwnershipVerificationCertificateArn", "arn:aws-eusc:acm:eusc-de-east-1:123456789012:certificate/1-2", True),
        ("OwnershipVerificationCertificateArn", "arn:aws:iam::123456789012:server-certificate/x", False),
        ("KmsKeyArn", "arn:aws-eusc:kms:eusc-de-east-1:123456789012:key/1-2", True),
        ("ConsoleIssuer", "https://login.example.com/tenant/v2.0", True),
        ("ConsoleIssuer", "http://127.0.0.1:8080/default", True),
        ("ConsoleIssuer", "http://login.example.com", False),
        ("ConsoleIssuer", "http://127.0.0.1.example.com", False),
        ("ConsoleIssuer", "https://login.example.com/?tenant=1", False),
        ("ConsoleIssuer", "https://user:word@login.example.com", False),
        ("ConsoleClientId", "0oa1b2c3.example", True),
        ("ConsoleClientId", "two words", False),
        ("ConsoleScopes", "openid email groups", True),
        ("ConsoleScopes", "email openid", False),
        ("ConsoleScopes", "openidx", False),
        ("ConsoleGroupsClaim", "https://example.com/groups", True),
        ("ConsoleClientSecretArn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:console-AbCdEf", True),
        ("ConsoleClientSecretArn", "hunter2", False),
        ("ConsoleDomainName", "audit-console.example.com", True),
        ("ConsoleDomainName", "https://audit-console.example.com", False),
        ("TruststoreVersion", "null", True),
        ("TruststoreVersion", "a b", False),
    ],
)
def test_patterns_accept_what_they_should(template: Document, parameter: str, value: str, fits: bool) -> None:
    pattern = template["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.search(pattern, value)) is fits


def test_functions_and_layer_agree_on_runtime_and_architecture(stack: Document, template: Document) -> None:
    # cfn-lint lets a runtime that does not exist pass where Globals names it.
    functions = of_type(stack, "AWS::Lambda::Function")
    assert set(functions) == {
        "IngestFunction",
        "RelayFunction",
        "CompileRulesFunction",
        "PublishOutboxFunction",
        "SealFunction",
        "SubscribeEksFunction",
        "ImportObjectsFunction",
        "WatchFunction",
        "ConsoleFunction",
    }
    layers = {"SealFunction": 2, "ConsoleFunction": 3}
    for name, function in functions.items():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert len(function["Layers"]) == layers.get(name, 1), "DuckDB is large"
    for layer in of_type(stack, "AWS::Lambda::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == ["arm64"]
    for name in ("AuditwireLayer", "SearchLayer", "ConsoleLayer"):
        build = template["Resources"][name]["Metadata"]
        assert build == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}


def test_environments_hold_what_the_functions_read(stack: Document) -> None:
    common = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
    # `sam local invoke --env-vars` can only set what is declared.
    common |= {"AWS_ENDPOINT_URL"}
    functions = of_type(stack, "AWS::Lambda::Function")
    names = {name: set(function["Environment"]["Variables"]) for name, function in functions.items()}
    assert names["IngestFunction"] == common | {
        "RULES_BUCKET",
        "RULES_POLL_SECONDS",
        "ARCHIVE_BUCKET",
        "ARCHIVE_TABLE",
        "ARCHIVE_RETENTION_DAYS",
        "EVIDENCE_LOCK",
        "ALERTS_TOPIC_ARN",
        "CLUSTERS_TABLE",
        "THRESHOLDS_TABLE",
        "RUNBOOKS_URL",
    }
    assert names["SealFunction"] == common | {
        "ARCHIVE_BUCKET",
        "ARCHIVE_RETENTION_DAYS",
        "EVIDENCE_LOCK",
        "SEAL_KEY_ARN",
        "SEAL_MEGABYTES",
        "SEAL_GRACE_SECONDS",
        "ARRIVALS_QUEUE_URL",
        "ORDERS_QUEUE_URL",
        "ALERTS_TOPIC_ARN",
        "OPERATIONS_TOPIC_ARN",
        "HEADS_BUCKET",
        "OCSF_BUCKET",
        "OCSF_PREFIX",
        "OCSF_ROLE_ARN",
        "OCSF_EXTERNAL_ID",
        "OCSF_REGION",
        "OCSF_ACCOUNT",
        "STACK",
        "RUNBOOKS_URL",
    }
    assert names["ConsoleFunction"] == common | {
        "ARCHIVE_BUCKET",
        "RULES_BUCKET",
        "CLUSTERS_TABLE",
        "VIEWERS_TABLE",
        "SESSIONS_TABLE",
        "SEAL_KEY_ARN",
        "ALERTS_QUEUE_URL",
        "DEAD_LETTER_QUEUE_URL",
        "ATHENA_WORKGROUP",
        "SEARCH_DATABASE",
        "CONSOLE_ISSUER",
        "CONSOLE_CLIENT_ID",
        "CONSOLE_CLIENT_SECRET_ARN",
        "CONSOLE_SCOPES",
        "CONSOLE_GROUPS_CLAIM",
        "CONSOLE_SESSION_HOURS",
        "CONSOLE_SEARCH_CENTS",
        "CONSOLE_ATHENA_MEGABYTES",
        "STACK",
    }
    assert names["CompileRulesFunction"] == common | {"RULES_BUCKET", "ALERTS_TOPIC_ARN", "RUNBOOKS_URL"}
    assert names["WatchFunction"] == common | {
        "CLUSTERS_TABLE",
        "RULES_BUCKET",
        "ALERTS_TOPIC_ARN",
        "RUNBOOKS_URL",
        "DEAD_LETTER_QUEUE_URL",
    }
    assert names["PublishOutboxFunction"] == common | {"ARCHIVE_BUCKET", "ALERTS_TOPIC_ARN", "THRESHOLDS_TABLE"}
    assert names["RelayFunction"] == common | {
        "RULES_BUCKET",
        "RULES_POLL_SECONDS",
        "ALERTMANAGER_URLS",
        "ALERTMANAGER_SECRET_ARN",
        "ALERT_TTL_SECONDS",
        "DEAD_LETTER_QUEUE_URL",
    }


def test_api_has_these_routes_and_no_other(stack: Document) -> None:
    api = of_type(stack, "AWS::ApiGatewayV2::Api")["HttpApi"]
    routes = {(method, path) for path, methods in api["Body"]["paths"].items() for method in methods}
    assert routes == {
        ("post", "/audit/webhook/event"),
        ("post", "/audit/webhook/event/{credential+}"),
        ("post", "/audit/firehose"),
        ("post", "/audit/gke"),
        ("get", "/healthz"),
    }
    for path, methods in api["Body"]["paths"].items():
        for route in methods.values():
            assert route.get("security") == ([{"PubSub": []}] if path == "/audit/gke" else None)
            integration = route["x-amazon-apigateway-integration"]
            assert integration["payloadFormatVersion"] == "2.0"
            assert set(references(integration["uri"])) == {"AWS::Partition", "AWS::Region", "IngestFunctionAliaslive"}


def test_the_api_of_the_console_has_one_route_that_changes_something(stack: Document) -> None:
    api = of_type(stack, "AWS::ApiGatewayV2::Api")["ConsoleApi"]
    paths = {path: chosen["Fn::If"][1] for path, chosen in api["Body"]["paths"].items()}
    routes = {(method, path) for path, methods in paths.items() for method in methods}
    assert routes == {("get", "/"), ("get", "/{proxy+}"), ("get", "/login"), ("post", "/logout")}
    for methods in paths.values():
        for route in methods.values():
            uri = route["Fn::If"][1]["x-amazon-apigateway-integration"]["uri"]
            assert set(references(uri)) - {"AWS::NoValue"} == {"AWS::Partition", "AWS::Region", "ConsoleFunction"}


def test_tokens_of_pubsub_are_verified_before_the_function_is_called(stack: Document) -> None:
    api = of_type(stack, "AWS::ApiGatewayV2::Api")["HttpApi"]
    authorizer = api["Body"]["components"]["securitySchemes"]["PubSub"]["x-amazon-apigateway-authorizer"]
    assert authorizer == {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {
            "issuer": "https://accounts.google.com",
            "audience": [{"Fn::If": ["HasPubSubAudience", {"Ref": "PubSubAudience"}, "auditwire.invalid"]}],
        },
    }


def test_stages_are_throttled(stack: Document) -> None:
    stages = of_type(stack, "AWS::ApiGatewayV2::Stage")
    of_senders, of_console = stages["HttpApiApiGatewayDefaultStage"], stages["ConsoleApiApiGatewayDefaultStage"]
    assert of_senders["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "ThrottleRatePerSecond"},
        "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
    }
    usual, sign_in = of_console["DefaultRouteSettings"], of_console["RouteSettings"]["GET /login"]
    # Anybody can begin to sign in, and each who does leaves a row.
    assert sign_in["ThrottlingRateLimit"] < usual["ThrottlingRateLimit"] < 100
    assert sign_in["ThrottlingBurstLimit"] < usual["ThrottlingBurstLimit"] <= 100


@pytest.mark.parametrize("name", ["HttpApi", "ConsoleApi"])
def test_the_access_log_of_a_stage_holds_no_path(stack: Document, name: str) -> None:
    stage = of_type(stack, "AWS::ApiGatewayV2::Stage")[f"{name}ApiGatewayDefaultStage"]
    assert stage["StageName"] == "$default"
    line = json.loads(stage["AccessLogSettings"]["Format"])
    # A path may be a credential; a header or a query string may carry one.
    assert set(line.values()) == {
        "$context.requestTime",
        "$context.requestId",
        "$context.routeKey",
        "$context.status",
        "$context.identity.sourceIp",
        "$context.protocol",
        "$context.responseLatency",
        "$context.integrationStatus",
        "$context.integrationLatency",
        "$context.integrationErrorMessage",
        "$context.error.message",
    }


def test_rules_report_to_eventbridge_and_keep_every_version_but_of_the_status(template: Document) -> None:
    bucket = template["Resources"]["RulesBucket"]["Properties"]
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["NoncurrentVersionExpiration"]) == ("status.json", {"NoncurrentDays": 1})
    assert "ExpirationInDays" not in rule


def test_event_rules_may_call_their_functions_and_no_others(stack: Document) -> None:
    rules = of_type(stack, "AWS::Events::Rule")
    # Into the queue of objects to import, whose policy names the rule.
    assert rules.pop("ImportRule")["Targets"] == [{"Id": "queue", "Arn": {"Fn::GetAtt": ["ImportQueue", "Arn"]}}]
    assert set(rules) == {
        "CompileRulesFunctionUpload",
        "CompileRulesFunctionRegularly",
        "PublishOutboxFunctionRegularly",
        "SealFunctionHourly",
        "WatchFunctionRegularly",
    }
    permissions = of_type(stack, "AWS::Lambda::Permission").values()
    for name, rule in rules.items():
        function = f"{name.partition('Function')[0]}Function"
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
        (permission,) = [p for p in permissions if p["SourceArn"] == {"Fn::GetAtt": [name, "Arn"]}]
        assert permission["Principal"] == "events.amazonaws.com"
        assert permission["FunctionName"] == {"Ref": function}


def test_uploads_and_a_schedule_compile_the_rules(stack: Document) -> None:
    rules = of_type(stack, "AWS::Events::Rule")
    assert rules["CompileRulesFunctionUpload"]["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {"bucket": {"name": [{"Ref": "RulesBucket"}]}, "object": {"key": [{"prefix": "rules/"}]}},
    }
    assert rules["CompileRulesFunctionRegularly"]["ScheduleExpression"] == "rate(5 minutes)"
    retries = of_type(stack, "AWS::Lambda::EventInvokeConfig")["CompileRulesFunctionEventInvokeConfig"]
    assert retries["FunctionName"] == {"Ref": "CompileRulesFunction"}
    assert retries["MaximumRetryAttempts"] == 2


def test_the_outbox_is_emptied_every_minute_by_one_run_at_a_time(stack: Document) -> None:
    rule = of_type(stack, "AWS::Events::Rule")["PublishOutboxFunctionRegularly"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    retries = of_type(stack, "AWS::Lambda::EventInvokeConfig")["PublishOutboxFunctionEventInvokeConfig"]
    assert retries["FunctionName"] == {"Ref": "PublishOutboxFunction"}
    assert (retries["MaximumRetryAttempts"], retries["MaximumEventAgeInSeconds"]) == (0, 60)
    function = stack["Resources"]["PublishOutboxFunction"]["Properties"]
    assert function["Timeout"] < 60
    # An account with the smallest limit has none to reserve.
    assert "ReservedConcurrentExecutions" not in function


def test_the_watch_looks_more_often_than_the_shortest_silence_and_than_an_alert_ends(stack: Document) -> None:
    rule = of_type(stack, "AWS::Events::Rule")["WatchFunctionRegularly"]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert MIN_SILENCE_SECONDS >= 300
    # Two looks may fail before an alert that lasts ends.
    assert stack["Parameters"]["AlertTtlSeconds"]["Default"] >= 3 * 300
    retries = of_type(stack, "AWS::Lambda::EventInvokeConfig")["WatchFunctionEventInvokeConfig"]
    assert (retries["MaximumRetryAttempts"], retries["MaximumEventAgeInSeconds"]) == (0, 60)
    assert stack["Resources"]["WatchFunction"]["Properties"]["Timeout"] < 60


def test_an_hour_is_sealed_once_nothing_of_it_can_arrive_any_more(stack: Document) -> None:
    rule = of_type(stack, "AWS::Events::Rule")["SealFunctionHourly"]
    minute = minute_of_hour(rule["ScheduleExpression"])
    assert minute is not None
    assert minute * 60 >= stack["Parameters"]["SealGraceSeconds"]["Default"] == 600
    function, orders = (stack["Resources"][name]["Properties"] for name in ("SealFunction", "OrdersQueue"))
    # An order that failed comes again, and never while it may still be worked on.
    assert function["Timeout"] < orders["VisibilityTimeout"] < orders["MessageRetentionPeriod"] / 2
    assert orders["FifoQueue"] is True
    # What is for the next hour must be there again by then.
    assert stack["Resources"]["ArrivalsQueue"]["Properties"]["VisibilityTimeout"] < 3600


def test_nothing_of_seals_is_there_without_them(stack: Document) -> None:
    resources = {name for name, one in stack["Resources"].items() if one.get("Condition") == "HasSeals"}
    assert {name for name in stack["Resources"] if name.startswith(("Seal", "Orders"))} - resources == {"SealKey"}
    assert stack["Resources"]["SealKey"]["Condition"] == "MakesSealKey"
    assert stack["Conditions"]["HasSeals"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "SealKeyArn"}, "none"]}]}
    # Without them DuckDB is still there for the console.
    needing = {"Fn::Or": [{"Condition": "HasSeals"}, {"Condition": "HasConsole"}]}
    (layer,) = [one for name, one in stack["Resources"].items() if name.startswith("SearchLayer")]
    assert stack["Conditions"][layer["Condition"]] == needing
    bucket = stack["Resources"]["ArchiveBucket"]["Properties"]
    assert bucket["NotificationConfiguration"]["Fn::If"][::2] == ["HasSeals", {"Ref": "AWS::NoValue"}]


def test_nobody_signs_but_the_seal_function(stack: Document) -> None:
    allowed = stack["Resources"]["SealKey"]["Properties"]["KeyPolicy"]["Statement"]
    signing = [one for one in allowed if "kms:Sign" in json.dumps(one["Action"])]
    (statement,) = signing
    assert statement["Action"] == "kms:Sign"
    (name,) = statement["Condition"]["ArnLike"].values()
    assert name["Fn::Sub"].endswith(":role/${AWS::StackName}-SealRole-*")
    assert not any(
        "*" in action
        for one in allowed
        for action in (one["Action"] if isinstance(one["Action"], list) else [one["Action"]])
    )
    roles = of_type(stack, "AWS::IAM::Role")
    assert [name for name, role in roles.items() if "kms:Sign" in json.dumps(role)] == ["SealRole"]


def test_who_wakes_up_alone_has_a_dead_mans_switch(template: Document) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    for function, seconds in (("Watch", 900), ("PublishOutbox", 600), ("Seal", 3 * 3600)):
        alarm = alarms[f"{function}StoppedAlarm"]
        assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": f"{function}Function"}}]
        assert (alarm["MetricName"], alarm["Statistic"]) == ("Invocations", "Sum")
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
        assert alarm["Period"] * alarm["EvaluationPeriods"] == seconds
        # Where nothing runs, nothing is measured.
        assert alarm["TreatMissingData"] == "breaching"


def test_dead_letters_are_alarmed_days_before_they_are_deleted(template: Document) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["DeadLetterAgeAlarm"]
    queue = template["Resources"]["DeadLetterQueue"]["Properties"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("OldestDeadLetterSeconds", "Maximum")
    assert queue["MessageRetentionPeriod"] - alarm["Threshold"] >= 3 * 86_400


@pytest.mark.parametrize("metric", ["OutboxAgeSeconds", "RefusedObjects"])
def test_the_outbox_is_alarmed_long_before_it_expires(template: Document, metric: str) -> None:
    rules = template["Resources"]["ArchiveBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "outbox/"]
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    (alarm,) = [alarm for alarm in alarms if alarm["MetricName"] == metric]
    assert alarm["Statistic"] == "Maximum"
    assert alarm["Threshold"] + alarm["Period"] * alarm["EvaluationPeriods"] < rule["ExpirationInDays"] * 86_400 / 100
    # As the function measures it.
    variables = template["Resources"]["PublishOutboxFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": variables["POWERTOOLS_SERVICE_NAME"]}]


def test_two_stacks_do_not_share_their_metrics(template: Document, stack: Document) -> None:
    own = {"Fn::Sub": "auditwire/${AWS::StackName}"}
    for function in of_type(stack, "AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == own
    for alarm in of_type(template, "AWS::CloudWatch::Alarm").values():
        assert alarm["Namespace"] == own or str(alarm["Namespace"]).startswith("AWS/")
    for counter in of_type(template, "AWS::Logs::MetricFilter").values():
        (metric,) = counter["MetricTransformations"]
        assert metric["MetricNamespace"] == template["Outputs"]["MetricsNamespace"]["Value"] == own


def test_archive_expires_by_prefix(template: Document) -> None:
    rules = template["Resources"]["ArchiveBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in rules if "Prefix" in rule} == {
        "events/": {"Ref": "ArchiveRetentionDays"},
        "index/": {"Ref": "ArchiveRetentionDays"},
        "quarantine/": {"Ref": "QuarantineRetentionDays"},
        "outbox/": 14,
    }
    (noncurrent,) = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert noncurrent["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "NoncurrentVersionRetentionDays"}}


def test_deleting_the_stack_keeps_what_cannot_be_made_again(template: Document) -> None:
    forgotten = {"ThresholdsTable", "SessionsTable"}
    resources = {name: one for name, one in template["Resources"].items() if name not in forgotten}
    stateful = [resource for resource in resources.values() if resource["Type"] in STATEFUL]
    assert len(stateful) == 7
    for resource in stateful:
        # Not what a failed creation leaves: its name would block nothing, but nobody would know of it.
        assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
        assert resource["UpdateReplacePolicy"] == "Retain"
    policies = [one for one in template["Resources"].values() if one["Type"] == "AWS::S3::BucketPolicy"]
    assert {one["DeletionPolicy"] for one in policies} == {"RetainExceptOnCreate"}


def test_nothing_has_a_fixed_name(template: Document) -> None:
    # Two stacks in one account must not collide, and a retained bucket must not block a new stack.
    fixed = {"BucketName", "TableName", "TopicName", "QueueName", "FunctionName", "RoleName", "LayerName", "AlarmName"}
    for logical_id, resource in template["Resources"].items():
        # A permission names the function that it is for.
        named = fixed - ({"FunctionName"} if resource["Type"] == "AWS::Lambda::Permission" else set())
        assert not named & resource["Properties"].keys(), logical_id
    for group in of_type(template, "AWS::Logs::LogGroup").values():
        assert "AWS::StackName" in references(group.get("LogGroupName", {"Ref": "AWS::StackName"}))


def test_clusters_table_is_keyed_by_credential_and_recoverable(template: Document) -> None:
    table = template["Resources"]["ClustersTable"]["Properties"]
    assert table["KeySchema"] == [{"AttributeName": "credential", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"]["SSEEnabled"] is True


def test_archive_table_is_there_when_chosen_and_has_the_keys_of_the_store(template: Document) -> None:
    assert template["Conditions"]["ArchiveInTable"] == {"Fn::Equals": [{"Ref": "ArchiveStore"}, "dynamodb"]}
    assert template["Parameters"]["ArchiveStore"]["Default"] == "s3"
    resource = template["Resources"]["ArchiveTable"]
    assert resource["Condition"] == template["Outputs"]["ArchiveTable"]["Condition"] == "ArchiveInTable"
    table, clusters = resource["Properties"], template["Resources"]["ClustersTable"]["Properties"]
    for name in ("BillingMode", "PointInTimeRecoverySpecification", "SSESpecification"):
        assert table[name] == clusters[name]
    assert table["TimeToLiveSpecification"] == {"AttributeName": items.EXPIRES, "Enabled": True}
    assert keys_of(table) == [items.PARTITION, items.EVENT]
    indexes = table["GlobalSecondaryIndexes"]
    assert {index["IndexName"]: keys_of(index) for index in indexes} == {
        name: [attribute, items.EVENT] for attribute, name in items.INDEXES.items()
    }
    assert all(index["Projection"] == {"ProjectionType": "KEYS_ONLY"} for index in indexes)


def test_thresholds_table_forgets_and_has_the_keys_of_the_store(template: Document) -> None:
    resource = template["Resources"]["ThresholdsTable"]
    table = resource["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": thresholds.EXPIRES, "Enabled": True}
    assert keys_of(table) == [thresholds.GROUP, thresholds.WINDOW]
    assert table["SSESpecification"] == template["Resources"]["ClustersTable"]["Properties"]["SSESpecification"]
    assert resource["DeletionPolicy"] == "Delete"


def keys_of(table: Document) -> list[str]:
    """The attributes of a table's or an index's key, the partition's first."""
    kinds = {key["KeyType"]: key["AttributeName"] for key in table["KeySchema"]}
    return [kinds["HASH"], kinds["RANGE"]]


def test_queue_rides_out_a_day(template: Document) -> None:
    queue = template["Resources"]["AlertsQueue"]["Properties"]
    relay = template["Resources"]["RelayFunction"]["Properties"]
    assert relay["Timeout"] == 30
    assert queue["VisibilityTimeout"] == 6 * relay["Timeout"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 480,
    }
    assert queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"] == 24 * 3600
    assert queue["MessageRetentionPeriod"] == 4 * 24 * 3600
    dead_letters = template["Resources"]["DeadLetterQueue"]["Properties"]
    assert dead_letters["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_relay_answers_per_message(stack: Document) -> None:
    mapping = of_type(stack, "AWS::Lambda::EventSourceMapping")["RelayFunctionAlerts"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2  # the least that Lambda accepts
    # More than ten messages need a window. Alerts should not wait longer than that.
    assert mapping["MaximumBatchingWindowInSeconds"] == 1
    # Not an alias: a changed Alertmanager address must reach the function that takes the messages.
    assert mapping["FunctionName"] == {"Ref": "RelayFunction"}


def test_undeliverable_notifications_reach_the_dead_letters(template: Document) -> None:
    subscription = template["Resources"]["AlertsSubscription"]["Properties"]
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
    assert subscription["RawMessageDelivery"] is True


def test_the_alerts_queues_take_messages_from_the_alerts_topic_only(template: Document) -> None:
    policies = {one["Queues"][0]["Ref"]: one for one in of_type(template, "AWS::SQS::QueuePolicy").values()}
    for name in ("AlertsQueue", "DeadLetterQueue"):
        policy = policies[name]
        (allowed,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
        assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
        assert allowed["Action"] == "sqs:SendMessage"
        assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "AlertsTopic"}}}
        (denied,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert denied["Condition"] == TLS_ONLY


def test_topics_refuse_plain_http_and_alarms_may_publish(template: Document) -> None:
    policies = {p["Topics"][0]["Ref"]: p["PolicyDocument"] for p in of_type(template, "AWS::SNS::TopicPolicy").values()}
    assert set(policies) == {"AlertsTopic", "OperationsTopic"}
    for document in policies.values():
        (denied,) = [s for s in document["Statement"] if s["Effect"] == "Deny"]
        assert denied["Action"] == "sns:Publish"
        assert denied["Condition"] == TLS_ONLY
    allowed = {name: [s for s in d["Statement"] if s["Effect"] == "Allow"] for name, d in policies.items()}
    assert allowed["AlertsTopic"] == []
    assert [s["Principal"] for s in allowed["OperationsTopic"]] == [{"Service": "cloudwatch.amazonaws.com"}]


def resource_name(resource: Any) -> str:
    """A statement's resource as one word: a logical id, the text of its Fn::Sub, or the star."""
    if resource == "*":
        return "*"
    if isinstance(resource, dict) and "Fn::Sub" in resource:
        text: str = resource["Fn::Sub"]
        return text
    return " or ".join(references(resource))


def statements(role: Document) -> list[Any]:
    return [s for policy in role["Policies"] for s in policy["PolicyDocument"]["Statement"]]


@pytest.mark.parametrize("role", sorted(PERMISSIONS))
def test_roles_allow_exactly_what_is_needed(template: Document, role: str) -> None:
    found = set()
    for statement in statements(template["Resources"][role]["Properties"]):
        if "Fn::If" in statement:
            continue
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            for resource in resources if isinstance(resources, list) else [resources]:
                found.add((action, resource_name(resource)))
    assert found == PERMISSIONS[role]


@pytest.mark.parametrize("role", sorted(PERMISSIONS))
def test_roles_name_actions_and_resources(template: Document, role: str) -> None:
    properties = template["Resources"][role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    for entry in statements(properties):
        statement = entry["Fn::If"][1] if "Fn::If" in entry else entry
        assert "*" not in json.dumps(statement["Action"])
        # Network interfaces and metrics are what IAM knows no narrower resource for.
        assert statement["Resource"] != "*" or statement["Sid"] in {"JoinVpc", "ReadBooks"}


def test_optional_parts_bring_their_permissions(template: Document) -> None:
    optional = {
        (entry["Fn::If"][0], entry["Fn::If"][1]["Sid"])
        for role in PERMISSIONS
        for entry in statements(template["Resources"][role]["Properties"])
        if "Fn::If" in entry
    }
    assert optional == {
        ("HasKmsKey", "UseKey"),
        ("HasPreviousKeys", "ReadWithPreviousKeys"),
        ("ArchiveInTable", "WriteArchiveTable"),
        ("HasAlertmanagerSecret", "ReadAlertmanagerCredentials"),
        ("RelayInVpc", "JoinVpc"),
        ("LocksEvidence", "LockEvidence"),
        ("SealsAreLocked", "LockSeals"),
        ("HasHeadsBucket", "KeepHeads"),
        ("ExportsOcsf", "ListExports"),
        ("ExportsOcsf", "NoteExports"),
        ("ExportsUnderRole", "ExportUnderRole"),
        ("ExportsByItself", "Export"),
        ("HasRelay", "CountDeadLetters"),
        ("HasImportKeys", "DecryptObjects"),
        ("HasRelay", "CountWaitingAlerts"),
        ("HasSeals", "VerifySeals"),
        ("HasConsoleSecret", "ReadClientSecret"),
        ("SearchesByAthena", "SearchByAthena"),
        ("SearchesByAthena", "ReadTables"),
        ("SearchesByAthena", "LocateBuckets"),
        ("SearchesByAthena", "KeepResults"),
    }
    relay = template["Resources"]["RelayFunction"]["Properties"]
    assert relay["VpcConfig"]["Fn::If"][0] == "RelayInVpc"


def test_functions_run_with_their_own_roles_and_logs(stack: Document) -> None:
    assert set(of_type(stack, "AWS::IAM::Role")) == set(PERMISSIONS)
    for name, function in of_type(stack, "AWS::Lambda::Function").items():
        kind = name.removesuffix("Function")
        assert function["Role"] == {"Fn::GetAtt": [f"{kind}Role", "Arn"]}
        assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{kind}LogGroup"}}
    for group in of_type(stack, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_alarms_watch_the_road_and_report_beside_it(template: Document) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    watched = {(str(alarm["Namespace"]), alarm["MetricName"]) for alarm in alarms.values()}
    assert watched >= {
        ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/ApiGateway", "5xx"),
        ("AWS/DynamoDB", "ReadThrottleEvents"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
        ("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq"),
    }
    failing = {name for name, alarm in alarms.items() if alarm["MetricName"] == "Errors"}
    # What goes wrong there is answered 5xx, and only the API counts that.
    console = alarms["ConsoleErrorsAlarm"]
    assert (console["MetricName"], console["Dimensions"][0]["Value"]) == ("5xx", {"Ref": "ConsoleApi"})
    failing.add("ConsoleErrorsAlarm")
    assert failing == {f"{name.removesuffix('Role')}ErrorsAlarm" for name in PERMISSIONS}
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "OperationsTopic"}], name
        assert (alarm["TreatMissingData"] == "breaching") is name.endswith("StoppedAlarm"), name
        assert alarm["AlarmDescription"]["Fn::Sub"].endswith(f" Runbook: ${{RunbooksUrl}}#{name.lower()}"), name


REFUSALS = {
    "RefusedRequests": "ClientErrorsAlarm",
    "TooLargeRequests": "TooLargeRequestsAlarm",
    "ThrottledRequests": "ThrottledRequestsAlarm",
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refused_and_throttled_requests_are_counted_from_the_access_log(template: Document, name: str) -> None:
    counter, alarm = (template["Resources"][one]["Properties"] for one in (name, REFUSALS[name]))
    assert counter["LogGroupName"] == {"Ref": "AccessLogGroup"}
    (metric,) = counter["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    # A metric filter gives no dimensions.
    assert "Dimensions" not in alarm


def counted_by(template: Document, line: dict[str, str]) -> set[str]:
    """The metric filters that a line of the access log matches, by the part of CloudWatch's syntax that they use."""
    found = set()
    for name, properties in of_type(template, "AWS::Logs::MetricFilter").items():
        terms = re.fullmatch(r"\{ (.+) \}", properties["FilterPattern"])
        assert terms
        holds = []
        for term in terms[1].split(" && "):
            parts = re.fullmatch(r'\$\.(\w+) (=|!=) "([^"]*)"', term)
            assert parts, term
            pattern = re.escape(parts[3]).replace(r"\*", ".*")
            holds.append(bool(re.fullmatch(pattern, line[parts[1]])) is (parts[2] == "="))
        if all(holds):
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("route", "status", "counted"),
    [
        ("POST /audit/webhook/event", "200", set()),
        ("POST /audit/webhook/event", "401", {"RefusedRequests"}),
        ("POST /audit/webhook/event/{credential+}", "404", {"RefusedRequests"}),
        ("POST /audit/webhook/event", "413", {"TooLargeRequests"}),
        ("POST /audit/firehose", "413", {"TooLargeRequests"}),
        ("POST /audit/webhook/event", "429", {"ThrottledRequests"}),
        ("POST /audit/gke", "429", {"ThrottledRequests"}),
        ("POST /audit/webhook/event", "503", set()),
        # What scanners get.
        ("-", "404", set()),
        ("-", "403", set()),
        ("-", "400", set()),
        ("GET /healthz", "429", set()),
    ],
)
def test_each_refusal_rings_its_alarm_and_scanners_ring_none(
    template: Document, route: str, status: str, counted: set[str]
) -> None:
    assert counted_by(template, {"routeKey": route, "status": status}) == counted


def test_cold_start_choices_exclude_each_other(template: Document) -> None:
    assert template["Parameters"]["ColdStart"]["AllowedValues"] == ["none", "snapstart", "provisioned"]
    ingest = template["Resources"]["IngestFunction"]["Properties"]
    assert ingest["SnapStart"]["Fn::If"][0] == "UseSnapStart"
    assert ingest["ProvisionedConcurrencyConfig"]["Fn::If"][0] == "UseProvisionedConcurrency"
    assert ingest["AutoPublishAlias"] == "live"


def test_every_parameter_of_the_ingest_function_makes_a_new_version(template: Document) -> None:
    # SAM does not see a changed value; CloudFormation replaces a version whose description changes.
    properties = dict(template["Resources"]["IngestFunction"]["Properties"])
    described = set(references(properties.pop("VersionDescription")))
    # Belongs to the alias, which changes in place.
    del properties["ProvisionedConcurrencyConfig"]
    assert set(references(properties)) & set(template["Parameters"]) == described & set(template["Parameters"])
    assert "UseSnapStart" in json.dumps(template["Resources"]["IngestFunction"]["Properties"]["VersionDescription"])


def test_sam_builds_in_the_source_tree() -> None:
    # The makefiles reach from the functions to the layer, and from the layer to rules/.
    with (ROOT / "samconfig.toml").open("rb") as file:
        assert tomllib.load(file)["default"]["build"]["parameters"]["build_in_source"] is True
