"""Secrets outside of Secrets: of KubeSphere and OpenShift, in kubeconfigs and annotations, and those a site knows."""

import json
from typing import Any

import msgspec
import pytest

from audit_events import as_kubesphere, item, text_of
from auditwire.events import Event, ObjectRef, as_stored, decode, encode_line
from auditwire.events.redact import Redactor, _may_hold_secret, redact_body
from auditwire.events.redact_uri import redact_uri
from auditwire.events.secret_places import KINDS, LAST_APPLIED, Redaction

M = "[REDACTED]"
PODS = ObjectRef(resource="pods", namespace="shop", name="web")
MAPS = ObjectRef(resource="configmaps", namespace="shop", name="kubeconfig-jane")
USERS = ObjectRef(resource="users", apiGroup="iam.kubesphere.io", name="jane")
PASSWORD = ObjectRef(resource="users", apiGroup="iam.kubesphere.io", name="jane", subresource="password")
FEDERATED = ObjectRef(resource="federatedsecrets", apiGroup="types.kubefed.io", name="x")
SECRET = {"kind": "Secret", "data": {"a": "x"}}


def redacted(body: object, about: ObjectRef) -> Any:
    return json.loads(bytes(redact_body(msgspec.Raw(text_of(body)), about)))


def federated(value: object, *, plain: object = "x") -> dict[str, Any]:
    overrides = [
        {"clusterName": "c", "clusterOverrides": [
            {"path": "/data/p", "value": value}, {"op": "add", "path": "/data", "value": {"q": value}},
            {"path": "/metadata/labels/a", "value": plain}, {"op": "remove", "path": "/data/r"},
        ]}
    ]  # fmt: skip
    template = {"metadata": {"labels": {"a": plain}}, "data": {"p": value}, "stringData": {"p": value}}
    return {"kind": "FederatedSecret", "spec": {"template": template, "overrides": overrides, "placement": {}}}


KUBECONFIG = {
    "kind": "Config", "clusters": [{"name": "c", "cluster": {"server": "https://192.0.2.1"}}],
    "users": [{"name": "jane", "user": {"token": "x", "client-key-data": "x", "client-certificate-data": "y"}}],
}  # fmt: skip
AS_TEXT = """apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {server: "https://192.0.2.1"}
current-context: a
users:
- name: jane
  user:
    client-certificate-data: eQ==
    client-key-data: c2VjcmV0
    token: c2VjcmV0
"""


