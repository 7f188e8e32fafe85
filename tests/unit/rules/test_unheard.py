"""Names that no event of a Kubernetes cluster has, and paths that lead through a list."""

import pytest

from auditwire.rules import Source, load_sources
from auditwire.rules.list_fields import LIST_FIELDS
from rule_texts import document, rule


def found(condition: str, code: str, *, more: str = "") -> list[tuple[str, str]]:
    """Message and hint of the findings with a code about a condition; ``more`` are other entries."""
    loaded = load_sources([Source("mine.yaml", document(more + rule(condition)))])
    assert loaded.rule_set is not None, [one.as_text() for one in loaded.diagnostics]
    return [(one.message, one.hint) for one in loaded.diagnostics if one.code == code]


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ('Verb = "exec"', 'write ObjectRef.Subresource = "exec", where the verb is create or get'),
        ('Verb in ("get", "logs")', 'write ObjectRef.Subresource = "log", where the verb is create or get'),
        ('Verb = "Create"', "write it in lower case: create"),
        ('Verb != "apply"', "did you mean patch?"),
        ('Verb = "impersonate"', "requests have get, list, watch, create, update, patch, delete, deletecollection"),
        ('ObjectRef.Resource = "deployments.apps"',
         'write ObjectRef.Resource = "deployments" and ObjectRef.APIGroup = "apps"'),
        ('ObjectRef.Resource = "pods/exec"', 'write ObjectRef.Resource = "pods" and ObjectRef.Subresource = "exec"'),
        ('ObjectRef.Resource in ("Pod")', 'write "pods": it is lower case in every event'),
        ('ObjectRef.Resource = "Widgets"', 'write "widgets": it is lower case in every event'),
        ('ObjectRef.Resource = "deploy"', 'write "deployments": resources are named in the plural'),
        ('ObjectRef.Resource = "networkpolicy"', 'write "networkpolicies": resources are named in the plural'),
        ('ObjectRef.Subresource = "logs"', "did you mean log?"),
        ('ObjectRef.Subresource = "port-forward"', "did you mean portforward?"),
        ('ObjectRef.Subresource = "Exec"', "write it in lower case: exec"),
        ('ObjectRef.APIGroup = "core"', 'the core group is ""'),
        ('ObjectRef.APIGroup = "rbac"', "did you mean rbac.authorization.k8s.io?"),
        ('ObjectRef.APIGroup = "apps/v1"', "write apps; the version v1 is a field of its own"),
        ('ObjectRef.APIVersion = "apps/v1"', 'write ObjectRef.APIGroup = "apps" and ObjectRef.APIVersion = "v1"'),
        ('User.Username = "system:nodes"', 'that is a group: write User.Groups = "system:nodes"'),
        ('User.Username in ("system:serviceaccounts:kube-system")',
         'that is a group: write User.Groups = "system:serviceaccounts:kube-system"'),
        ('ImpersonatedUser.Username = "system:masters"',
         'that is a group: write ImpersonatedUser.Groups = "system:masters"'),
        ('User.Groups = "system:serviceaccount:shop:default"',
         'that is a user: write User.Username = "system:serviceaccount:shop:default"'),
        ('User.Groups contains "system:serviceaccount:"',
         'that is a user: write User.Username startswith "system:serviceaccount:"'),
        ('User.Groups like "system:node:*"', 'that is a user: write User.Username startswith "system:node:"'),
        ('User.Username startswith "system:serviceaccounts:shop"',
         'that is a group: write User.Groups startswith "system:serviceaccounts:shop"'),
        ('ObjectRef.Resource like "pods/*"', 'write ObjectRef.Resource = "pods" and ObjectRef.Subresource exists'),
        ('ObjectRef.Resource contains "pods/exec"',
         'write ObjectRef.Resource = "pods" and ObjectRef.Subresource = "exec"'),
        ('SourceIPs = "10.0.0.0/8"', 'write SourceIP within ("10.0.0.0/8"), if that is a network'),
        ('SourceIP in ("10.0.0.1", "fd00::/8")', 'write SourceIP within ("fd00::/8"), if that is a network'),
        ('SourceIPs contains "192.168.0.0/16"', 'write SourceIP within ("192.168.0.0/16"), if that is a network'),
        ('User.Groups[*] = "system:kube-scheduler"', 'that is a user: write User.Username = "system:kube-scheduler"'),
    ],
)  # fmt: skip
def test_a_name_that_no_event_has_is_found_with_what_is_meant(condition: str, hint: str) -> None:
    ((message, said),) = found(condition, "AW121")

    assert message.startswith("no event has the ")
    assert said == hint


