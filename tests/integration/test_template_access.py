"""Who may do what, over everything that SAM makes of template.yaml: whatever is added to it is held to this too."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from template import Document, of_type, references, translated

# Statements on "*", and why there is nothing narrower.
WIDE = {
    ("RelayRole", "JoinVpc"): "IAM knows no resource for the network interfaces that Lambda is about to make",
    ("SealRole", "ReadBooks"): "IAM knows no resource for metrics",
    ("ConsoleRole", "ReadBooks"): "IAM knows no resource for metrics",
}
ONLY_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
PSEUDO = {"AWS::Partition", "AWS::Region", "AWS::AccountId"}
# Whoever asks for a table of Glue needs its catalog too, and an account has one.
OWN_CATALOG = {"Fn::Sub": "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:catalog"}
OVER_PLAIN_HTTP = {"Bool": {"aws:SecureTransport": "false"}}
OWN_KEY = {"Ref": "KmsKeyArn"}
# What CloudWatch could not publish to with a key of AWS; an alarm's text holds no audit data.
UNENCRYPTED = {"OperationsTopic"}
# What S3 or EventBridge could not send to; they hold keys of objects.
WITHOUT_OWN_KEY = {"ArrivalsQueue", "ImportQueue", "ImportDeadLetterQueue"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Document]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield translated({})


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(statements: Any) -> Iterator[Document]:
    """Statements, also those under a condition."""
    for entry in listed(statements):
        branches = entry["Fn::If"][1:] if "Fn::If" in entry else [entry]
        yield from (branch for branch in branches if branch != {"Ref": "AWS::NoValue"})


def statements_of(stack: Document, kind: str, target: str) -> dict[str, list[Document]]:
    """The statements of the resource policies of a type, by the logical id of what they are for."""
    found: dict[str, list[Document]] = {}
    for policy in of_type(stack, kind).values():
        for resource in listed(policy[target]):
            (name,) = references(resource)
            found.setdefault(name, []).extend(flat(policy["PolicyDocument"]["Statement"]))
    return found


def role_statements(stack: Document) -> Iterator[tuple[str, Document]]:
    for name, role in of_type(stack, "AWS::IAM::Role").items():
        for policy in role["Policies"]:
            yield from ((name, statement) for statement in flat(policy["PolicyDocument"]["Statement"]))


def chosen(value: Any) -> list[Any]:
    """The values that an Fn::If chooses between, also one within another, or the one value."""
    if isinstance(value, dict) and "Fn::If" in value:
        return [one for branch in value["Fn::If"][1:] for one in chosen(branch)]
    return [value]


@pytest.mark.parametrize(
    ("resources", "policies", "target", "action"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket", "s3:*"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
    ],
)
def test_nobody_is_served_over_plain_http(
    stack: Document, resources: str, policies: str, target: str, action: str
) -> None:
    statements = statements_of(stack, policies, target)

    assert set(statements) == set(of_type(stack, resources))
    for name, own in statements.items():
        (denied,) = [one for one in own if one["Effect"] == "Deny" and one["Condition"] == OVER_PLAIN_HTTP]
        assert (denied["Principal"], denied["Action"]) == ("*", action), name
        assert set(references(denied["Resource"])) == {name}
        # A bucket's objects are resources of their own.
        assert len(listed(denied["Resource"])) == (2 if action == "s3:*" else 1)


@pytest.mark.parametrize(
    ("policies", "target"),
    [
        ("AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::TopicPolicy", "Topics"),
    ],
)
def test_resource_policies_let_in_single_services_on_account_of_named_resources(
    stack: Document, policies: str, target: str
) -> None:
    for name, own in statements_of(stack, policies, target).items():
        for statement in own:
            if statement["Effect"] == "Allow":
                assert set(statement["Principal"]) == {"Service"}, name
                assert "*" not in json.dumps(statement["Action"]), name
                keys = {key: value for one in statement["Condition"].values() for key, value in one.items()}
                # One resource of this stack, or, where those name the topic themselves, any of this account.
                named = set(references(keys["aws:SourceArn"])) & set(stack["Resources"])
                assert named or keys["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}, name


def test_every_bucket_is_private_encrypted_and_versioned(stack: Document) -> None:
    for name, bucket in of_type(stack, "AWS::S3::Bucket").items():
        block = bucket["PublicAccessBlockConfiguration"]
        assert len(block) == 4, name
        assert set(block.values()) == {True}, name
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, name
        # What queries of Athena have found is a copy that goes after two days.
        if name != "AthenaResultsBucket":
            assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        with_key, without = (branch["ServerSideEncryptionByDefault"] for branch in rule["Fn::If"][1:])
        assert with_key == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": OWN_KEY}, name
        assert without == {"SSEAlgorithm": "AES256"}, name


def test_every_table_topic_and_queue_is_encrypted_with_ones_own_key_if_there_is_one(stack: Document) -> None:
    for name, table in of_type(stack, "AWS::DynamoDB::Table").items():
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert OWN_KEY in chosen(table["SSESpecification"]["KMSMasterKeyId"]), name
        # Counts of the last hours are nothing to go back to, nor are sessions.
        recovery = None if name in {"ThresholdsTable", "SessionsTable"} else {"PointInTimeRecoveryEnabled": True}
        assert table.get("PointInTimeRecoverySpecification") == recovery, name
    for name, queue in of_type(stack, "AWS::SQS::Queue").items():
        if name in WITHOUT_OWN_KEY:
            assert queue["SqsManagedSseEnabled"] is True, name
            continue
        assert chosen(queue["KmsMasterKeyId"]) == [OWN_KEY, {"Ref": "AWS::NoValue"}], name
        assert chosen(queue["SqsManagedSseEnabled"]) == [{"Ref": "AWS::NoValue"}, True], name
    for name, topic in of_type(stack, "AWS::SNS::Topic").items():
        if name not in UNENCRYPTED:
            assert chosen(topic["KmsMasterKeyId"]) == [OWN_KEY, "alias/aws/sns"], name


def test_every_function_has_a_role_and_a_log_of_its_own_that_expires(stack: Document) -> None:
    functions, roles = of_type(stack, "AWS::Lambda::Function"), of_type(stack, "AWS::IAM::Role")
    groups = of_type(stack, "AWS::Logs::LogGroup")

    owners = Counter(name for function in functions.values() for name in references(function["Role"]))
    assert owners == Counter(roles.keys())
    logs = Counter(name for function in functions.values() for name in references(function["LoggingConfig"]))
    assert set(logs.values()) == {1}
    assert set(logs) <= set(groups)
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())
    for name, role in roles.items():
        assert role["AssumeRolePolicyDocument"] == ONLY_LAMBDA, name
        assert not {"ManagedPolicyArns", "PermissionsBoundary"} & role.keys(), name


def test_roles_name_their_actions_and_resources_and_give_each_statement_a_name(stack: Document) -> None:
    for role, statement in role_statements(stack):
        assert statement["Effect"] == "Allow"
        assert "*" not in json.dumps(statement["Action"]), (role, statement["Sid"])
        if (role, statement["Sid"]) not in WIDE:
            for resource in listed(statement["Resource"]):
                # Something of this stack, or what a parameter names.
                named = {*stack["Resources"], *stack["Parameters"]}
                assert set(references(resource)) <= named | PSEUDO, (role, resource)
                assert named & set(references(resource)) or resource == OWN_CATALOG, (role, resource)
    names = Counter((role, statement["Sid"]) for role, statement in role_statements(stack))
    assert set(names.values()) == {1}


def test_what_is_listed_as_wide_is_wide(stack: Document) -> None:
    assert {(role, one["Sid"]) for role, one in role_statements(stack) if one["Resource"] == "*"} == set(WIDE)


def test_evidence_is_put_only_where_none_is_and_deleted_by_nobody(stack: Document) -> None:
    evidence = tuple(f"${{ArchiveBucket.Arn}}/{folder}/*" for folder in ("events", "quarantine", "seals"))
    for role, statement in role_statements(stack):
        if any(one in [{"Fn::Sub": name} for name in evidence] for one in listed(statement["Resource"])):
            assert set(listed(statement["Action"])) <= {"s3:PutObject", "s3:PutObjectRetention", "s3:GetObject"}, role
            if "s3:PutObject" in listed(statement["Action"]):
                assert statement["Condition"] == {"Null": {"s3:if-none-match": "false"}}, role


def test_who_writes_evidence_signs_nothing_and_who_signs_writes_no_events(stack: Document) -> None:
    writing: dict[str, set[str]] = {}
    for role, statement in role_statements(stack):
        if "s3:PutObject" in listed(statement["Action"]):
            writing.setdefault(role, set()).update(json.dumps(one) for one in listed(statement["Resource"]))
    assert [role for role, resources in writing.items() if any("/seals/*" in one for one in resources)] == ["SealRole"]
    assert not any("/events/*" in one for one in writing["SealRole"])


def test_nobody_in_the_stack_could_delete_evidence_even_with_a_permission(stack: Document) -> None:
    (denied,) = [
        one
        for one in statements_of(stack, "AWS::S3::BucketPolicy", "Bucket")["ArchiveBucket"]
        if one["Sid"] == "NobodyInTheStackDeletesEvidence"
    ]
    assert set(denied["Action"]) == {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"}
    assert [one["Fn::Sub"] for one in denied["Resource"]] == [
        "${ArchiveBucket.Arn}/events/*",
        "${ArchiveBucket.Arn}/seals/*",
    ]
    (roles,) = denied["Condition"]["ArnLike"].values()
    # Every role is named by CloudFormation, behind the name of the stack.
    assert roles["Fn::Sub"].endswith(":role/${AWS::StackName}-*")
    assert not any("RoleName" in role for role in of_type(stack, "AWS::IAM::Role").values())


def test_a_listing_is_of_named_prefixes(stack: Document) -> None:
    for role, statement in role_statements(stack):
        if "s3:ListBucket" in listed(statement["Action"]):
            assert listed(statement["Action"]) == ["s3:ListBucket"], role
            (prefixes,) = [condition["s3:prefix"] for condition in statement["Condition"].values()]
            assert all(prefix.strip("*") for prefix in listed(prefixes)), role


def test_only_the_api_and_schedules_of_this_stack_call_functions(stack: Document) -> None:
    permissions = of_type(stack, "AWS::Lambda::Permission")
    logs = permissions.pop("SubscribeEksPermission")
    for name, permission in permissions.items():
        assert permission["Action"] == "lambda:InvokeFunction", name
        assert permission["Principal"] in {"apigateway.amazonaws.com", "events.amazonaws.com"}, name
        callers = [one for one in references(permission["SourceArn"]) if one in stack["Resources"]]
        kinds = {stack["Resources"][caller]["Type"] for caller in callers}
        expected = "AWS::Events::Rule" if permission["Principal"].startswith("events") else "AWS::ApiGatewayV2::Api"
        assert kinds == {expected}, name
    assert of_type(stack, "AWS::Lambda::Url") == {}
    # And CloudWatch Logs the one for it, for log groups of this account that the parameter allows.
    assert logs["FunctionName"] == {"Fn::GetAtt": ["SubscribeEksFunction", "Arn"]}
    assert (logs["Principal"], logs["SourceAccount"]) == ("logs.amazonaws.com", {"Ref": "AWS::AccountId"})
    source = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${EksLogGroups}:*"
    assert logs["SourceArn"] == {"Fn::Sub": source}


def test_no_variable_holds_a_credential(stack: Document) -> None:
    for name, function in of_type(stack, "AWS::Lambda::Function").items():
        for variable, value in function["Environment"]["Variables"].items():
            if any(word in variable for word in ("SECRET", "TOKEN", "PASSWORD", "CREDENTIAL", "KEY")):
                assert variable.endswith("_ARN"), name
                # What a parameter or the template names, never a text.
                assert all({"Ref", "Fn::GetAtt"} & one.keys() for one in chosen(value) if one != ""), name
    assert not any(parameter.get("NoEcho") for parameter in stack["Parameters"].values())
