"""Fields that the events of a managed cloud never have (AW128): tests of them decide nothing there."""

from enum import StrEnum
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, FieldTable
from auditwire.condition.syntax import Path, comparisons
from auditwire.documents.diagnostics import Severity
from auditwire.rules.definitions import Definitions, report_finding
from auditwire.rules.document import RuleDocument


class Cloud(StrEnum):
    """A managed cloud whose events rules are checked for."""

    EKS = "eks"
    GKE = "gke"
    AKS = "aks"


# Of KubeSphere alone.
_OF_KUBESPHERE: Final = ("Workspace", "Devops", "Message")
# Google's audit entries name the caller and no more; nor do they tell an object's uid and version.
_NOT_IN_GKE: Final = (
    "User.Groups", "User.UID", "User.Extra", "ImpersonatedUser", "AuthenticationMetadata", "ObjectRef.UID",
    "ObjectRef.ResourceVersion",
)  # fmt: skip
_NEVER: Final = {
    Cloud.EKS: _OF_KUBESPHERE,
    Cloud.GKE: (*_OF_KUBESPHERE, *_NOT_IN_GKE),
    Cloud.AKS: _OF_KUBESPHERE,
}


def report_never_sent(
    documents: list[RuleDocument], definitions: Definitions, fields: FieldTable, cloud: Cloud | None
) -> None:
    """Reports every test, in enabled rules and in macros, of a field that the events of a cloud never have; nothing
    where none is named."""
    if cloud is None:
        return
    for document in documents:
        for entry in document.entries:
            written = definitions.written.get(f"{document.name}.{entry.name}")
            if entry.condition is None or written is None or (entry.type == "rule" and not entry.enable):
                continue
            for comparison in comparisons(written):
                field = fields.resolve(comparison.field) if isinstance(comparison.field, Path) else None
                if isinstance(field, Field) and _is_missing(field.name, cloud):
                    found = Finding(
                        "AW128",
                        f"events of {cloud.upper()} never have {field.name}",
                        "test something that they have, such as User.Username, or leave the rule to other clusters",
                        comparison.field.offset if isinstance(comparison.field, Path) else 0,
                        Severity.WARNING,
                    )
                    report_finding(document, entry, entry.condition, found)


def _is_missing(name: str, cloud: Cloud) -> bool:
    return any(name == never or name.startswith(f"{never}.") for never in _NEVER[cloud])