@pytest.mark.parametrize(
    ("body", "about", "expected"),
    [
        pytest.param({"kind": "User", "spec": {"email": "j@example.com", "password": "x"}}, USERS,
                     {"kind": "User", "spec": {"email": "j@example.com", "password": M}}, id="user"),
        pytest.param({"spec": {"password": "x"}}, USERS, {"spec": {"password": M}}, id="merge patch of a user"),
        pytest.param([{"op": "replace", "path": "/spec/password", "value": "x"}], USERS,
                     [{"op": "replace", "path": "/spec/password", "value": M}], id="JSON patch of a user"),
        pytest.param({"items": [{"spec": {"password": "x"}}]}, USERS, {"items": [{"spec": {"password": M}}]},
                     id="list of users"),
        pytest.param({"kind": "User", "spec": {"password": "x"}}, PODS, {"kind": "User", "spec": {"password": M}},
                     id="a user elsewhere"),
        pytest.param({"currentPassword": "x", "password": "y"}, PASSWORD, {"currentPassword": M, "password": M},
                     id="changing a password"),
        pytest.param("x", PASSWORD, M, id="a password alone"),
        pytest.param(federated("x"), FEDERATED, federated(M, plain="x"), id="FederatedSecret"),
        pytest.param(federated("x"), PODS, federated(M, plain="x"), id="FederatedSecret elsewhere"),
        pytest.param([{"op": "add", "path": "/spec/overrides/0/clusterOverrides/-", "value":
                       {"path": "/data/p", "value": "x"}}], FEDERATED,
                     [{"op": "add", "path": "/spec/overrides/0/clusterOverrides/-", "value":
                       {"path": "/data/p", "value": M}}], id="an override in a patch"),
        pytest.param([{"op": "add", "path": "/spec/overrides/0/clusterOverrides/0/value", "value": "x"}], FEDERATED,
                     [{"op": "add", "path": "/spec/overrides/0/clusterOverrides/0/value", "value": M}],
                     id="the value of an override in a patch"),
        pytest.param([{"op": "add", "path": "/spec/template/stringData/a", "value": "x"}], FEDERATED,
                     [{"op": "add", "path": "/spec/template/stringData/a", "value": M}], id="a template in a patch"),
        pytest.param(KUBECONFIG, ObjectRef(resource="users", subresource="kubeconfig"),
                     KUBECONFIG | {"users": [{"name": "jane", "user": {"token": M, "client-key-data": M,
                                                                        "client-certificate-data": "y"}}]},
                     id="kubeconfig of a user"),
        pytest.param(AS_TEXT, ObjectRef(resource="users", subresource="kubeconfig"), M, id="as text"),
        pytest.param({"kind": "ConfigMap", "data": {"config": AS_TEXT}}, MAPS,
                     {"kind": "ConfigMap", "data": {"config": AS_TEXT.replace("c2VjcmV0", M)}}, id="in a ConfigMap"),
        pytest.param({"data": {"config": AS_TEXT.replace("token: c2", "token: |\n      c2")}}, MAPS,
                     {"data": {"config": M}}, id="on more lines"),
        pytest.param({"data": {"config": json.dumps(KUBECONFIG, indent=1)}}, MAPS,
                     {"data": {"config": json.dumps(KUBECONFIG, indent=1).replace('"token": "x",', f'"token": {M}')
                               .replace('"client-key-data": "x",', f'"client-key-data": {M}')}}, id="in JSON"),
        pytest.param({"metadata": {"annotations": {"openshift.io/token-secret.value": "x", "a": "b"}}}, PODS,
                     {"metadata": {"annotations": {"openshift.io/token-secret.value": M, "a": "b"}}}, id="annotation"),
        pytest.param(SECRET | {"metadata": {"annotations": {"openshift.io/token-secret.value": "x"}}}, PODS,
                     {"kind": "Secret", "data": {"a": M},
                      "metadata": {"annotations": {"openshift.io/token-secret.value": M}}}, id="of a Secret"),
        pytest.param({"metadata": {"annotations": {"example.com/bearer-token": "x", "token-count": "3"}}}, PODS,
                     {"metadata": {"annotations": {"example.com/bearer-token": M, "token-count": "3"}}}, id="a token"),
        pytest.param([{"op": "add", "path": "/metadata/annotations/openshift.io~1token-secret.value", "value": "x"}],
                     ObjectRef(resource="serviceaccounts"),
                     [{"op": "add", "path": "/metadata/annotations/openshift.io~1token-secret.value", "value": M}],
                     id="annotation in a patch"),
        pytest.param({"kind": "OAuthAccessToken", "metadata": {"name": "x"}, "clientName": "c", "authorizeToken": "x"},
                     PODS, {"kind": "OAuthAccessToken", "metadata": {"name": M}, "clientName": "c",
                            "authorizeToken": M}, id="OAuthAccessToken"),
        pytest.param({"kind": "OAuthAccessTokenList", "items": [{"metadata": {"name": "sha256~x"}}]},
                     ObjectRef(resource="oauthaccesstokens"),
                     {"kind": "OAuthAccessTokenList", "items": [{"metadata": {"name": "sha256~x"}}]}, id="a digest"),
        pytest.param({"kind": "OAuthClient", "secret": "x", "additionalSecrets": ["x", "y"], "grantMethod": "auto"},
                     PODS, {"kind": "OAuthClient", "secret": M, "additionalSecrets": M, "grantMethod": "auto"},
                     id="OAuthClient"),
        pytest.param({"kind": "BuildConfig", "spec": {"triggers": [
                         {"type": "GitHub", "github": {"secret": "x"}},
                         {"type": "Generic", "generic": {"secretReference": {"name": "s"}}}]}}, PODS,
                     {"kind": "BuildConfig", "spec": {"triggers": [
                         {"type": "GitHub", "github": {"secret": M}},
                         {"type": "Generic", "generic": {"secretReference": {"name": "s"}}}]}}, id="webhooks"),
    ],
)  # fmt: skip
def test_secrets_are_taken_out_wherever_it_is_known_that_they_are(
    body: object, about: ObjectRef, expected: object
) -> None:
    assert redacted(body, about) == expected
    assert redacted(expected, about) == expected


