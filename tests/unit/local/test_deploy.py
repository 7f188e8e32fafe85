"""A template is deployed whole or refused: nothing in it is skipped or lost unseen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from auditwire_local.deploy import deploy
from auditwire_local.errors import DeployError, UnknownPropertyError, UnknownTypeError
from auditwire_local.sandbox import sandbox

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}


@pytest.fixture
def _aws() -> Iterator[None]:
    with sandbox("us-east-1", "127.0.0.1", 0):
        yield


def _template(folder: Path, resources: dict[str, object], **more: object) -> Path:
    document = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources, **more}
    path = folder / "template.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.usefixtures("_aws")
def test_resources_and_outputs_of_a_deployment(tmp_path: Path) -> None:
    template = _template(
        tmp_path,
        {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": {"Ref": "Seconds"}}}},
        Parameters={"Seconds": {"Type": "Number", "Default": 60}},
        Outputs={"Url": {"Value": {"Ref": "Queue"}}, "Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    )

    stack = deploy(template, stack="s", region="us-east-1", parameters={"Seconds": "90"})

    queue = stack.resources["Queue"]
    assert queue.properties == {"VisibilityTimeout": 90}
    assert stack.outputs == {"Url": queue.physical_id, "Arn": queue.attributes["Arn"]}
    assert re.fullmatch(r"arn:aws:sqs:us-east-1:123456789012:s-Queue-\w+", stack.outputs["Arn"])


@pytest.mark.usefixtures("_aws")
def test_a_condition_decides_whether_a_resource_exists(tmp_path: Path) -> None:
    template = _template(
        tmp_path,
        {"Kept": QUEUE, "Left": {**QUEUE, "Condition": "Never"}},
        Conditions={"Never": {"Fn::Equals": ["a", "b"]}},
        Outputs={"Url": {"Value": {"Ref": "Kept"}}},
    )

    assert list(deploy(template, stack="s", region="us-east-1", parameters={}).resources) == ["Kept"]


@pytest.mark.usefixtures("_aws")
def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    template = _template(tmp_path, {"Queue": QUEUE, "Stream": {"Type": "AWS::Kinesis::Stream"}})

    with pytest.raises(UnknownTypeError) as caught:
        deploy(template, stack="s", region="us-east-1", parameters={})

    assert str(caught.value) == "the local system does not know the resource types AWS::Kinesis::Stream"


@pytest.mark.usefixtures("_aws")
@pytest.mark.parametrize(
    ("resource", "place"),
    [
        pytest.param(
            {"Type": "AWS::SQS::Queue", "Properties": {"RedriveAllowPolicy": {}}},
            "AWS::SQS::Queue Queue.RedriveAllowPolicy",
            id="property",
        ),
        pytest.param(
            {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {"deadletters": "x"}}},
            "AWS::SQS::Queue Queue.RedrivePolicy.deadletters",
            id="nested",
        ),
    ],
)
def test_an_unknown_property_is_refused(tmp_path: Path, resource: dict[str, object], place: str) -> None:
    with pytest.raises(UnknownPropertyError) as caught:
        deploy(_template(tmp_path, {"Queue": resource}), stack="s", region="us-east-1", parameters={})

    assert str(caught.value) == f"the local system does not know {place}"


@pytest.mark.usefixtures("_aws")
def test_an_unknown_key_of_a_resource_is_refused(tmp_path: Path) -> None:
    template = _template(tmp_path, {"Queue": {**QUEUE, "CreationPolicy": {}}})

    with pytest.raises(DeployError, match=r"^the local system does not know CreationPolicy of the resource Queue$"):
        deploy(template, stack="s", region="us-east-1", parameters={})


@pytest.mark.usefixtures("_aws")
def test_what_aws_would_refuse_is_refused_with_the_place(tmp_path: Path) -> None:
    template = _template(tmp_path, {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}})

    with pytest.raises(DeployError, match=r"^AWS::S3::Bucket Bucket: An error occurred \(InvalidBucketName\)"):
        deploy(template, stack="s", region="us-east-1", parameters={})


@pytest.mark.usefixtures("_aws")
@pytest.mark.parametrize(
    ("parameter", "value", "sentence"),
    [
        ({"Type": "Number", "MinValue": 1}, "0", "it does not meet the parameter's constraints"),
        ({"Type": "String", "AllowedValues": ["a"]}, "b", "it does not meet the parameter's constraints"),
        (
            {"Type": "CommaDelimitedList", "AllowedPattern": "a+", "ConstraintDescription": "only a"},
            "aa,b",
            "only a",
        ),
    ],
    ids=["bounds", "values", "pattern of each item"],
)
def test_parameters_are_held_to_their_constraints(
    tmp_path: Path, parameter: dict[str, object], value: str, sentence: str
) -> None:
    template = _template(tmp_path, {"Queue": QUEUE}, Parameters={"P": parameter})

    with pytest.raises(DeployError) as caught:
        deploy(template, stack="s", region="us-east-1", parameters={"P": value})

    assert str(caught.value) == f"parameter P cannot be {value!r}: {sentence}"


@pytest.mark.usefixtures("_aws")
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"P": "x", "Q": "y"}, "the template has no parameter Q"),
        ({}, "the template's parameter P has no default and no value is given"),
    ],
    ids=["unknown", "missing"],
)
def test_parameters_are_those_of_the_template(tmp_path: Path, given: dict[str, str], sentence: str) -> None:
    template = _template(tmp_path, {"Queue": QUEUE}, Parameters={"P": {"Type": "String"}})

    with pytest.raises(DeployError) as caught:
        deploy(template, stack="s", region="us-east-1", parameters=given)

    assert str(caught.value) == sentence


@pytest.mark.usefixtures("_aws")
def test_a_template_that_sam_refuses_is_refused(tmp_path: Path) -> None:
    template = _template(tmp_path, {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "."}}})

    with pytest.raises(DeployError, match=r"^the SAM translator refuses the template: "):
        deploy(template, stack="s", region="us-east-1", parameters={})


@pytest.mark.usefixtures("_aws")
def test_a_missing_code_folder_is_refused(tmp_path: Path) -> None:
    template = _template(tmp_path, {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "f"}}})

    with pytest.raises(DeployError) as caught:
        deploy(template, stack="s", region="us-east-1", parameters={})

    assert str(caught.value) == f"F: CodeUri names {tmp_path / 'f'}, which is not a folder"


@pytest.mark.usefixtures("_aws")
def test_what_one_machine_cannot_have_is_refused_and_not_left_out() -> None:
    template = Path(__file__).parents[3] / "template.yaml"
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    parameters = {"DomainName": "audit.example.com", "CertificateArn": certificate}
    with pytest.raises(DeployError, match="it has neither a custom domain nor mutual TLS"):
        deploy(template, stack="s", region="us-east-1", parameters=parameters)


@pytest.mark.usefixtures("_aws")
def test_parameters_that_do_not_go_together_are_refused_before_anything_is_made() -> None:
    template = Path(__file__).parents[3] / "template.yaml"
    with pytest.raises(DeployError, match=r"^DomainName needs a CertificateArn\.$"):
        deploy(template, stack="s", region="us-east-1", parameters={"DomainName": "audit.example.com"})
