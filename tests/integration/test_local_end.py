"""Where the road ends: alerts that nobody takes, a system that is told to stop, rules with an error."""

import json
from pathlib import Path
from typing import Any

from auditwire_local import LocalSystem, Options
from auditwire_local.receiver import AlertReceiver
from local_road import body_of, exec_event, post
from waiting import until


def test_an_alert_that_no_alertmanager_takes_goes_to_the_dead_letters_at_last() -> None:
    nobody = "http://127.0.0.1:9"
    options = Options(visibility_timeout=1, drain_seconds=1)
    with LocalSystem.start(alertmanagers=[nobody], options=options) as system:
        sqs = system.client("sqs")
        dead_letters = system.resource("DeadLetterQueue").attributes["Arn"]
        sqs.set_queue_attributes(
            QueueUrl=system.outputs["AlertsQueueUrl"],
            Attributes={
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_letters, "maxReceiveCount": 2}),
            },
        )
        assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential) == (200, b"")

        dead: list[dict[str, Any]] = []

        def arrived() -> bool:
            answer = sqs.receive_message(QueueUrl=system.outputs["DeadLetterQueueUrl"])
            dead.extend(answer.get("Messages", []))
            return bool(dead)

        until(arrived)
        assert json.loads(dead[0]["Body"])["labels"]["name"] == "web-1"
        status = system.status()
        assert (status.delivered, status.undelivered) == (0, 2)
        assert list(status.peers) == [nobody]


def test_the_end_answers_and_delivers_what_has_come_in() -> None:
    receiver = AlertReceiver()
    receiver.start()
    try:
        with LocalSystem.start(alertmanagers=[receiver.url]) as system:
            for number in range(5):
                assert post(system, body_of(exec_event(number)), system.clusters["demo"].credential)[0] == 200
            assert system.stop() == 0
        assert sorted(alert["labels"]["name"] for alert in receiver.active()) == [f"web-{n}" for n in range(5)]
    finally:
        receiver.stop()


def test_what_nobody_takes_is_counted_at_the_end() -> None:
    system = LocalSystem.start(alertmanagers=["http://127.0.0.1:9"], options=Options(drain_seconds=1))
    assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential)[0] == 200

    assert system.stop() == 1


def test_rule_documents_with_an_error_do_not_stop_the_road(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("apiVersion: auditing.kubesphere.io/v1alpha1\nkind: Rule\nspec: {rules: 5}\n")
    with LocalSystem.start(rules=tmp_path) as system:
        assert post(system, body_of(exec_event(1)), system.clusters["demo"].credential) == (200, b"")

        status = system.status()
        assert (status.archived, status.alerted) == (1, 1)
        assert any("broken.yaml" in line for line in system.logs("compile_rules"))
