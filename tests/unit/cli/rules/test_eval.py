import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditwire_cli.samples.traffic import story
from auditwire_cli.send.audit_log import split
from auditwire_cli.send.bodies import body
from auditwire_cli.send.shape import Shape

Run = Callable[..., Any]
RULES = Path(__file__).parents[4] / "rules"


def event(**more: Any) -> dict[str, Any]:
    return {"level": "Request", "auditID": "a", "stage": "ResponseComplete", "verb": "get", **more}


NODE_PORT = event(
    auditID="b",
    verb="create",
    user={"username": "mira"},
    objectRef={"resource": "services", "namespace": "shop", "name": "web"},
    requestObject={"spec": {"type": "NodePort"}},
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    path.write_text("".join(json.dumps(each) + "\n" for each in (event(), NODE_PORT)))
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_line_an_event_in_order_with_the_fixed_members(auditwire: Run, log: Path) -> None:
    result = auditwire("rules", "eval", "--rules", RULES, "--events", log, "--format", "json")

    assert result.exit_code == 0
    assert lines(result.stdout) == [
        {
            "auditID": "a",
            "stage": "ResponseComplete",
            "verdict": "ignore",
            "archiving": [],
            "alerting": [],
            "alerts": [],
            "errors": [],
            "undecided": [],
            "excepted": [],
            "pending": [],
        },
        {
            "auditID": "b",
            "stage": "ResponseComplete",
            "verdict": "alert",
            "archiving": ["archiving-rule.archiving"],
            "alerting": ["alerting-rule.ResourceChange", "alerting-rule.CreateNodeportService"],
            "alerts": [
                {
                    "rule": "alerting-rule.CreateNodeportService",
                    "priority": "WARNING",
                    "message": "mira create NodePort Service web in namespace shop.",
                }
            ],
            "errors": [],
            "undecided": [],
            "excepted": [],
            "pending": [],
        },
    ]


@pytest.mark.parametrize("shape", [shape for shape in Shape if shape is not Shape.SINGLE])
def test_events_come_in_any_body_shape(auditwire: Run, log: Path, tmp_path: Path, shape: Shape) -> None:
    shaped = tmp_path / "body"
    shaped.write_bytes(body(split(log.read_bytes()), shape))

    result = auditwire("rules", "eval", "--rules", RULES, "--events", shaped)

    assert [line["verdict"] for line in lines(result.stdout)] == ["ignore", "alert"]


def test_events_come_from_standard_input(auditwire: Run, log: Path) -> None:
    result = auditwire("rules", "eval", "--rules", RULES, "--events", "-", stdin=log.read_bytes())

    assert [line["auditID"] for line in lines(result.stdout)] == ["a", "b"]


def test_a_bad_item_is_named_with_its_place_and_costs_no_neighbour(auditwire: Run, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(json.dumps(event()) + '\n{"auditID":"x"}\nno json\n' + json.dumps(NODE_PORT) + "\n")

    result = auditwire("rules", "eval", "--rules", RULES, "--events", path)

    assert result.exit_code == 1
    assert [line["auditID"] for line in lines(result.stdout)] == ["a", "b"]
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{path}:2: not an event: ")
    assert second.startswith(f"{path}:3: not an event: ")


def test_text_shows_who_did_what_and_ends_with_the_count(auditwire: Run, log: Path) -> None:
    result = auditwire("rules", "eval", "--rules", RULES, "--events", log, "--format", "text")

    matching = "alerting-rule.ResourceChange, alerting-rule.CreateNodeportService, archiving-rule.archiving"
    assert result.stdout.splitlines() == [
        "ignore   a ResponseComplete: nobody get : no rule",
        f"alert    b ResponseComplete: mira create services/shop/web: {matching}",
        "         WARNING alerting-rule.CreateNodeportService: mira create NodePort Service web in namespace shop.",
        "2 events: 1 ignore, 0 archive, 1 alert",
    ]


def test_text_of_strangers_cannot_steer_the_terminal(auditwire: Run, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(json.dumps(event(user={"username": "\x1b[2Jroot\nalert"})))

    result = auditwire("rules", "eval", "--rules", RULES, "--events", path, "--format", "text")

    assert r"\u001b[2Jroot\nalert get" in result.stdout


@pytest.mark.parametrize(
    ("settings", "sender", "verdict"),
    [
        ("k8sAuditingEnabled: false", None, "alert"),
        ("k8sAuditingEnabled: false", "kubernetes", "ignore"),
        ("k8sAuditingEnabled: false", "kubesphere", "alert"),
        ("auditLevel: None", None, "alert"),
        ("auditLevel: None", "kubesphere", "ignore"),
        ("auditLevel: None", "kubernetes", "alert"),
    ],
)
def test_settings_apply_to_the_sender_named(
    auditwire: Run, *, log: Path, tmp_path: Path, settings: str, sender: str | None, verdict: str
) -> None:
    enabled = "" if "k8s" in settings else "  k8sAuditingEnabled: true\n"
    (tmp_path / "webhook.yaml").write_text(
        "apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Webhook\nmetadata:\n  name: own\n"
        f"spec:\n  {settings}\n{enabled}"
    )
    given = ["--rules", RULES / "alerting-rule.yaml", "--rules", tmp_path / "webhook.yaml"]

    result = auditwire("rules", "eval", *given, "--events", log, *(["--sender", sender] if sender else []))

    assert lines(result.stdout)[1]["verdict"] == verdict


def test_rules_with_errors_decide_nothing(auditwire: Run, log: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text((RULES / "alerting-rule.yaml").read_text().replace("Verb in $", "Vreb in $"))

    result = auditwire("rules", "eval", "--rules", broken, "--events", log)

    assert result.exit_code == 1
    assert not result.stdout
    assert "error AW102: there is no field 'Vreb'" in result.stderr
    assert "auditwire: the rules have errors, so nothing was decided\n" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rules", "none", "--events", "-"], "auditwire: cannot read none: No such file or directory\n"),
        (["--rules", RULES, "--events", "none"], "auditwire: cannot read none: No such file or directory\n"),
        (["--events", "-"], "Missing option '--rules'"),
    ],
)
def test_a_wrong_call_exits_2(auditwire: Run, arguments: list[Any], message: str) -> None:
    result = auditwire("rules", "eval", *arguments)

    assert result.exit_code == 2
    assert message in result.stderr


def test_the_sample_traffic_sets_off_every_rule_of_kubesphere_that_alerts(auditwire: Run, tmp_path: Path) -> None:
    from auditwire.rules import load_rule_set

    path = tmp_path / "sample.jsonl"
    deliveries = story(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    items = [item for each in deliveries if not each.body.startswith(b"<") for item in split(each.body)]
    path.write_bytes(body(items, Shape.JSONL))

    result = auditwire("rules", "eval", "--rules", RULES, "--events", path)

    decided = lines(result.stdout)
    rules = load_rule_set([RULES])
    threshold = rules.settings.alerting_priority.rank
    old = [rule for rule in rules.alerting if rule.document == "alerting-rule"]
    expected = {rule.qualified for rule in old if rule.priority.rank >= threshold}
    assert {alert["rule"] for line in decided for alert in line["alerts"]} >= expected
    assert {line["verdict"] for line in decided} == {"ignore", "archive", "alert"}
    assert result.stderr.count("not an event") == 1


NO_DELETES = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, verbs: [create]}
- {level: Metadata, omitStages: [Panic]}
"""


def test_a_policy_is_applied_before_the_rules_and_takes_the_place_of_theirs(
    auditwire: Run, log: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(NO_DELETES)
    log.write_text("".join(json.dumps(each) + "\n" for each in (NODE_PORT, event(verb="delete"), event(stage="Panic"))))
    words = ("rules", "eval", "--rules", RULES, "--policy", policy, "--events", log)

    assert [line["verdict"] for line in lines(auditwire(*words).stdout)] == ["ignore", "archive", "ignore"]
    text = auditwire(*words, "--format", "text").stdout.splitlines()
    assert text[0].endswith(": the policy leaves it out")
    assert text[2].endswith(": the policy leaves this stage out")


def test_a_policy_with_errors_decides_nothing(auditwire: Run, log: Path, tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(NO_DELETES.replace("None", "Nothing"))

    result = auditwire("rules", "eval", "--rules", RULES, "--policy", policy, "--events", log)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "p.yaml:5:11: error AW305" in result.stderr
    assert "the policy has errors, so nothing was decided" in result.stderr
