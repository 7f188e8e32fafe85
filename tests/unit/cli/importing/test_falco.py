"""Rules of Falco, imported, against readings of them that share nothing with the importer."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from auditwire.events import decode
from auditwire.rules import RuleSet, load_rule_set
from auditwire_cli.importing.clauses import UntranslatableError
from auditwire_cli.importing.falco_condition import parse

Run = Callable[..., Any]
Event = dict[str, Any]

SHARED = """\
# SPDX-License-Identifier: Apache-2.0
# Copyright (C) 2026 Somebody.
- required_engine_version: 15
- macro: kevt
  condition: (jevt.value[/stage] in (stages))
- list: stages
  items: [ResponseComplete]
- list: readers
  items: [get, more_readers]
- list: more_readers
  items: ["list", watch]
- macro: always
  condition: (jevt.rawtime exists)
- macro: never
  condition: (jevt.rawtime=0)
- list: none
  items: []
- macro: pod
  condition: ka.target.resource=pods and not ka.target.subresource exists
"""


def rule(name: str, condition: str, **more: Any) -> str:
    entry = {"rule": name, "desc": name, "condition": condition, "output": "by %ka.user.name at %jevt.obj",
             "priority": "WARNING", "source": "k8s_audit", **more}  # fmt: skip
    return f"- {json.dumps(entry)}\n"


def get(event: Event, path: str) -> Any:
    value: Any = event
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def containers(event: Event) -> list[Event]:
    return get(event, "requestObject.spec.containers") or []


def done(event: Event) -> bool:
    return bool(event["stage"] == "ResponseComplete")


def repositories(event: Event) -> list[str] | None:
    images = [str(one.get("image", "")) for one in containers(event)]
    return [image.split(":")[0] for image in images] if images and all(images) else None


def flat(event: Event, key: str) -> list[str]:
    return [item for one in get(event, "requestObject.rules") or [] for item in one.get(key, [])]


# Each condition of Falco, and what it says, in Python.
READINGS: dict[str, tuple[str, Callable[[Event], bool]]] = {
    "stage": ("kevt", done),
    "list of lists": ("kevt and ka.verb in (readers)", lambda e: done(e) and e["verb"] in ("get", "list", "watch")),
    "not binds first": ("not kevt and ka.verb=get or ka.verb=list",
                        lambda e: (not done(e) and e["verb"] == "get") or e["verb"] == "list"),
    "constants": ("kevt and always and not never", done),
    "no list": ("kevt and not ka.verb in (none)", done),
    "missing": ("not ka.target.subresource in (exec)", lambda e: get(e, "objectRef.subresource") != "exec"),
    "unequal": ("ka.target.namespace!=kube-system",
                lambda e: get(e, "objectRef.namespace") not in (None, "kube-system")),
    "subresource": ("pod", lambda e: get(e, "objectRef.resource") == "pods" and not get(e, "objectRef.subresource")),
    "text of a code": ("ka.response.code startswith 2",
                       lambda e: str(get(e, "responseStatus.code") or "").startswith("2")),
    "no code": ("not ka.response.code startswith 2",
                lambda e: not str(get(e, "responseStatus.code") or "").startswith("2")),
    "decision": ('ka.auth.decision="allow"',
                 lambda e: (e.get("annotations") or {}).get("authorization.k8s.io/decision") == "allow"),
    "uri": ("ka.uri=/healthz or ka.uri startswith /healthz?",
            lambda e: e["requestURI"] == "/healthz" or e["requestURI"].startswith("/healthz?")),
    "casing": ("tolower(ka.useragent) contains curl or ka.useragent icontains WGET",
               lambda e: "curl" in e.get("userAgent", "").lower() or "wget" in e.get("userAgent", "").lower()),
    "upper": ("toupper(ka.verb) in (GET, list)", lambda e: e["verb"].upper() == "GET"),
    "never lower": ("not tolower(ka.verb) = GET and not toupper(ka.useragent) contains curl", lambda e: True),
    "unequal to none": ("tolower(ka.target.namespace) != SHOP", lambda e: get(e, "objectRef.namespace") is not None),
    "an empty verb": ("ka.verb exists and ka.verb != get", lambda e: e["verb"] != "get"),
    "a code of errors": ("ka.response.code >= 400", lambda e: (get(e, "responseStatus.code") or 0) >= 400),
    "no code of errors": ("not ka.response.code > 399", lambda e: (get(e, "responseStatus.code") or 0) <= 399),
    "glob": ("ka.useragent glob c?rl*", lambda e: len(e.get("userAgent", "")) > 3 and e["userAgent"][0] == "c"
             and e["userAgent"][2:4] == "rl"),
    "privileged": ("ka.req.pod.containers.privileged intersects (true)",
                   lambda e: any(get(one, "securityContext.privileged") is True for one in containers(e))),
    "every repository": ("ka.req.pod.containers.image.repository in (docker.io/a, b)",
                         lambda e: bool(repositories(e)) and set(repositories(e) or ()) <= {"docker.io/a", "b"}),
    "not every repository": ("not ka.req.pod.containers.image.repository in (docker.io/a, b)",
                             lambda e: not repositories(e) or not set(repositories(e) or ()) <= {"docker.io/a", "b"}),
    "some repository": ("ka.req.pod.containers.image.repository intersects (b)",
                        lambda e: "b" in (repositories(e) or ())),
    "network": ("ka.req.pod.host_network intersects (true)",
                lambda e: get(e, "requestObject.spec.hostNetwork") is True),
    "verbs": ('ka.req.role.rules.verbs intersects (create, "*")',
              lambda e: bool({"create", "*"} & set(flat(e, "verbs")))),
    "every verb": ("ka.req.role.rules.verbs in (get, create)",
                   lambda e: bool(flat(e, "verbs")) and set(flat(e, "verbs")) <= {"get", "create"}),
    "tls": ("jevt.value[/requestObject/spec/tls] exists", lambda e: get(e, "requestObject.spec.tls") is not None),
    "pointer": ("jevt.value[/requestObject/spec/containers/0/image] contains docker",
                lambda e: "docker" in ((containers(e) or [{}])[0].get("image") or "")),
    "groups": ('ka.user.groups intersects ("system:masters")',
               lambda e: "system:masters" in (get(e, "user.groups") or [])),
    "every group": ('ka.user.groups in ("system:masters", dev)',
                    lambda e: bool(get(e, "user.groups")) and set(get(e, "user.groups")) <= {"system:masters", "dev"}),
    "config map": ('ka.req.configmap.obj contains "password"',
                   lambda e: "password" in json.dumps(get(e, "requestObject.data") or {})),
    "ends": ("ka.user.name endswith \\", lambda e: (get(e, "user.username") or "").endswith("\\")),
}  # fmt: skip


def events() -> list[Event]:
    """Events with every combination of what the conditions look at, a part at a time."""
    base: Event = {"level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create",
                   "requestURI": "/api"}  # fmt: skip
    bodies: list[Any] = [
        None, {}, {"spec": {"containers": []}}, {"spec": {"hostNetwork": True, "tls": []}},
        {"spec": {"hostNetwork": False}},
        {"data": {"password": "x"}}, {"data": {"k": "my password"}}, {"data": {"k": "none", "l": "z"}}, {"data": {}},
        {"rules": [{"verbs": ["get"]}, {"verbs": ["create"]}, {}]}, {"rules": [{"verbs": ["*", "get"]}]}, {"rules": []},
        {"rules": [{"resources": ["pods"]}]}, {"rules": [{"verbs": ["delete", "get"]}]},
    ]  # fmt: skip
    images = ("docker.io/a:1", "docker.io/a", "b@sha256:00", "b:5000/x", "docker.io/ab:1", None)
    for pair in product(images, images):
        made = [{"name": "c", **({"image": image} if image else {})} for image in pair]
        bodies += [{"spec": {"containers": made}}, {"spec": {"containers": made[:1]}}]
    bodies += [{"spec": {"containers": [{"image": "x", "securityContext": {"privileged": value}}, {"image": "y"}]}}
               for value in (True, False)]  # fmt: skip
    found = [{**base, **({} if body is None else {"requestObject": body})} for body in bodies]
    for stage, verb, resource, below, place, code in product(
        ("RequestReceived", "ResponseComplete"), ("get", "list", "create"), ("pods", "secrets"), ("", "exec"),
        ("", "kube-system", "shop"), (None, 200, 201, 403),
    ):  # fmt: skip
        about = {
            "resource": resource,
            **({"subresource": below} if below else {}),
            **({"namespace": place} if place else {}),
        }
        status = {} if code is None else {"responseStatus": {"code": code}}
        found.append({**base, "stage": stage, "verb": verb, "objectRef": about, **status})
    found += [{**base, "userAgent": agent} for agent in ("curl/8", "cURL", "Wget/1", "carl", "crl", "other")]
    found.append({**base, "verb": ""})
    found += [{**base, "requestURI": uri} for uri in ("/healthz", "/healthz?x", "/healthzx", "/livez")]
    found += [
        {**base, "user": {"username": "a\\", "groups": groups}}
        for groups in ([], ["dev"], ["system:masters", "dev"], ["system:masters", "x"])
    ]
    found += [
        {**base, "annotations": {"authorization.k8s.io/decision": decision, "other": "allow"}}
        for decision in ("allow", "forbid")
    ]
    return found


EVENTS = events()


@pytest.fixture
def imported(auditwire: Run, tmp_path: Path) -> Callable[..., tuple[list[dict[str, Any]], RuleSet | None]]:
    """Imports files, given by their texts; what is said about each rule, and the rules as they load."""

    def run(*texts: str) -> tuple[list[dict[str, Any]], RuleSet | None]:
        files = []
        for number, text in enumerate(texts):
            files.append(tmp_path / f"file{number}.yaml")
            files[-1].write_text(text)
        out = tmp_path / "out"
        result = auditwire("rules", "import", "falco", *files, "--out", out, "--format", "json")
        outcomes = json.loads(result.stdout)
        assert result.exit_code == int(any(one["status"] != "imported" for one in outcomes))
        return outcomes, load_rule_set([out]) if any(out.iterdir()) else None

    return run


def matching(rules: RuleSet, name: str, event: Event) -> bool:
    (read,) = decode(json.dumps(event).encode()).events
    verdict = rules.decide(read)
    assert not verdict.errors, (name, event, verdict.errors)
    return name in verdict.alerting


def test_imported_rules_say_what_falco_says(imported: Any) -> None:
    text = SHARED + "".join(rule(name, condition) for name, (condition, _) in READINGS.items())

    outcomes, rules = imported(text)

    assert [(one["rule"], one["status"], one["reason"]) for one in outcomes] == [
        (name, "imported", None) for name in READINGS
    ]
    assert rules is not None
    names = {one["rule"]: one["rules"][0] for one in outcomes}
    for event in EVENTS:
        for name, (condition, reading) in READINGS.items():
            assert matching(rules, names[name], event) is bool(reading(event)), (condition, event)


SITE = """\
- list: readers
  items: [delete]
  append: true
