"""The settings of a ``Webhook`` document: what is archived, what alerts, whose events are accepted, where alerts go."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from auditwire.events.level import Level
from auditwire.events.secret_places import Redaction


class Priority(StrEnum):
    """How important a rule is: DEBUG < INFO < WARNING."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"

    @property
    def rank(self) -> int:
        """Its position in the order, from 0."""
        return _RANKS[self]


_RANKS: Final = {Priority.DEBUG: 0, Priority.INFO: 1, Priority.WARNING: 2}


class MissingBodies(StrEnum):
    """What happens where a rule would alert, if it matched, and a missing part of the event decides whether it does."""

    ALERT = "alert"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One ``matchExpressions`` requirement of a label selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Selector:
    """A Kubernetes label selector. All labels and all requirements must match."""

    labels: dict[str, str]
    requirements: tuple[Requirement, ...] = ()

    def selects(self, labels: dict[str, str]) -> bool:
        """Whether a document with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.labels.items()) and all(
            _satisfies(labels, requirement) for requirement in self.requirements
        )


def _satisfies(labels: dict[str, str], requirement: Requirement) -> bool:
    value = labels.get(requirement.key)
    if requirement.operator == "In":
        return value in requirement.values
    if requirement.operator == "NotIn":
        return value not in requirement.values
    return (value is not None) is (requirement.operator == "Exists")


@dataclass(frozen=True, slots=True)
class Receiver:
    """An Alertmanager that receives alerts. ``url`` has no trailing slash; ``ca_bundle`` is PEM."""

    name: str
    url: str
    ca_bundle: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a ``Webhook`` document sets. The defaults apply if there is no such document."""

    audit_level: Level = Level.METADATA
    archiving_priority: Priority = Priority.DEBUG
    alerting_priority: Priority = Priority.WARNING
    k8s_auditing_enabled: bool = True
    missing_bodies: MissingBodies = MissingBodies.ALERT
    archiving_selector: Selector = field(default_factory=lambda: Selector({"type": "archiving"}))
    alerting_selector: Selector = field(default_factory=lambda: Selector({"type": "alerting"}))
    receivers: tuple[Receiver, ...] = ()
    redactions: tuple[Redaction, ...] = ()
