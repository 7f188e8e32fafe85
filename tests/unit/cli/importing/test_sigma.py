"""Rules of Sigma, imported, against readings of them that share nothing with the importer."""

import json
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from auditwire.events import decode
from auditwire.rules import RuleSet, load_rule_set

Run = Callable[..., Any]
Event = dict[str, Any]
SOURCE = "logsource: {product: kubernetes, service: audit}\n"
FIRST = "402b955c-8fe0-4a8c-b635-622b4ac5f901"


def rule(title: str, detection: str, more: str = "") -> str:
    return f"title: {title}\n{SOURCE}detection: {{{detection}}}\n{more}---\n"


def get(event: Event, path: str) -> Any:
    value: Any = event
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(event: Event, path: str) -> str:
    value = get(event, path)
    return "" if value is None else str(value).lower()


def text_at(event: Event, path: str, key: str) -> str:
    return str((get(event, path) or {}).get(key, "")).lower()


def groups(event: Event) -> list[str]:
    return [group.lower() for group in get(event, "user.groups") or []]


def images(event: Event) -> list[str]:
    return [one.get("image", "").lower() for one in get(event, "requestObject.spec.containers") or []]


# Each detection of Sigma, and what it says, in Python.
READINGS: dict[str, tuple[str, Callable[[Event], bool]]] = {
    "list": ("s: {verb: [Create, patch]}, condition: s", lambda e: e["verb"] in ("create", "patch")),
    "map": ("s: {verb: get, objectRef.resource: PODS}, condition: s",
            lambda e: e["verb"] == "get" and text(e, "objectRef.resource") == "pods"),
    "maps": ("s: [{verb: get}, {objectRef.resource: pods}], condition: s",
             lambda e: e["verb"] == "get" or text(e, "objectRef.resource") == "pods"),
    "not of missing": ("s: {objectRef.namespace: kube-system}, condition: not s",
                       lambda e: text(e, "objectRef.namespace") != "kube-system"),
    "precedence": ("a: {verb: get}, b: {verb: create}, c: {objectRef.resource: pods}, condition: not a and b or c",
                   lambda e: e["verb"] == "create" or text(e, "objectRef.resource") == "pods"),
    "one of": ("f_a: {verb: get}, f_b: {user.groups: Dev}, condition: 1 of f_*",
               lambda e: e["verb"] == "get" or "dev" in groups(e)),
    "all of them": ("a: {verb: get}, b: {objectRef.resource: pods}, condition: all of them",
                    lambda e: e["verb"] == "get" and text(e, "objectRef.resource") == "pods"),
    "contains": ("s: {userAgent|contains: [Curl, wget]}, condition: s",
                 lambda e: "curl" in text(e, "userAgent") or "wget" in text(e, "userAgent")),
    "contains all": ("s: {userAgent|contains|all: [cu, L/]}, condition: s",
                     lambda e: "cu" in text(e, "userAgent") and "l/" in text(e, "userAgent")),
    "ends": ("s: {user.groups|endswith: ers}, condition: s", lambda e: any(one.endswith("ers") for one in groups(e))),
    "starts": ("s: {userAgent|startswith: Cu}, condition: not s", lambda e: not text(e, "userAgent").startswith("cu")),
    "cased": ("s: {userAgent|cased: Curl/8}, condition: s", lambda e: e.get("userAgent") == "Curl/8"),
    "wildcards": ("s: {userAgent: 'c?rl*8'}, condition: s", lambda e: text(e, "userAgent")[:1] == "c"
                  and text(e, "userAgent")[2:4] == "rl" and text(e, "userAgent").endswith("8")),
    "escapes": (r"s: {userAgent: 'a\*b'}, condition: s", lambda e: text(e, "userAgent") == "a*b"),
    "is there": ("s: {objectRef.subresource: '*'}, condition: s", lambda e: bool(text(e, "objectRef.subresource"))),
    "no value": ("s: {user.username: null}, condition: s", lambda e: not get(e, "user.username")),
    "exists": ("s: {requestObject.spec.tls|exists: false}, condition: s",
               lambda e: get(e, "requestObject.spec.tls") is None),
    "codes": ("s: {responseStatus.code: [401, 403]}, condition: s",
              lambda e: get(e, "responseStatus.code") in (401, 403)),
    "code as text": ("s: {responseStatus.code: '403'}, condition: s",
                     lambda e: get(e, "responseStatus.code") == 403),
    "at least": ("s: {responseStatus.code|gte: 401}, condition: s",
                 lambda e: (get(e, "responseStatus.code") or 0) >= 401),
    "boolean": ("s: {requestObject.spec.hostNetwork: true}, condition: s",
                lambda e: get(e, "requestObject.spec.hostNetwork") is True),
    "regex": ("s: {userAgent|re: '^c.rl'}, condition: s", lambda e: (e.get("userAgent") or "")[:1] == "c"
              and (e.get("userAgent") or "")[2:4] == "rl"),
    "regex of any casing": ("s: {userAgent|re|i: '^c.rl'}, condition: s",
                            lambda e: text(e, "userAgent")[:1] == "c" and text(e, "userAgent")[2:4] == "rl"),
    "network": ("s: {sourceIPs|cidr: 10.0.0.0/8}, condition: s",
                lambda e: any(ip_address(one) in ip_network("10.0.0.0/8") for one in e.get("sourceIPs") or [])),
    "array of a body": ("s: {requestObject.spec.containers.image|endswith: ':Latest'}, condition: s",
                        lambda e: any(one.endswith(":latest") for one in images(e))),
    "annotation": ("s: {annotations.authorization.k8s.io/decision: allow}, condition: s",
                   lambda e: (e.get("annotations") or {}).get("authorization.k8s.io/decision") == "allow"),
    "label": ("s: {requestObject.metadata.labels.app.kubernetes.io/name: Web}, condition: s",
              lambda e: text_at(e, "requestObject.metadata.labels", "app.kubernetes.io/name") == "web"),
    "group": ("s: {apiGroup: ''}, condition: s", lambda e: text(e, "objectRef.apiGroup") == ""),
    "hostPath": ("s: {hostPath: '*'}, condition: s",
                 lambda e: any("hostPath" in one for one in get(e, "requestObject.spec.volumes") or [])),
    "capabilities": ("s: {capabilities: '*'}, condition: s",
                     lambda e: any(get(one, "securityContext.capabilities.add")
                                   for one in get(e, "requestObject.spec.containers") or [])),
    "unequal": ("s: {verb|neq: get}, condition: s", lambda e: e["verb"] != "get"),
}  # fmt: skip