@pytest.mark.parametrize(
    "condition",
    [
        'Verb in ("get", "create", "post", "head", "options", "trace", "enable", "proxy", "deletecollection")',
        'Verb = ""',
        'Verb like "exec*"',
        'lower(Verb) = "exec"',
        'ObjectRef.Resource in ("pods", "widgets", "deployments", "podmetrics")',
        'ObjectRef.Resource startswith "Pod"',
        'ObjectRef.Subresource in ("", "exec", "vnc", "console", "scale", "finalize")',
        'ObjectRef.APIGroup in ("", "apps", "example.com", "iam.kubesphere.io")',
        'ObjectRef.APIVersion = "v1"',
        'User.Username in ("jane", "system:node:a", "system:anonymous", "group:ops")',
        'User.Groups in ("ops", "system:nodes", "system:authenticated")',
        'User.Groups contains "system:serviceaccounts"',
        'User.Username startswith "system:node:"',
        'ObjectRef.Resource like "*pods*"',
        'SourceIPs = "10.0.0.1"',
        'SourceIP startswith "10.0."',
        'Annotations["x"] = "core"',
    ],
)
def test_names_that_events_may_have_are_left_alone(condition: str) -> None:
    assert found(condition, "AW121") == []


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ("RequestObject.spec.containers.securityContext.privileged = true",
         "RequestObject.spec.containers[*].securityContext.privileged"),
        ('RequestObject.spec.template.spec.initContainers.image startswith "x"',
         "RequestObject.spec.template.spec.initContainers[*].image"),
        ('RequestObject.subjects.name = "jane"', "RequestObject.subjects[*].name"),
        ('RequestObject.rules.resources contains "secrets"', "RequestObject.rules[*].resources"),
        ("RequestObject.spec.containers.ports.hostPort > 0", "RequestObject.spec.containers[*].ports[*].hostPort"),
        ("RequestObject.spec.containers[*].ports.hostPort > 0", "RequestObject.spec.containers[*].ports[*].hostPort"),
        ('ResponseObject.items.metadata.name = "a"', "ResponseObject.items[*].metadata.name"),
        ("RequestObject.spec.volumes.hostPath.path exists", "RequestObject.spec.volumes[*].hostPath.path"),
        ("RequestObject.webhooks.clientConfig.url exists", "RequestObject.webhooks[*].clientConfig.url"),
        ('RequestObject.metadata.ownerReferences.kind = "Job"', "RequestObject.metadata.ownerReferences[*].kind"),
        ('PodSpec.containers.image = "x"', "PodSpec.containers[*].image"),
        ('Containers.image = "x"', "Containers[*].image"),
        ('ObjectRef.Resource in ("pods", "widgets") and RequestObject.spec.containers.image = "x"',
         "RequestObject.spec.containers[*].image"),
        ("not (RequestObject.spec.containers.image exists)", "RequestObject.spec.containers[*].image"),
    ],
)  # fmt: skip
def test_a_path_through_a_list_without_brackets_is_found_with_the_brackets(condition: str, path: str) -> None:
    ((message, hint),) = found(condition, "AW126")

    assert message.endswith("finds nothing")
    assert hint == f"write {path} for some element"


@pytest.mark.parametrize(
    "condition",
    [
        "RequestObject.spec.containers[*].securityContext.privileged = true",
        "RequestObject.spec.containers[0].image exists",
        "RequestObject.spec.containers exists",
        'RequestObject.metadata.finalizers = "x"',
        'RequestObject.spec.containers.custom = "x"',
        'RequestObject.spec.selector.matchLabels.app = "x"',
        "RequestObject.spec.containers.*.image exists",
        'ObjectRef.Resource = "widgets" and RequestObject.spec.containers.image = "x"',
        'Annotations.rules.resources = "x"',
        "any RequestObject.spec.containers[*] (securityContext.privileged = true)",
        'Containers[*].image = "x"',
    ],
)
def test_a_path_that_leads_through_no_known_list_is_left_alone(condition: str) -> None:
    assert found(condition, "AW126") == []


def test_an_element_has_lists_of_its_own() -> None:
    ((_, hint),) = found("any RequestObject.spec.containers[*] (ports.hostPort > 0)", "AW126")

    assert hint == "write ports[*].hostPort for some element"


def test_a_macro_is_looked_at_where_it_is_written() -> None:
    macro = "- {name: m, type: macro, macro: 'Verb = \"exec\"'}\n"

    assert len(found("${m}", "AW121", more=macro)) == 1


def test_the_table_has_what_people_ask_for() -> None:
    for name, key in (("containers", "image"), ("subjects", "kind"), ("rules", "verbs"), ("volumes", "hostPath"),
                      ("env", "valueFrom"), ("webhooks", "clientConfig"), ("tolerations", "key")):  # fmt: skip
        assert key in LIST_FIELDS[name].split()
    assert len(str(LIST_FIELDS)) < 15_000