- macro: never
  condition: (jevt.rawtime exists)
- rule: switched
  enabled: false
- rule: longer
  condition: and ka.user.name = ann
  override: {condition: append}
- rule: as written
  condition: and ka.user.name = ann
  append: true
- rule: replaced
  desc: d
  condition: kevt and ka.verb = watch
  output: o
  priority: NOTICE
  source: k8s_audit
- rule: spared
  exceptions: [{name: people, values: [[eve, [watch]]]}]
  append: true
- rule: not there
  condition: and ka.verb = get
  append: true
- list: with_equals
  items: [=, in]
"""


def test_a_site_file_changes_what_came_before(imported: Any) -> None:
    exceptions = [
        {"name": "people", "fields": ["ka.user.name", "ka.verb"], "comps": ["=", "in"],
         "values": [["ann", ["get", "list"]]]},
        {"name": "places", "fields": "ka.target.namespace", "values": ["kube-system", "dev"]},
    ]  # fmt: skip
    text = SHARED + "".join([
        rule("read", "ka.verb in (readers)"), rule("off", "kevt and never"), rule("switched", "kevt"),
        rule("longer", "kevt"),
        rule("as written", "ka.verb = get or ka.verb = list"), rule("replaced", "kevt"),
        rule("spared", "ka.verb in (readers)", exceptions=exceptions),
    ])  # fmt: skip

    outcomes, rules = imported(text, SITE)

    assert rules is not None
    by_name = {one["rule"]: one for one in outcomes}
    assert by_name["not there"]["status"] == "refused"
    assert [name for name, one in by_name.items() if one["status"] == "imported"] == [
        "read", "off", "switched", "longer", "as written", "replaced", "spared",
    ]  # fmt: skip
    assert "it is not enabled" in by_name["switched"]["notes"]

    def matches(name: str, **fields: Any) -> bool:
        event = {"level": "Metadata", "auditID": "a", "stage": "ResponseComplete", "requestURI": "/", **fields}
        return matching(rules, by_name[name]["rules"][0], event)

    ann, bob = {"username": "ann"}, {"username": "bob"}
    assert matches("read", verb="delete")
    assert matches("off", verb="get")
    assert not matches("switched", verb="get")
    assert matches("longer", verb="get", user=ann)
    assert not matches("longer", verb="get", user=bob)
    # The text is appended, so "and" binds the last part only.
    assert matches("as written", verb="get", user=bob)
    assert not matches("as written", verb="list", user=bob)
    assert matches("replaced", verb="watch")
    assert not matches("replaced", verb="get")
    assert not matches("spared", verb="get", user=ann)
    assert matches("spared", verb="watch", user=ann)
    assert not matches("spared", verb="watch", user={"username": "eve"})
    assert not matches("spared", verb="get", user=bob, objectRef={"resource": "pods", "namespace": "dev"})


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ("proc.name = sh", "proc.name"),
        ("ka.uri.param[command] = sh", "ka.uri.param[command]"),
        ("ka.user.name pmatch (a, b)", "pmatch"),
        ("ka.user.name regex a.*", "regex"),
        ("b64(ka.user.name) = x", "b64"),
        ("ka.req.pod.containers.image startswith a", "ka.req.pod.containers.image"),
        ("ka.req.pod.containers.add_capabilities intersects (x)", "add_capabilities"),
        ("unknown_macro and ka.verb = get", "unknown_macro"),
        ("ka.verb = get and (ka.verb = list", ")"),
        ("ka.verb get", "'get'"),
        ("kevt and ka.user.name > 5", ">"),
        ("self", "self"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_word(imported: Any, condition: str, word: str) -> None:
    outcomes, rules = imported(SHARED + "- {macro: self, condition: not self}\n" + rule("r", condition))

    (outcome,) = outcomes
    assert (outcome["status"], outcome["rules"], rules) == ("refused", [], None)
    assert word in outcome["reason"]


def test_other_sources_are_refused(imported: Any) -> None:
    outcomes, _ = imported(rule("r", "ka.verb = get", source="aws_cloudtrail"))

    assert outcomes[0]["reason"] == "its source is aws_cloudtrail, not k8s_audit"


def test_a_rule_keeps_who_wrote_it_and_what_it_says(imported: Any) -> None:
    outcomes, rules = imported(SHARED + rule("Read It/All", "kevt", priority="NOTICE", tags=["k8s", "mitre"]))

    assert rules is not None
    (found,) = rules.alerting
    assert outcomes[0]["rules"] == [found.qualified] == ["falco-file0.ReadItAll"]
    assert (str(found.priority), found.labels["severity"], found.desc) == ("INFO", "notice", "Read It/All")
    assert dict(found.annotations) == {
        "title": "Read It/All", "tags": "k8s, mitre", "license": "Apache-2.0, Copyright (C) 2026 Somebody",
    }  # fmt: skip


def test_notes_say_what_a_rule_needs(imported: Any) -> None:
    rules = (rule("bodies", "kevt and ka.req.service.type = NodePort"), rule("never", "kevt and never"),
             rule("stages", "ka.verb = get"))  # fmt: skip

    outcomes, _ = imported(SHARED + "".join(rules))

    assert [one["notes"] for one in outcomes] == [
        ["it needs events of the level Request"],
        ["it never fires, as in Falco: its condition never holds"],
        ["it fires at every stage of a request"],
    ]


def test_files_of_a_folder_are_loaded_in_order(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.yaml").write_text(SHARED + rule("r", "kevt"))
    (tmp_path / "in/b.yml").write_text("- {rule: r, enabled: false}\n")

    result = auditwire("rules", "import", "falco", tmp_path / "in", "--out", tmp_path / "out")

    assert (result.exit_code, list((tmp_path / "out").iterdir())) == (0, [tmp_path / "out/falco-a.yaml"])
    assert "1 rule: 1 imported, 0 partial, 0 refused; 1 document in " in result.stdout


@pytest.mark.parametrize("text", ["{a: b}", "- [", '- rule: x\n  condition: "\x00"\n'])
def test_what_is_no_file_of_falco_ends_with_2(auditwire: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)

    result = auditwire("rules", "import", "falco", tmp_path / "a.yaml", "--out", tmp_path / "out")

    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)


def test_a_folder_with_something_in_it_needs_force(auditwire: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SHARED + rule("r", "kevt"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("x")
    words = ("rules", "import", "falco", tmp_path / "a.yaml", "--out", tmp_path / "out")

    assert auditwire(*words).exit_code == 2
    assert auditwire(*words, "--force").exit_code == 0
    assert (tmp_path / "out/mine.txt").exists()


def test_a_value_may_be_quoted_and_hold_an_escape() -> None:
    assert parse(r'ka.user.name = "a \"b\" c"') == parse("ka.user.name = 'a \"b\" c'")
    with pytest.raises(UntranslatableError, match="a value"):
        parse("ka.user.name = ")