def events() -> list[Event]:
    """Events with every combination of what the detections look at, a part at a time."""
    base: Event = {"level": "RequestResponse", "auditID": "a", "stage": "ResponseComplete", "verb": "create"}
    found = []
    for verb, resource, place, below, code in product(
        ("get", "create", "patch"), ("pods", "secrets"), ("", "kube-system"), ("", "exec"), (None, 200, 401, 403)
    ):
        about = {"resource": resource, "namespace": place, "subresource": below}
        status = {} if code is None else {"responseStatus": {"code": code}}
        found.append(
            {**base, "verb": verb, "objectRef": {key: value for key, value in about.items() if value}, **status}
        )
    agents = ("curl/8", "Curl/8", "CURL", "x-wget", "a*b", "axb", "carl", "cXrL 8", "")
    users: tuple[Event, ...] = ({}, {"username": ""}, {"username": "ann", "groups": ["Dev", "users"]}, {"groups": []})
    found += [{**base, "userAgent": agent} for agent in agents]
    found += [{**base, "user": user} for user in users]
    addresses: tuple[list[str], ...] = (["10.1.2.3"], ["192.0.2.1", "10.0.0.9"], ["192.0.2.1"], [])
    found += [{**base, "sourceIPs": each} for each in addresses]
    context = {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}
    specs: tuple[Event, ...] = (
        {}, {"tls": []}, {"hostNetwork": True}, {"hostNetwork": False}, {"containers": []},
        {"volumes": [{"name": "x"}]}, {"volumes": [{"name": "x"}, {"hostPath": {"path": "/"}}]},
        {"containers": [{"image": "a:1"}, {"image": "b:latest"}]}, {"containers": [{}, context]},
        {"containers": [{"securityContext": {"capabilities": {"add": []}}}]},
    )  # fmt: skip
    found += [{**base, "requestObject": {"spec": spec}} for spec in specs]
    decisions = ("allow", "forbid")
    found += [{**base, "annotations": {"authorization.k8s.io/decision": decision}} for decision in decisions]
    found.append({**base, "objectRef": {"resource": "pods", "apiGroup": "apps"}})
    named = (
        {"app.kubernetes.io/name": "web"},
        {"app": {"kubernetes": {"io/name": "web"}}},
        {"app.kubernetes.io/name": "x"},
    )
    found += [{**base, "requestObject": {"metadata": {"labels": labels}}} for labels in named]
    return found


