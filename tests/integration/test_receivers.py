"""A fresh stack without rules and without AlertmanagerUrls, until a document says where alerts go."""

from pathlib import Path

from alertmanagers import alertmanager
from auditwire_local import LocalSystem, Options
from local_road import body_of, exec_event, post, until

RULES = Path(__file__).parents[2] / "rules"


def test_alerts_wait_for_a_document_to_say_where_they_go(tmp_path: Path) -> None:
    parameters = {"AlertmanagerUrls": "", "RulesPollSeconds": "1"}
    options = Options(parameters=parameters, schedules=False, visibility_timeout=1)
    with alertmanager() as peer, LocalSystem.start(rules=tmp_path, options=options) as system:
        # By the rules that every function brings with it.
        assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential)[0] == 200
        until(lambda: any("no Alertmanager to deliver to" in line for line in system.logs("relay")))
        assert peer.taken == []

        receivers = f"  receivers:\n  - {{name: am, type: alertmanager, config: {{url: '{peer.url}'}}}}\n"
        for name, text in {"webhook.yaml": receivers, "alerting-rule.yaml": ""}.items():
            body = (RULES / name).read_text() + text
            system.client("s3").put_object(Bucket=system.outputs["RulesBucket"], Key=f"rules/{name}", Body=body)
        until(lambda: bool(peer.taken), 60)
