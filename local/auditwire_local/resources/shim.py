"""How a resource type is added to moto's CloudFormation.

moto makes some types, silently skips others, and loses properties of most. Here each type of the template has one
function, registered with ``resource``, which makes the resource by boto3 calls inside the mock. moto looks for its
models among the direct subclasses of CloudFormationModel, and the last one wins, so the classes that are made here
replace its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from auditwire_local.errors import DeployError
from auditwire_local.properties import Properties


@dataclass(frozen=True, slots=True)
class Made:
    """What a shim made: the physical id (the value of ``Ref``) and the values of ``Fn::GetAtt``."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource of the stack as it was deployed, with its resolved properties, also those that moto cannot keep."""

    logical_id: str
    type: str
    physical_id: str
    attributes: Mapping[str, str]
    properties: Mapping[str, Any]


class Deployment:
    """One run of ``create_stack``: where shims find their AWS clients and put their records."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.resources: dict[str, Deployed] = {}
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The shared client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=self.region)  # type: ignore[call-overload]
        return self._clients[service]


@dataclass(frozen=True, slots=True)
class Request:
    """One resource to make. ``name`` is the name that CloudFormation would give, or that of the template."""

    logical_id: str
    name: str
    account: str
    region: str
    properties: Properties
    deployment: Deployment

    def client(self, service: str) -> Any:
        """The shared client of a service, inside the mock."""
        return self.deployment.client(service)


Make = Callable[[Request], Made]

TYPES: dict[str, type] = {}
"""Resource type → its class in moto's terms; importing the modules of this package fills it."""

_current: ContextVar[Deployment | None] = ContextVar("deployment", default=None)


def resource(type_name: str, *, name: str = "", attributes: tuple[str, ...] = ()) -> Callable[[Make], Make]:
    """Register a function as the maker of a resource type. ``name`` is the property that names the resource;
    ``attributes`` are those of ``Fn::GetAtt``."""

    def register(make: Make) -> Make:
        TYPES[type_name] = _model(type_name, name, attributes, make)
        return make

    return register


@contextmanager
def deploying(deployment: Deployment) -> Iterator[None]:
    """Inside, everything that ``create_stack`` makes is recorded for this deployment."""
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    token = _current.set(deployment)
    try:
        yield
    finally:
        _current.reset(token)


def _model(type_name: str, name_property: str, attributes: tuple[str, ...], make: Make) -> type:
    class Shim(CloudFormationModel):
        """One deployed resource, as moto's CloudFormation sees it."""

        def __init__(self, deployed: Deployed) -> None:
            self.deployed = deployed

        @property
        def physical_resource_id(self) -> str:
            return self.deployed.physical_id

        @staticmethod
        def cloudformation_name_type() -> str:
            return name_property

        @staticmethod
        def cloudformation_type() -> str:
            return type_name

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in attributes

        def get_cfn_attribute(self, attribute_name: str) -> str:
            try:
                return self.deployed.attributes[attribute_name]
            except KeyError:
                msg = f"{type_name} has no attribute {attribute_name} in the local system"
                raise DeployError(msg) from None

        def is_created(self) -> bool:
            return True

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,
            region_name: str,
            **kwargs: str,
        ) -> "Shim":
            deployment = _current.get()
            if deployment is None:
                msg = f"{type_name} is deployed outside the local system"
                raise DeployError(msg)
            logical_id = kwargs["LogicalId"]
            values = without_nothing(cloudformation_json.get("Properties", {}))
            properties = Properties(values, f"{type_name} {logical_id}")
            request = Request(logical_id, resource_name, account_id, region_name, properties, deployment)
            try:
                made = make(request)
            except (BotoCoreError, ClientError) as error:
                msg = f"{type_name} {logical_id}: {error}"
                raise DeployError(msg) from error
            properties.finish()
            deployed = Deployed(logical_id, type_name, made.physical_id, made.attributes, values)
            deployment.resources[logical_id] = deployed
            return cls(deployed)

    return Shim


def without_nothing(value: Any) -> Any:
    """The value without what ``AWS::NoValue`` removed, for which moto leaves ``None`` in lists."""
    if isinstance(value, dict):
        return {key: without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nothing(item) for item in value if item is not None]
    return value


def as_tags(tags: Any) -> dict[str, str]:
    """Tags in either form of CloudFormation (a map, or a list of Key and Value), as a map."""
    if isinstance(tags, dict):
        return {key: str(value) for key, value in tags.items()}
    return {tag["Key"]: str(tag["Value"]) for tag in tags or []}


def as_json(document: Any) -> str:
    """A policy document as the APIs of AWS take it."""
    return json.dumps(document, separators=(",", ":"))