EVENTS = events()


@pytest.fixture
def imported(auditwire: Run, tmp_path: Path) -> Callable[..., tuple[list[dict[str, Any]], RuleSet | None]]:
    """Imports files, given by their texts; what is said about each rule, and the rules as they load."""

    def run(*texts: str) -> tuple[list[dict[str, Any]], RuleSet | None]:
        files = []
        for number, each in enumerate(texts):
            files.append(tmp_path / f"file{number}.yml")
            files[-1].write_text(each)
        out = tmp_path / "out"
        result = auditwire("rules", "import", "sigma", *files, "--out", out, "--format", "json")
        outcomes = json.loads(result.stdout)
        assert result.exit_code == int(any(one["status"] != "imported" for one in outcomes))
        return outcomes, load_rule_set([out]) if any(out.iterdir()) else None

    return run


def matching(rules: RuleSet, name: str, event: Event) -> bool:
    (read,) = decode(json.dumps(event).encode()).events
    verdict = rules.decide(read)
    assert not verdict.errors, (name, event, verdict.errors)
    return name in verdict.alerting


def test_imported_rules_say_what_sigma_says(imported: Any) -> None:
    outcomes, rules = imported("".join(rule(title, detection) for title, (detection, _) in READINGS.items()))

    assert [(one["rule"], one["status"], one["reason"]) for one in outcomes] == [
        (title, "imported", None) for title in READINGS
    ]
    assert rules is not None
    names = {one["rule"]: one["rules"][0] for one in outcomes}
    for event in EVENTS:
        for title, (detection, reading) in READINGS.items():
            assert matching(rules, names[title], event) is bool(reading(event)), (detection, event)


