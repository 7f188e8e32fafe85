"""Fields that a cloud never sends, in rules and in macros."""

import pytest

from auditwire.rules import Source, load_sources
from auditwire.rules.never_sent import Cloud

TEXT = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {name: own, labels: {type: alerting}}
spec:
  rules:
    - {name: masters, type: macro, macro: 'User.Groups = "system:masters"'}
    - {name: One, type: rule, priority: WARNING, condition: '${masters} and Verb = "delete"'}
    - {name: Two, type: rule, priority: WARNING, condition: 'user.uid exists and ImpersonatedUser.Username exists'}
    - {name: Off, type: rule, priority: WARNING, enable: false, condition: 'User.UID = "x"'}
    - {name: Mine, type: rule, priority: WARNING, condition: 'Workspace = "w" and User.Username = "u"'}
"""


def found(cloud: Cloud | None) -> list[tuple[int, str]]:
    loaded = load_sources([Source("own.yaml", TEXT)], cloud=cloud)
    return [(one.line, one.message) for one in loaded.diagnostics if one.code == "AW128"]


def test_every_test_of_such_a_field_is_named_once_at_its_place() -> None:
    assert found(Cloud.GKE) == [
        (6, "events of GKE never have User.Groups"),
        (8, "events of GKE never have User.UID"),
        (8, "events of GKE never have ImpersonatedUser.Username"),
        (10, "events of GKE never have Workspace"),
    ]


@pytest.mark.parametrize("cloud", [Cloud.EKS, Cloud.AKS])
def test_eks_and_aks_have_every_field_of_kubernetes(cloud: Cloud) -> None:
    assert found(cloud) == [(10, f"events of {cloud.upper()} never have Workspace")]


def test_nothing_is_said_where_no_cloud_is_named() -> None:
    assert found(None) == []