@pytest.mark.parametrize("kind", [*KINDS, *(f"{kind}List" for kind in KINDS)])
def test_every_kind_is_looked_for(kind: str) -> None:
    assert _may_hold_secret(text_of({"kind": kind}))


def test_what_kubectl_applied_loses_the_same_secrets_and_nothing_else() -> None:
    user = {"kind": "User", "spec": {"password": "x", "email": "y"}}
    body = user | {"metadata": {"annotations": {LAST_APPLIED: json.dumps(user) + "\n"}}}

    found = redacted(body, USERS)

    assert json.loads(found["metadata"]["annotations"][LAST_APPLIED]) == {
        "kind": "User", "spec": {"password": M, "email": "y"}
    }  # fmt: skip
    assert redacted(body | {"metadata": {"annotations": {LAST_APPLIED: "{cut"}}}, USERS)["metadata"] == {
        "annotations": {LAST_APPLIED: M}
    }


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "RoleBinding", "subjects": [{"kind": "User", "name": "jane"}]},
        {"kind": "ConfigMap", "data": {"password": "x", "config": "token: abc\nusers: [a]\n"}},
        {"kind": "Config", "spec": {"replicas": 2}},
        {"spec": {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]}},
        {"metadata": {"annotations": {"kubernetes.io/legacy-token-last-used": "2026-11-21"}}},
        {"kind": "BuildConfig", "spec": {"source": {"git": {"uri": "https://example.com"}}}},
        {"token": "no annotation"},
    ],
)
def test_what_is_no_secret_keeps_its_very_bytes(body: object) -> None:
    text = msgspec.Raw(text_of(body))

    assert redact_body(text, PODS) is text


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/apis/build.openshift.io/v1/namespaces/shop/buildconfigs/web/webhooks/Plain-1/github",
         f"/apis/build.openshift.io/v1/namespaces/shop/buildconfigs/web/webhooks/{M}/github"),
        ("/oapi/v1/namespaces/shop/buildconfigs/web/webhooks/Plain-1/generic?env=x",
         f"/oapi/v1/namespaces/shop/buildconfigs/web/webhooks/{M}/generic?env=x"),
        ("/apis/oauth.openshift.io/v1/oauthaccesstokens/Plain-1", f"/apis/oauth.openshift.io/v1/oauthaccesstokens/{M}"),
        ("/apis/oauth.openshift.io/v1/oauthauthorizetokens/Plain-1?x=1",
         f"/apis/oauth.openshift.io/v1/oauthauthorizetokens/{M}?x=1"),
        ("/apis/oauth.openshift.io/v1/oauthaccesstokens/sha256~abc", None),
        ("/apis/oauth.openshift.io/v1/oauthaccesstokens/sha256%7Eabc", None),
        ("/apis/oauth.openshift.io/v1/oauthaccesstokens", None),
        ("/apis/oauth.openshift.io/v1/useroauthaccesstokens/sha256~abc", None),
        ("/apis/build.openshift.io/v1/namespaces/shop/buildconfigs/web/webhooks", None),
        ("/apis/example.com/v1/webhooks/name", None),
    ],
)  # fmt: skip
def test_segments_of_openshift_that_are_secrets_are_taken_out_of_uris(uri: str, expected: str | None) -> None:
    assert redact_uri(uri) == (expected or uri)
    assert redact_uri(redact_uri(uri)) == redact_uri(uri)


@pytest.mark.parametrize("resource", ["oauthaccesstokens", "oauthauthorizetokens"])
@pytest.mark.parametrize("name", ["Plain-Token", "sha256~Plain-Token", ""])
def test_the_name_of_a_token_is_hidden_wherever_an_event_repeats_it(resource: str, name: str) -> None:
    sent = item(
        requestURI=f"/apis/oauth.openshift.io/v1/{resource}/{name}",
        objectRef={"resource": resource, "apiGroup": "oauth.openshift.io", "name": name},
        responseStatus={
            "code": 404, "status": "Failure", "message": f'{resource} "{name}" not found',
            "details": {"name": name, "kind": resource},
        },
    )  # fmt: skip
    for text in (text_of(sent), text_of(as_kubesphere(sent))):
        (event,) = decode(text).events
        line = encode_line(as_stored(event, None), {}).decode()

        if name == "Plain-Token":
            assert name not in line
            assert line.count(M) == 4
            assert json.loads(line)["_auditwire"]["flags"] == ["redacted"]
        else:
            assert M not in line