@pytest.mark.parametrize(
    ("detection", "word"),
    [
        ("s: {userAgent|windash|contains: ' -a'}, condition: s", "windash"),
        ("s: {userAgent|base64offset|contains: abc}, condition: s", "base64offset"),
        ("s: {userAgent|fieldref: verb}, condition: s", "fieldref"),
        ("s: {userAgent|expand: '%x%'}, condition: s", "expand"),
        ("s: {stageTimestamp|hour: 3}, condition: s", "hour"),
        ("s: {userAgent|nonsense: x}, condition: s", "nonsense"),
        ("s: [foo, bar], condition: s", "foo"),
        ("s: {process.name: sh}, condition: s", "process.name"),
        ("s: {userAgent|re: 'a(?!b)'}, condition: s", "(?!"),
        ("s: {userAgent|re: '(a)\\1'}, condition: s", "RE2"),
        ("s: {verb: get}, condition: s and other", "other"),
        ("notable: {verb: get}, able: {verb: list}, condition: notable", "notable"),
        ("s: {verb: get}, condition: s and 1 of other*", "other*"),
        ("s: {Verb: get}, condition: s", "did you mean verb?"),
        ("s: {objectRef.Resource: pods}, condition: s", "did you mean objectRef.resource?"),
        ("s: {'sourceIPs[0]': 10.0.0.1}, condition: s", "sourceIPs[0]"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_word(imported: Any, detection: str, word: str) -> None:
    outcomes, rules = imported(rule("r", detection))

    (outcome,) = outcomes
    assert (outcome["status"], outcome["rules"], rules) == ("refused", [], None)
    assert word in outcome["reason"]


def test_rules_about_something_else_are_refused(imported: Any) -> None:
    about = "logsource: {product: windows, service: security}\n"

    outcomes, _ = imported(f"title: r\n{about}detection: {{s: {{EventID: 1}}, condition: s}}\n")

    assert outcomes[0]["reason"] == "its log source is windows, security, not the audit log of kubernetes"


def test_a_filter_takes_its_events_out_of_the_rules_that_it_names(imported: Any) -> None:
    rules_file = rule("first", "s: {verb: get}, condition: s", f"id: {FIRST}\n")
    rules_file += rule("second", "s: {verb: get}, condition: s")
    filter_file = f"title: f\n{SOURCE}filter: {{rules: [{FIRST}], s: {{user.username: Ann}}, condition: not s}}\n"

    outcomes, rules = imported(rules_file, filter_file)

    assert rules is not None
    by_ann = {"level": "Metadata", "auditID": "a", "stage": "Panic", "verb": "get", "user": {"username": "ann"}}
    first, second = (one["rules"][0] for one in outcomes)
    assert not matching(rules, first, by_ann)
    assert matching(rules, second, by_ann)
    assert matching(rules, first, {**by_ann, "user": {"username": "bob"}})


def test_documents_of_a_file_may_share_a_beginning(imported: Any) -> None:
    shared = f"action: global\n{SOURCE}level: low\n---\n"
    parts = "".join(
        f"title: {verb}\ndetection: {{s: {{verb: {verb}}}, condition: s}}\n---\n" for verb in ("get", "list")
    )

    outcomes, rules = imported(shared + parts)

    assert [one["status"] for one in outcomes] == ["imported", "imported"]
    assert rules is not None
    assert [(rule.name, str(rule.priority)) for rule in rules.alerting] == [("Get", "INFO"), ("List", "INFO")]


def test_a_rule_keeps_who_wrote_it_and_what_it_says(imported: Any) -> None:
    more = (f"id: {FIRST}\nauthor: Ann Example\nreferences: [https://example.com/a]\n"
            "tags: [attack.t1611, attack.stealth]\nlevel: high\nstatus: test\n"
            "description: |\n  Looks at\n  pods.\nfalsepositives: [Admins]\n")  # fmt: skip

    outcomes, rules = imported(rule("Pods Read", "s: {verb: get}, condition: s", more))

    assert rules is not None
    (found,) = rules.alerting
    assert outcomes[0]["rules"] == [found.qualified] == ["sigma-file0.PodsRead"]
    assert (str(found.priority), found.labels["severity"], found.desc) == ("WARNING", "high", "Looks at pods.")
    assert dict(found.annotations) == {
        "title": "Pods Read", "id": FIRST, "author": "Ann Example", "link": "https://example.com/a",
        "tags": "attack.t1611, attack.stealth", "status": "test", "falsepositives": "Admins",
        "license": "DRL 1.1, https://github.com/SigmaHQ/Detection-Rule-License",
    }  # fmt: skip


def test_what_looks_like_a_name_of_ours_in_a_text_is_none(imported: Any) -> None:
    text = rule("${x} of ${User.Username}", "s: {verb: get}, condition: s", "author: ${me}\nreferences: ['${y}']\n")

    outcomes, rules = imported(text)

    assert outcomes[0]["status"] == "imported"
    assert rules.alerting[0].annotations["title"] == "$ {x} of $ {User.Username}"
    assert rules.alerting[0].annotations["author"] == "$ {me}"


def test_a_rule_that_can_never_fire_is_imported_with_a_note(imported: Any) -> None:
    outcomes, _ = imported(rule("r", "s: {responseStatus.code: ALLOW}, condition: s"))

    assert outcomes[0]["status"] == "imported"
    assert outcomes[0]["notes"][0].startswith("it never fires: ")


COUNTED = rule("r", "s: {verb: get, objectRef.resource: pods}, condition: s", "name: reads\n")


def correlation(text: str) -> str:
    return f"{COUNTED}title: many\ncorrelation: {{rules: [reads], {text}}}\nlevel: high\n"


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        (
            "type: event_count, group-by: [user.username], timespan: 10m, condition: {gte: 5}",
            "5 matches within 5m, by User.Username",
        ),
        ("type: event_count, timespan: 1h, condition: {gt: 5}", "6 matches within 30m"),
        (
            "type: value_count, group-by: [verb], timespan: 2m, condition: {gte: 3, field: objectRef.name}",
            "3 different values of ObjectRef.Name within 1m, by Verb",
        ),
    ],
)
def test_a_correlation_that_counts_becomes_a_threshold_that_never_reaches_further(
    imported: Any, text: str, threshold: str
) -> None:
    outcomes, rules = imported(correlation(text))

    assert [(one["rule"], one["status"]) for one in outcomes] == [("r", "imported"), ("many", "partial")]
    assert "half of the timespan" in outcomes[1]["reason"]
    assert "it only counts for many" in outcomes[0]["notes"][0]
    many = next(each for each in rules.alerting if each.qualified == outcomes[1]["rules"][0])
    assert many.text.threshold.as_text() == threshold
    event = EVENTS[0] | {"verb": "get", "objectRef": {"resource": "pods", "name": "x"}, "user": {}}
    assert matching(rules, many.qualified, event | {"user": {"username": "ann"}})
    assert not matching(rules, many.qualified, event | {"verb": "list", "user": {"username": "ann"}})
    assert matching(rules, many.qualified, event) is ("user.username" not in text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("type: temporal, timespan: 5m", "temporal"),
        ("type: value_sum, timespan: 5m, condition: {gte: 5, field: responseStatus.code}", "value_sum"),
        ("type: event_count, timespan: 5m, condition: {lt: 5}", "lt"),
        ("type: event_count, timespan: 5m, condition: {gte: 5000}", "5,000"),
        ("type: event_count, timespan: 1w, condition: {gte: 5}", "1w"),
        ("type: event_count, group-by: [user.groups], timespan: 5m, condition: {gte: 5}", "user.groups"),
        ("type: value_count, timespan: 5m, condition: {gte: 5, field: [verb, userAgent]}", "one field"),
        ("type: event_count, timespan: 5m, condition: {gte: 5}, aliases: {a: {reads: verb}}", "aliases"),
    ],
)
def test_a_correlation_that_no_threshold_can_say_is_refused_with_its_word(imported: Any, text: str, word: str) -> None:
    outcomes, _ = imported(correlation(text))

    assert [(one["rule"], one["status"]) for one in outcomes] == [("r", "imported"), ("many", "refused")]
    assert word in outcomes[1]["reason"]


def test_a_correlation_of_a_rule_that_is_missing_or_refused_is_refused(imported: Any) -> None:
    text = "type: event_count, timespan: 5m, condition: {gte: 5}"
    broken = correlation(text).replace("verb: get", "verb|windash: get")

    outcomes, _ = imported(broken, f"title: alone\ncorrelation: {{rules: [others], {text}}}\n")

    assert [one["reason"] for one in outcomes[1:]] == [
        "its rule r: the modifier windash cannot be said",
        "there is no rule others in these files",
    ]


@pytest.mark.parametrize("content", ["- a\n- b\n", "title: [", "just text"])
def test_what_is_no_file_of_sigma_ends_with_2(auditwire: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yml").write_text(content)

    result = auditwire("rules", "import", "sigma", tmp_path / "a.yml", "--out", tmp_path / "out")

    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)


@pytest.mark.parametrize("detection", ["s: {verb: []}, condition: s", "s: [], condition: s", "s: {}, condition: s"])
def test_what_says_nothing_is_refused(imported: Any, detection: str) -> None:
    outcomes, rules = imported(rule("r", detection))

    assert (outcomes[0]["status"], rules) == ("refused", None)
