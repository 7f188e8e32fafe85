"""Fields of Falco's k8s_audit source as fields of events, and its comparisons as tests of ours.

Everything is a text to Falco. On a missing field every comparison is false. On a field with several values, ``in`` and
``=`` want every value, ``intersects`` one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from auditwire.condition.quoting import quote
from auditwire_cli.importing.clauses import (
    ALWAYS,
    NEVER,
    Clause,
    Test,
    UntranslatableError,
    all_of,
    as_regex,
    has,
    is_one_of,
    literal,
    negated,
    some_of,
)
from auditwire_cli.importing.falco_condition import Check

_SPEC: Final = "RequestObject.spec"
_DECISION: Final = 'Annotations["authorization.k8s.io/{}"]'
_OPENSHIFT: Final = 'Annotations["authentication.openshift.io/{}"]'

_SCALARS: Final = {
    "ka.auditid": "AuditID",
    "ka.stage": "Stage",
    "ka.verb": "Verb",
    "ka.uri": "RequestURI",
    "ka.useragent": "UserAgent",
    "ka.user.name": "User.Username",
    "ka.impuser.name": "ImpersonatedUser.Username",
    "ka.target.name": "ObjectRef.Name",
    "ka.target.namespace": "ObjectRef.Namespace",
    "ka.target.resource": "ObjectRef.Resource",
    "ka.target.subresource": "ObjectRef.Subresource",
    "ka.auth.decision": _DECISION.format("decision"),
    "ka.auth.reason": _DECISION.format("reason"),
    "ka.auth.openshift.decision": _OPENSHIFT.format("decision"),
    "ka.auth.openshift.username": _OPENSHIFT.format("username"),
    "ka.validations.admission.policy.failure": 'Annotations["validation.policy.admission.k8s.io/validation_failure"]',
    "ka.security.pod.violations": 'Annotations["pod-security.kubernetes.io/audit-violations"]',
    "ka.cluster.name": 'Annotations["cluster_name"]',
    "ka.resp.name": "ResponseObject.metadata.name",
    "ka.response.code": "ResponseStatus.Code",
    "ka.response.reason": "ResponseStatus.Reason",
    "ka.req.binding.role": "RequestObject.roleRef.name",
    "ka.req.configmap.name": "ObjectRef.Name",
    "ka.req.service.type": f"{_SPEC}.type",
    "ka.req.pod.host_ipc": f"{_SPEC}.hostIPC",
    "ka.req.pod.host_network": f"{_SPEC}.hostNetwork",
    "ka.req.pod.host_pid": f"{_SPEC}.hostPID",
    "ka.req.container.host_ipc": f"{_SPEC}.hostIPC",
    "ka.req.container.host_network": f"{_SPEC}.hostNetwork",
    "ka.req.container.host_pid": f"{_SPEC}.hostPID",
    "ka.req.pod.run_as_user": f"{_SPEC}.securityContext.runAsUser",
    "ka.req.pod.run_as_group": f"{_SPEC}.securityContext.runAsGroup",
    "ka.req.pod.fs_group": f"{_SPEC}.securityContext.fsGroup",
    "ka.req.container.image": f"{_SPEC}.containers[0].image",
}
_OF_CONTAINER: Final = {
    "name": "name",
    "privileged": "securityContext.privileged",
    "allow_privilege_escalation": "securityContext.allowPrivilegeEscalation",
    "read_only_fs": "securityContext.readOnlyRootFilesystem",
    "run_as_user": "securityContext.runAsUser",
    "run_as_group": "securityContext.runAsGroup",
    "proc_mount": "securityContext.procMount",
}
_KINDS: Final = {
    "containers": "containers",
    "initContainers": "initContainers",
    "ephemeralContainers": "ephemeralContainers",
}
_SEVERAL: Final = {
    "ka.user.groups": "User.Groups[*]",
    "ka.req.role.rules.apiGroups": "RequestObject.rules[*].apiGroups[*]",
    "ka.req.role.rules.nonResourceURLs": "RequestObject.rules[*].nonResourceURLs[*]",
    "ka.req.role.rules.resources": "RequestObject.rules[*].resources[*]",
    "ka.req.role.rules.verbs": "RequestObject.rules[*].verbs[*]",
    "ka.req.pod.volumes.hostpath": f"{_SPEC}.volumes[*].hostPath.path",
    "ka.req.pod.volumes.flexvolume_driver": f"{_SPEC}.volumes[*].flexVolume.driver",
    "ka.req.pod.supplemental_groups": f"{_SPEC}.securityContext.supplementalGroups[*]",
    "ka.req.container.privileged": f"{_SPEC}.containers[*].securityContext.privileged",
    **{
        f"ka.req.pod.{kind}.{name}": f"{_SPEC}.{key}[*].{path}"
        for kind, key in _KINDS.items()
        for name, path in _OF_CONTAINER.items()
    },
}
# Of these Falco has no value at all if one container has no image.
_IMAGES: Final = {f"ka.req.pod.{kind}.image": f"{_SPEC}.{key}[*].image" for kind, key in _KINDS.items()}
_REPOSITORIES: Final = {
    **{f"{name}.repository": path for name, path in _IMAGES.items()},
    "ka.req.container.image.repository": f"{_SPEC}.containers[0].image",
}
_POINTER: Final = re.compile(r"jevt\.value\[(/[^\]]*)\]")
_INDEXED: Final = re.compile(r"(ka\.[a-zA-Z0-9_.]+)\[(\d+)\]")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TOP: Final = {
    "kind": None, "apiVersion": None, "level": "Level", "auditID": "AuditID", "stage": "Stage", "verb": "Verb",
    "requestURI": "RequestURI", "userAgent": "UserAgent", "user": "User", "impersonatedUser": "ImpersonatedUser",
    "sourceIPs": "SourceIPs", "objectRef": "ObjectRef", "responseStatus": "ResponseStatus",
    "requestObject": "RequestObject", "responseObject": "ResponseObject", "annotations": "Annotations",
    "requestReceivedTimestamp": "RequestReceivedTimestamp", "stageTimestamp": "StageTimestamp",
}  # fmt: skip
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]+")
_EQUALITIES: Final = ("=", "==", "!=", "in", "intersects")
# Keys that every event has, if only with an empty text, which Falco takes for a value.
_ALWAYS_THERE: Final = ("AuditID", "Stage", "Verb", "RequestURI")
_CODE: Final = re.compile(r"[1-9][0-9]{2}")
_ORDERS: Final = ("<", "<=", ">", ">=")
_TEXT_OPERATORS: Final = {"contains": "contains", "startswith": "startswith", "endswith": "endswith"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field of Falco is in an event. ``several`` says that it may have several values."""

    path: str
    several: bool = False
    is_image: bool = False
    is_repository: bool = False
    guard: Clause = ALWAYS