WIDGETS = ObjectRef(resource="widgets", apiGroup="example.com", namespace="shop", name="w")


def by_site(body: object, about: ObjectRef, *redactions: Redaction) -> Any:
    return json.loads(bytes(Redactor(redactions).body(msgspec.Raw(text_of(body)), about)))


SPEC_PASSWORD = Redaction(("spec", "users", "passWord"), ("widgets.example.com",))


def widget(value: object) -> dict[str, Any]:
    return {"kind": "Widget", "spec": {"users": [{"name": "a", "password": value}, {"Password": value}], "size": 1}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (widget("x"), widget(M)),
        ({"items": [widget("x")]}, {"items": [widget(M)]}),
        ({"type": "ADDED", "object": widget("x")}, {"type": "ADDED", "object": widget(M)}),
        ([{"op": "add", "path": "/spec/users/0/password", "value": "x"}],
         [{"op": "add", "path": "/spec/users/0/password", "value": M}]),
        ([{"op": "add", "path": "/spec/users/-", "value": {"password": "x"}}],
         [{"op": "add", "path": "/spec/users/-", "value": {"password": M}}]),
        ({"spec": {"users": {"password": "x"}}}, {"spec": {"users": {"password": M}}}),
        ({"metadata": {"annotations": {LAST_APPLIED: json.dumps(widget("x"))}}},
         {"metadata": {"annotations": {LAST_APPLIED: json.dumps(widget(M), separators=(",", ":"))}}}),
        ("x", M),
        ({"spec": SECRET}, {"spec": {"kind": "Secret", "data": {"a": M}}}),
    ],
)  # fmt: skip
def test_what_a_site_knows_is_taken_out_in_every_form(body: object, expected: object) -> None:
    assert by_site(body, WIDGETS, SPEC_PASSWORD) == expected


@pytest.mark.parametrize(
    ("resources", "about", "applies"),
    [
        (("widgets",), WIDGETS, True),
        (("widgets.example.com",), WIDGETS, True),
        (("widgets.other.com",), WIDGETS, False),
        (("*",), WIDGETS, True),
        (("*.example.com",), WIDGETS, True),
        (("gadgets", "widgets"), WIDGETS, True),
        (("widgets/scale",), WIDGETS, False),
        (("widgets/scale",), msgspec.structs.replace(WIDGETS, subresource="scale"), True),
        (("widgets",), msgspec.structs.replace(WIDGETS, subresource="scale"), True),
        (("widgets",), msgspec.structs.replace(WIDGETS, resource="Widgets"), True),
        (("widgets",), PODS, False),
    ],
)
def test_it_is_taken_out_of_the_resources_that_are_named(
    resources: tuple[str, ...], about: ObjectRef, *, applies: bool
) -> None:
    found = by_site({"spec": {"pin": "x"}}, about, Redaction(("spec", "pin"), resources))

    assert found == {"spec": {"pin": M if applies else "x"}}


def test_any_key_and_several_places_and_those_known_anyway() -> None:
    several = (
        Redaction(("data", "*"), ("configmaps",)), Redaction(("spec", "a"), ("*",)), Redaction(("spec", "b"), ("*",))
    )  # fmt: skip

    assert by_site({"data": {"x": 1, "y": {"z": 2}}, "spec": {"a": 1, "b": 2, "c": 3}}, MAPS, *several) == {
        "data": {"x": M, "y": M}, "spec": {"a": M, "b": M, "c": 3}
    }  # fmt: skip
    assert by_site({"spec": {"password": "x", "a": 1}}, USERS, *several) == {"spec": {"password": M, "a": M}}
    assert by_site({"data": {"k": "x"}}, ObjectRef(resource="secrets"), *several) == {"data": {"k": M}}
    for body in (SECRET, {"items": [SECRET]}, {"spec": SECRET | {"a": 1}}, {"spec": {"c": [SECRET]}}):
        assert "x" not in json.dumps(list(by_site(body, PODS, *several).values())).replace("null", "")


