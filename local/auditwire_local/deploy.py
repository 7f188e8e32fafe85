"""Makes a stack of template.yaml in the in-process AWS.

It does what ``sam deploy`` does, without a network: the folders of code are packed into a bucket, the SAM translator
makes CloudFormation of the template, and moto creates the stack through the shims.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.cloudformation.models import cloudformation_backends
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import intrinsics_multi_constructor

from auditwire_local.errors import DeployError, SkippedResourceError, UnknownTypeError
from auditwire_local.resources import TYPES, Deployed, Deployment, deploying
from auditwire_local.sandbox import ACCOUNT
from auditwire_local.template_rules import check_rules

CODE_BUCKET = "auditwire-local-code"
_CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_KNOWN_KEYS = {
    "Type",
    "Properties",
    "Metadata",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its outputs, its resources by logical id, the folder with the code of each function, and the
    values of its parameters."""

    name: str
    region: str
    outputs: Mapping[str, str]
    resources: Mapping[str, Deployed]
    code: Mapping[str, Path]
    parameters: Mapping[str, str] = field(default_factory=dict)

    def of_type(self, type_name: str) -> Iterator[Deployed]:
        """The deployed resources of one type."""
        return (resource for resource in self.resources.values() if resource.type == type_name)

    def arns(self) -> dict[str, str]:
        """ARN → logical id, for every resource that has an ARN."""
        found = {
            resource.attributes.get("Arn") or resource.attributes.get("TopicArn", ""): logical_id
            for logical_id, resource in self.resources.items()
        }
        # That of a log group ends in a wildcard for its streams.
        return {arn.removesuffix(":*"): logical_id for arn, logical_id in found.items() if arn}


class _NoManagedPolicies:
    """The translator asks this for managed policies; the template uses none by name."""

    def load(self) -> dict[str, str]:
        """No names."""
        return {}


def deploy(template: Path, *, stack: str, region: str, parameters: Mapping[str, str]) -> Stack:
    """Deploy a SAM template into the in-process AWS, which must be open.

    Raises DeployError for anything that the local system would silently do differently from AWS: unknown types and
    properties, parameters that break their constraints, and resources that were not made.
    """
    document = read_template(template)
    code = dict(_pack(document, template.parent, region))
    values = _parameter_values(document.get("Parameters", {}), parameters)
    check_rules(document, values)
    translated = translate(document, values)
    _check_resources(translated["Resources"])
    deployment = Deployment(region)
    cloudformation = boto3.client("cloudformation", region_name=region)
    with deploying(deployment):
        cloudformation.create_stack(
            StackName=stack,
            # moto tries YAML first, which takes most of a second; it takes what begins with a tab for JSON at once.
            TemplateBody="\t" + json.dumps(translated),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
    _check_complete(translated["Resources"], deployment, stack)
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    return Stack(stack, region, outputs, deployment.resources, code, values)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The translator's own YAML loader, on libyaml where that is installed: ten times as fast."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def read_template(path: Path) -> dict[str, Any]:
    """The document of a template, with short forms of functions (``!Ref X``) in their long form."""
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one
    return document


def translate(document: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The CloudFormation template of a SAM document, which is changed. Raises DeployError where SAM refuses it."""
    try:
        translated: dict[str, Any] = transform(document, dict(parameters), _NoManagedPolicies())
    except InvalidDocumentException as error:
        msg = f"the SAM translator refuses the template: {error.message}"
        raise DeployError(msg) from error
    return translated


def _pack(document: dict[str, Any], root: Path, region: str) -> Iterator[tuple[str, Path]]:
    """Upload every folder of code and let the document point to the copy, as ``sam package`` does."""
    s3 = boto3.client("s3", region_name=region)
    location: Any = {} if region == "us-east-1" else {"LocationConstraint": region}
    s3.create_bucket(Bucket=CODE_BUCKET, **({"CreateBucketConfiguration": location} if location else {}))
    for logical_id, resource in document["Resources"].items():
        name = _CODE_PROPERTIES.get(resource["Type"])
        if name is None:
            continue
        folder = root / resource["Properties"][name]
        if not folder.is_dir():
            msg = f"{logical_id}: {name} names {folder}, which is not a folder"
            raise DeployError(msg)
        s3.put_object(Bucket=CODE_BUCKET, Key=f"{logical_id}.zip", Body=_zip(folder))
        resource["Properties"][name] = f"s3://{CODE_BUCKET}/{logical_id}.zip"
        yield logical_id, folder


def _zip(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(folder))
    return packed.getvalue()


def _parameter_values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Every parameter's value as text. Defaults are passed too, because moto reads the default of a list wrongly."""
    if unknown := sorted(given.keys() - declared.keys()):
        msg = f"the template has no parameter {', '.join(unknown)}"
        raise DeployError(msg)
    values = {}
    for name, parameter in declared.items():
        if name not in given and "Default" not in parameter:
            msg = f"the template's parameter {name} has no default and no value is given"
            raise DeployError(msg)
        values[name] = str(given.get(name, parameter.get("Default")))
        _check_parameter(name, parameter, values[name])
    return values


def _check_parameter(name: str, parameter: Mapping[str, Any], value: str) -> None:
    items = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    allowed = [str(item) for item in parameter.get("AllowedValues", items)]
    pattern = parameter.get("AllowedPattern", ".*")
    fits = all(item in allowed and re.fullmatch(pattern, item, re.DOTALL) for item in items)
    if fits and parameter["Type"] == "Number":
        low, high = parameter.get("MinValue", "-inf"), parameter.get("MaxValue", "inf")
        fits = float(low) <= float(value) <= float(high)
    if not fits:
        reason = parameter.get("ConstraintDescription", "it does not meet the parameter's constraints")
        msg = f"parameter {name} cannot be {value!r}: {reason}"
        raise DeployError(msg)


def _check_resources(resources: Mapping[str, Any]) -> None:
    if unknown := sorted({resource["Type"] for resource in resources.values()} - TYPES.keys()):
        msg = f"the local system does not know the resource types {', '.join(unknown)}"
        raise UnknownTypeError(msg)
    for logical_id, resource in resources.items():
        if keys := sorted(resource.keys() - _KNOWN_KEYS):
            msg = f"the local system does not know {', '.join(keys)} of the resource {logical_id}"
            raise DeployError(msg)


def _check_complete(resources: Mapping[str, Any], deployment: Deployment, stack: str) -> None:
    """Compare what was made with what the conditions of the template ask for."""
    made = cloudformation_backends[ACCOUNT][deployment.region].get_stack(stack)
    conditions = made.resource_map.lazy_condition_map
    wanted = {
        logical_id
        for logical_id, resource in resources.items()
        if "Condition" not in resource or conditions[resource["Condition"]]
    }
    if missing := sorted(wanted - deployment.resources.keys()):
        msg = f"these resources were not made: {', '.join(missing)}"
        raise SkippedResourceError(msg)
