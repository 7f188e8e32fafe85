"""GKE's audit events are entries of Google Cloud's audit log: one becomes an event of audit.k8s.io/v1 again.

What GKE writes down and how: cloud.google.com's documentation of the GKE audit policy, of
``google.cloud.audit.AuditLog`` and of ``google.rpc.Code``. What it leaves out stays out: groups, uid and extra of the
user, and the query of the URI.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec

from auditwire.events.casing import Fields, fields_of
from auditwire.events.reject import Skipped
from auditwire.events.wrapping.origin import Converted, Fault, Origin, Piece, Skip
from auditwire.events.wrapping.values import list_in, number_in, object_in, opening, text_in, texts_in

_SERVICE: Final = "k8s.io"
_VERSION = re.compile(r"v[0-9]+(?:(?:alpha|beta)[0-9]+)?")
_CONNECTING: Final = ("exec", "attach", "portforward")
_DECISION: Final = "authorization.k8s.io/decision"
_COMMAND: Final = "command.gke.io/command"
_DRY_RUN: Final = "command.gke.io/dryRun"
_TRUNCATED: Final = "audit.k8s.io/truncated"

# google/rpc/code.proto names the HTTP status of each.
_HTTP: Final = {
    1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500, 14: 503,
    15: 500, 16: 401,
}  # fmt: skip
_UNKNOWN: Final = 2


def is_log_entry(fields: Fields) -> bool:
    """Whether an object is an entry of Cloud Logging that holds an entry of an audit log."""
    return opening(fields["protoPayload"]) == b"{" and bool(fields.keys() & {"logName", "insertId", "resource"})


def of_log_entry(fields: Fields, origin: Origin) -> Iterator[Piece]:
    """The event in an entry of a cluster's audit log; one of another service is skipped."""
    payload = object_in(fields, "protoPayload") or {}
    method = text_in(payload, "methodName") or ""
    if text_in(payload, "serviceName") != _SERVICE or not method:
        yield Skip(Skipped.OTHER_SERVICE)
        return
    raw = msgspec.json.encode(fields)
    if "split" in fields:
        yield Fault("split_entry", "the entry is one part of a larger one that Cloud Logging split", raw)
        return
    operation = object_in(fields, "operation") or {}
    audit_id = text_in(operation, "id") or text_in(fields, "insertId")
    if not audit_id:
        yield Fault("missing_field", "the entry has neither operation.id nor insertId", raw)
        return
    event = _Entry(fields, payload, method).event(audit_id, _stage(operation))
    labels = texts_in(object_in(fields, "resource") or {}, "labels")
    names = [labels.get(name, "") for name in ("project_id", "location", "cluster_name")]
    yield Converted(
        msgspec.json.encode(event),
        Origin(
            time=origin.time,
            cluster="/".join(names) if names[-1] else origin.cluster,
            stream=origin.stream,
            is_other=origin.is_other,
            layers=origin.layers + 1,
        ),
    )


def _stage(operation: Fields) -> str:
    """A request that takes long has an entry when it begins and one when it ends."""
    begins, ends = (bytes(operation.get(name, b"")) == b"true" for name in ("first", "last"))
    return "ResponseStarted" if begins and not ends else "ResponseComplete"