def test_the_flag_says_that_something_was_taken_out() -> None:
    (event,) = decode(text_of(item(objectRef={"resource": "widgets"}, requestObject={"spec": {"pin": 1}}))).events

    def flags(one: Event, *redactions: Redaction) -> tuple[str, ...]:
        return as_stored(one, None, redactor=Redactor(redactions)).flags

    assert flags(event, Redaction(("spec", "pin"), ("widgets",))) == ("redacted",)
    assert flags(event) == ()


OAUTH = ObjectRef(resource="oauthaccesstokens", apiGroup="oauth.openshift.io", name="x")
NOTHING = ObjectRef()
LOGIN = {"grant_type": "password", "username": "jane", "password": "x", "client_secret": "x"}


@pytest.mark.parametrize(
    ("body", "about", "expected"),
    [
        (LOGIN, NOTHING, {**LOGIN, "password": M, "client_secret": M}),
        ({"access_token": "x", "expires_in": 7200}, NOTHING, {"access_token": M, "expires_in": 7200}),
        ("grant_type=password&username=jane&password=x%26y&z=1", NOTHING,
         f"grant_type=password&username=jane&password={M}&z=1"),
        ("no form", NOTHING, "no form"),
        ({"username": "jane", "password": "x"}, ObjectRef(resource="login"), {"username": "jane", "password": M}),
        ({"serverhost": "r", "password": "x"}, ObjectRef(resource="registry", subresource="verify"),
         {"serverhost": "r", "password": M}),
        ({"spec": {"connection": {"type": "proxy", "kubeconfig": "x", "token": "x"}}},
         ObjectRef(resource="clusters", apiGroup="cluster.kubesphere.io"),
         {"spec": {"connection": {"type": "proxy", "kubeconfig": M, "token": M}}}),
        ({"items": [{"kind": "Cluster", "spec": {"connection": {"kubeconfig": "x"}}}]}, PODS,
         {"items": [{"kind": "Cluster", "spec": {"connection": {"kubeconfig": M}}}]}),
        ({"kind": "Status", "message": 'oauthaccesstokens "x" not found', "details": {"name": "x"}}, OAUTH,
         {"kind": "Status", "message": M, "details": {"name": M}}),
        ({"metadata": {"name": "x", "selfLink": "/apis/o/v1/oauthaccesstokens/x"}}, OAUTH,
         {"metadata": {"name": M, "selfLink": M}}),
        ({"kind": "User", "metadata": {"annotations": {"iam.kubesphere.io/password": "x", "a": "y"}}}, USERS,
         {"kind": "User", "metadata": {"annotations": {"iam.kubesphere.io/password": M, "a": "y"}}}),
        ({"data": {"config": "{kind: Config, users: [{name: a, user: {token: x}}]}"}}, MAPS,
         {"data": {"config": "{kind: Config, users: [{name: a, user: {token: " + M}}),
        ({"data": {"config": json.dumps({"kind": "Config", "users": [{"user": {"token": "x"}}]}, indent=1)}}, MAPS,
         {"data": {"config": '{\n "kind": "Config",\n "users": [\n  {\n   "user": {\n    "token": ' + M
                   + "\n   }\n  }\n ]\n}"}}),
    ],
)  # fmt: skip
def test_what_logs_in_and_what_manages_clusters_is_not_stored(body: Any, about: ObjectRef, expected: Any) -> None:
    assert redacted(body, about) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "/apis/build.openshift.io/v1/namespaces/shop/buildconfigs/web/webhooks%2FSEC/generic",
        "/apis/build.openshift.io/v1/namespaces/shop/buildconfigs%2fweb%2Fwebhooks/SEC%2Fgeneric",
        "/apis/oauth.openshift.io/v1/oauthaccesstokens?fieldSelector=metadata.name%3DSEC&limit=1",
        "/apis/oauth.openshift.io/v1/oauthauthorizetokens?limit=1&fieldSelector=metadata.name=SEC",
        "/apis/oauth.openshift.io/v1%2Foauthaccesstokens%2FSEC",
        "/oauth/token?grant_type=password&password=SEC&username=j",
        "/login?Passwd=SEC",
        "/oauth/token?client_secret=SEC",
    ],
)
def test_a_secret_in_a_uri_is_found_however_it_is_written(uri: str) -> None:
    assert redact_uri(uri) == uri.replace("SEC", M)
