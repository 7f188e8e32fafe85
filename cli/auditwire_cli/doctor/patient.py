"""The stack that is looked at: what is asked of AWS about it, each thing once."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditwire_cli.stack import Deployment

if TYPE_CHECKING:
    from auditwire.alerts.alertmanager import AlertmanagerPeer


@dataclass(frozen=True)
class Patient:
    """A stack that is looked at. ``local`` says that it runs on this machine, where alarms never go off."""

    found: Deployment
    now: datetime
    local: bool = False
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def client(self, service: str) -> Any:
        """A client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self.found.client(service)
        return self._clients[service]

    def parameter(self, name: str) -> str:
        """The value of a parameter; empty for one that the stack does not have."""
        return self.found.parameters.get(name, "")

    @property
    def has_relay(self) -> bool:
        """Whether alerts go to Alertmanager."""
        return "AlertsQueueUrl" in self.found.outputs

    @cached_property
    def resources(self) -> dict[str, list[str]]:
        """The physical names of the stack's resources, by type."""
        names: dict[str, list[str]] = {}
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.found.name)
        for page in pages:
            for one in page["StackResourceSummaries"]:
                names.setdefault(one["ResourceType"], []).append(one.get("PhysicalResourceId", ""))
        return names

    @cached_property
    def peers(self) -> "tuple[AlertmanagerPeer, ...]":
        """The Alertmanagers that the relay delivers to, as far as this machine may know them."""
        from auditwire.alerts import peers_of
        from auditwire.alerts.alertmanager import parse_credentials
        from auditwire.bundles.active_rules import ActiveRules
        from auditwire.bundles.rules_bucket import S3RulesBucket

        urls = [url for url in self.parameter("AlertmanagerUrls").split(",") if url]
        secret = self.parameter("AlertmanagerSecretArn")
        credentials = None
        if urls and secret:
            text = self.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
            credentials = parse_credentials(text)
        rules = ActiveRules(S3RulesBucket(self.client("s3"), self.found.output("RulesBucket"))).confirmed()
        found = peers_of(urls, rules.settings.receivers if rules else (), credentials)
        return tuple(found.peers)  # type: ignore[arg-type]  # peers_of makes no others