class _Entry:
    """One entry of a cluster's audit log."""

    def __init__(self, fields: Fields, payload: Fields, method: str) -> None:
        self._fields = fields
        self._payload = payload
        self._labels = texts_in(fields, "labels")
        parts = method.split(".")
        self._verb = parts[-1]
        version = next((at for at, part in enumerate(parts) if at and _VERSION.fullmatch(part)), len(parts))
        # Without a version in it the request was for no resource: io.k8s.get.
        self._method = parts[version + 1 : -1]

    def event(self, audit_id: str, stage: str) -> dict[str, Any]:
        """The event with its keys in the order in which kube-apiserver writes them; what is not known is left out."""
        uri, reference = self._target()
        request, response = self._body("request"), self._body("response")
        is_truncated = self._labels.get(_TRUNCATED) == "true"
        if response is not None:
            level = "RequestResponse"
        else:
            level = "Request" if request is not None or is_truncated else "Metadata"
        metadata = object_in(self._payload, "requestMetadata") or {}
        address = text_in(metadata, "callerIp", "callerIP")
        time = text_in(self._fields, "timestamp")
        event = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": level,
            "auditID": audit_id,
            "stage": stage,
            "requestURI": uri,
            "verb": self._verb,
            "user": self._user(),
            "sourceIPs": [address] if address else None,
            "userAgent": text_in(metadata, "callerSuppliedUserAgent"),
            "objectRef": reference,
            "responseStatus": self._status(stage, reference or {}),
            "requestObject": request,
            "responseObject": response,
            "requestReceivedTimestamp": time,
            "stageTimestamp": time,
            "annotations": self._annotations(),
        }
        return {key: value for key, value in event.items() if value is not None}

    def _target(self) -> tuple[str, dict[str, str] | None]:
        """The URI, and what it is about: ``GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE/PATH``."""
        name = text_in(self._payload, "resourceName") or ""
        parts = name.split("/")
        if not self._method or len(parts) < 3:
            return f"/{name}".replace("//", "/") + self._query(), None
        group, version, *rest = parts
        group = "" if group == "core" else group
        reference = {"resource": "", "namespace": "", "name": "", "apiGroup": group, "apiVersion": version}
        path = [f"/apis/{group}/{version}" if group else f"/api/{version}"]
        is_inside = rest[0] == "namespaces" and len(rest) > 2 and self._method[0] != "namespaces"
        if is_inside:
            reference["namespace"] = rest[1]
            path += rest[:2]
            rest = rest[2:]
        resource, object_name, subresource, *below = [*rest, "", "", ""][: max(3, len(rest))]
        reference |= {"resource": resource, "name": object_name}
        if resource == "namespaces" and not is_inside and self._verb != "create":
            reference["namespace"] = object_name
        if subresource:
            reference["subresource"] = subresource
        path.append(resource)
        # What is created is posted to where such things are kept; only a subresource is created below a name.
        if object_name and not (self._verb == "create" and not subresource):
            path += [object_name, *([subresource] if subresource else [])]
            # Old versions repeat the pod's name behind exec; behind proxy it is the path that was asked for.
            path += below if subresource == "proxy" else []
        return "/".join(path) + self._query(), {key: value for key, value in reference.items() if value}

    def _query(self) -> str:
        """What labels say of the query, which the entry itself does not have."""
        command, dry_run = self._labels.get(_COMMAND), self._labels.get(_DRY_RUN)
        known = [f"command={quote_plus(command)}"] if command else []
        known += ["dryRun=All"] if dry_run and dry_run.lower() != "false" else []
        return f"?{'&'.join(known)}" if known else ""

    def _user(self) -> dict[str, Any]:
        who = object_in(self._payload, "authenticationInfo") or {}
        user: dict[str, Any] = {"username": text_in(who, "principalEmail") or text_in(who, "principalSubject")}
        subject, delegation = text_in(who, "principalSubject"), list_in(who, "serviceAccountDelegationInfo")
        extra = {
            "auditwire.io/gke-principal-subject": [subject] if subject else [],
            "auditwire.io/gke-delegation": [bytes(one).decode() for one in delegation or []],
        }
        extra = {key: values for key, values in extra.items() if values}
        if not user["username"]:
            user["username"] = "system:anonymous"
        return user | ({"extra": extra} if extra else {})

    def _body(self, name: str) -> Fields | None:
        """A body without the type that Google adds to it."""
        body = object_in(self._payload, name)
        return None if body is None else {key: value for key, value in body.items() if key != "@type"}

    def _status(self, stage: str, reference: dict[str, str]) -> dict[str, Any]:
        """The HTTP status: Kubernetes' own where the answer is one, else that of the gRPC code."""
        response = object_in(self._payload, "response") or {}
        is_status = text_in(response, "kind") == "Status" or (text_in(response, "@type") or "").endswith("v1.Status")
        code = number_in(response, "code") if is_status else None
        if code:
            known = {"status", "message", "reason", "details"} & response.keys()
            return {"metadata": {}, **{key: response[key] for key in sorted(known)}, "code": int(code)}
        status = object_in(self._payload, "status") or {}
        failed = int(number_in(status, "code") or 0)
        subresource = reference.get("subresource", "")
        if stage == "ResponseStarted" and subresource in _CONNECTING and failed in (0, _UNKNOWN):
            return {"metadata": {}, "code": 101}
        if not failed:
            return {"metadata": {}, "code": 201 if self._verb == "create" and reference else 200}
        message = text_in(status, "message")
        about = {"message": message} if message else {}
        return {"metadata": {}, "status": "Failure", **about, "code": _HTTP.get(failed, 500)}

    def _annotations(self) -> dict[str, str]:
        """The labels, among them kube-apiserver's annotations; who may be read off the entry; where it came from."""
        annotations = dict(self._labels)
        if _DECISION not in annotations and (checked := list_in(self._payload, "authorizationInfo")):
            first = fields_of(checked[0]) if opening(checked[0]) == b"{" else {}
            annotations[_DECISION] = "allow" if bytes(first.get("granted", b"")) == b"true" else "forbid"
        for key, name in (("insertId", "insert-id"), ("logName", "log-name"), ("severity", "severity")):
            if text := text_in(self._fields, key):
                annotations[f"auditwire.io/gke-{name}"] = text
        return annotations
