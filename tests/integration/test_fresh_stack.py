"""A fresh stack without rules and without AlertmanagerUrls; documents come, and the bundle made of them is lost."""

from pathlib import Path

from alertmanagers import Fake, alertmanager
from auditwire.rules import rule_files
from auditwire_local import LocalSystem, Options
from local_road import body_of, exec_event, post
from waiting import until

RULES = Path(__file__).parents[2] / "rules"


def says(system: LocalSystem, function: str, words: str) -> bool:
    return any(words in line for line in system.logs(function))


def told(system: LocalSystem, function: str) -> int:
    """How many calls have ended with their line in the log."""
    return sum('"verdict"' in line for line in system.logs(function))


def bundles(system: LocalSystem) -> list[str]:
    listed = system.client("s3").list_objects_v2(Bucket=system.outputs["RulesBucket"], Prefix="bundles/")
    return [found["Key"] for found in listed.get("Contents", [])]


def has(peer: Fake, number: int) -> bool:
    """Whether it has the alert about this event."""
    return any(alert["labels"].get("name") == f"web-{number}" for alerts in peer.posts for alert in alerts)


def restart(system: LocalSystem, function: str) -> None:
    """Its next call meets a new environment, which has no rules yet."""
    system.function(function).reconfigure(system.function(function).configuration)


def test_nothing_is_lost_without_rules_without_addresses_or_without_the_bundle(tmp_path: Path) -> None:
    parameters = {"AlertmanagerUrls": "", "RulesPollSeconds": "1", "SealKeyArn": "none"}
    options = Options(parameters=parameters, schedules=False, visibility_timeout=1)
    with alertmanager() as peer, LocalSystem.start(rules=tmp_path, options=options) as system:
        s3, bucket = system.client("s3"), system.outputs["RulesBucket"]
        demo = system.clusters["demo"].credential
        # By the rules that every function brings with it; nothing says yet where alerts go.
        assert post(system, body_of(exec_event(1)), demo)[0] == 200
        until(lambda: says(system, "relay", "it is not known to which Alertmanagers alerts go"))
        assert not has(peer, 1)

        looks = told(system, "compile_rules")
        receivers = f"  receivers:\n  - {{name: am, type: alertmanager, config: {{url: '{peer.url}'}}}}\n"
        uploads = list(rule_files(RULES))
        for path in uploads:
            more = receivers if path.name == "webhook.yaml" else ""
            s3.put_object(Bucket=bucket, Key=f"rules/{path.relative_to(RULES)}", Body=path.read_text() + more)
        until(lambda: has(peer, 1))

        # Each upload makes it look once more, and a look makes the bundle anew.
        until(lambda: told(system, "compile_rules") >= looks + len(uploads))
        in_force = max(bundles(system))
        for key in bundles(system):
            s3.delete_object(Bucket=bucket, Key=key)
        for function in ("ingest", "relay"):
            restart(system, function)
        assert post(system, body_of(exec_event(2)), demo)[0] == 200
        assert says(system, "ingest", "which is not there")
        until(lambda: says(system, "relay", "which is not there"))
        assert system.function("watch").invoke({})["stale"] == 1
        # Its next look makes it anew.
        system.function("compile_rules").invoke({})
        assert in_force in bundles(system)
        until(lambda: has(peer, 2))