def place_of(name: str) -> Place:
    """Where a field is. Raises UntranslatableError, which names it, for one that no condition of ours can read."""
    if name in _SCALARS:
        return Place(_SCALARS[name])
    if name in _SEVERAL:
        return Place(_SEVERAL[name], several=True)
    if name in _IMAGES:
        return Place(_IMAGES[name], several=True, is_image=True)
    if name in _REPOSITORIES:
        path = _REPOSITORIES[name]
        return Place(path, several="[*]" in path, is_image=True, is_repository=True)
    if name == "ka.target.pod.name":
        pods = all_of([Test('ObjectRef.Resource in ("pods")'), Test("ObjectRef.Subresource not exists")])
        return Place("ResponseObject.metadata.name", guard=pods)
    if found := _INDEXED.fullmatch(name):
        whole = place_of(found[1])
        if whole.several and whole.path.count("[*]") == 1 and not whole.path.startswith(f"{_SPEC}.volumes"):
            path = whole.path.replace("[*]", f"[{found[2]}]")
            return Place(path, is_image=whole.is_image, is_repository=whole.is_repository)
    if found := _POINTER.fullmatch(name):
        return Place(_path_of_pointer(found[1], name))
    raise UntranslatableError(f"the field {name} cannot be read by a condition")


def _path_of_pointer(pointer: str, name: str) -> str:
    head, *keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer[1:].split("/")]
    path = _TOP.get(head)
    if path is None or (path in ("User", "ImpersonatedUser", "ObjectRef", "ResponseStatus") and not keys):
        raise UntranslatableError(f"the field {name} cannot be read by a condition")
    for key in keys:
        if key.isdecimal():
            path += f"[{key}]"
        elif _PLAIN_KEY.fullmatch(key):
            path += f".{key}"
        else:
            path += f"[{quote(key)}]"
    return path


def clause_of(check: Check) -> Clause:
    """A comparison of Falco as a clause. Raises UntranslatableError for what cannot be said, naming the word."""
    special = _special(check)
    if special is not None:
        return special
    if check.function not in ("", "tolower", "toupper"):
        raise UntranslatableError(f"the transformer {check.function}() cannot be said")
    place = place_of(check.field)
    if check.function:
        if place.is_image:
            raise UntranslatableError(f"{check.function}() around {check.field} cannot be said")
        check = _folded(check)
        if check.operator not in _EQUALITIES and check.operator != "exists" and not check.values:
            return NEVER
    test = _of_repository(place, check) if place.is_repository else _of_values(place, check)
    return all_of([place.guard, test])


def _folded(check: Check) -> Check:
    """The comparison with the field in lower case, as we say it; what the transformer never gives is left out."""
    fold = str.lower if check.function == "tolower" else str.upper
    values = tuple(value.lower() for value in check.values if value == fold(value))
    return Check(check.field, check.operator, values, "tolower")


def _special(check: Check) -> Clause | None:
    if check.field == "jevt.rawtime":
        # The time of the event in nanoseconds: it is always there, and never any number that somebody writes down.
        if check.operator == "exists":
            return ALWAYS
        if check.operator in ("=", "==") and check.values == ("0",):
            return NEVER
        raise UntranslatableError("jevt.rawtime can only be tested with exists, or for 0")
    if check.field == "ka.req.configmap.obj":
        return _of_configmap(check)
    if check.field == "ka.sourceips":
        # As it is coded it reads the rules of a role, where no address is.
        return NEVER
    if check.field == "ka.req.binding.subject.has_name" or check.field.startswith("ka.req.binding.subject.has_name["):
        values = ALWAYS if "true" in check.values else NEVER
        return {"=": values, "==": values, "in": values, "exists": ALWAYS, "!=": negated(values)}.get(check.operator)
    return None


def _of_configmap(check: Check) -> Clause | None:
    """The text of all data of a ConfigMap holds a word: one of its keys or values does."""
    if check.operator == "exists":
        return Test("RequestObject.data exists")
    (value,) = check.values if len(check.values) == 1 else ("",)
    if check.function or check.operator != "contains" or not _WORD.fullmatch(value):
        raise UntranslatableError(f"of {check.field} only contains with a word can be said")
    in_key = Test(f"RequestObject.data[{literal(f'*{value}*')}] exists")
    return some_of([in_key, has("RequestObject.data.*", "contains", value)])


def _of_values(place: Place, check: Check) -> Clause:
    field = f"lower({place.path})" if check.function else place.path
    operator, values = check.operator, check.values
    if operator == "exists":
        return _there(place)
    if operator in _ORDERS and place.path == "ResponseStatus.Code" and len(values) == 1 and _CODE.fullmatch(values[0]):
        # Falco compares texts; those of codes, which have three digits, stand in the same order as the numbers.
        return Test(f"{place.path} {operator} {values[0]}")
    if operator in _EQUALITIES:
        if place.several and operator != "intersects":
            test = _every(place.path, field, values)
        else:
            test = all_of([_complete(place), is_one_of(field, values)])
        return all_of([_there(place), negated(test)]) if operator == "!=" else test
    if place.several:
        raise UntranslatableError(f"{operator} on {check.field}, which has several values, cannot be said")
    if len(values) != 1:
        raise UntranslatableError(f"the operator {operator} cannot be said")
    value = values[0]
    if operator in _TEXT_OPERATORS:
        return has(field, operator, value)
    if operator == "icontains":
        return has(f"lower({place.path})", "contains", value.lower())
    if operator in ("glob", "iglob"):
        folded = operator == "iglob"
        return _glob(f"lower({place.path})" if folded else field, value.lower() if folded else value)
    raise UntranslatableError(f"the operator {operator} cannot be said")


def _there(place: Place) -> Clause:
    return ALWAYS if place.path in _ALWAYS_THERE else Test(f"{place.path} exists")


def _complete(place: Place) -> Clause:
    """That every container has an image; without that Falco sees none."""
    if place.is_image and place.several:
        return Test(f'{place.path.replace("[*]", "[:]")} regex "(?s)^.*$"')
    return ALWAYS


def _every(path: str, field: str, values: Sequence[str]) -> Clause:
    """Every value is one of these, and there is one. Values that are not there do not count."""
    if any(value.endswith("\\") for value in values):
        raise UntranslatableError("a value that ends with a backslash cannot be said of every value")
    if not values:
        return NEVER
    listed = ", ".join(map(literal, values))
    if path.endswith(".image"):
        return Test(f"{path.replace('[*]', '[:]')} in ({listed})")
    return all_of([Test(f"{path} exists"), negated(Test(f"{field} not in ({listed})"))])


def _of_repository(place: Place, check: Check) -> Clause:
    """The part of an image before its first colon, compared."""
    operator = check.operator
    if operator == "exists":
        return Test(f"{place.path} exists")
    if operator not in _EQUALITIES:
        raise UntranslatableError(f"{operator} on {check.field} cannot be said")
    # What holds a colon is no such part.
    values = [value for value in check.values if ":" not in value]
    if not values:
        test: Clause = NEVER
    else:
        pattern = literal(f"(?s)^(?:{'|'.join(map(as_regex, values))})(?::.*)?$")
        every = f"{place.path.replace('[*]', '[:]')} regex {pattern}"
        some = all_of([_complete(place), Test(f"{place.path} regex {pattern}")])
        test = some if operator == "intersects" else Test(every)
    return all_of([_complete(place), Test(f"{place.path} exists"), negated(test)]) if operator == "!=" else test


def _glob(field: str, pattern: str) -> Clause:
    if any(sign in pattern for sign in "[]\\(|!"):
        raise UntranslatableError(f"the pattern {pattern!r} of glob cannot be said")
    parts = re.split(r"([*?])", pattern)
    text = "".join({"*": ".*", "?": "."}.get(part, as_regex(part)) for part in parts)
    return Test(f"{field} regex {literal(f'(?s)^{text}$')}")


def path_for_output(name: str) -> str | None:
    """The path that an output shows for a field, None where there is none."""
    try:
        return place_of(name).path
    except UntranslatableError:
        return None
