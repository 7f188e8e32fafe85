import gzip
import json
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from waiting import HANG_SECONDS, until

Run = Callable[..., Any]
TOKEN = "kQ7-not-a-real-credential"


def event(audit_id: object) -> dict[str, str]:
    return {"level": "Metadata", "auditID": str(audit_id), "stage": "ResponseComplete", "verb": "get"}


def events(count: int) -> list[dict[str, str]]:
    return [event(number) for number in range(count)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit.log"
    path.write_text("".join(json.dumps(event) + "\n" for event in events(5)))
    return path


@pytest.fixture
def state(tmp_path: Path, receiver: Any) -> Path:
    path = tmp_path / "dev.json"
    clusters = {
        "demo": {"credential": TOKEN, "sender": "kubernetes"},
        "demo-ks": {"credential": "ks-" + TOKEN, "sender": "kubesphere"},
    }
    path.write_text(json.dumps({"url": receiver.url, "ca_file": None, "clusters": clusters}))
    return path


def test_events_go_out_in_batches_as_an_apiserver_sends_them(
    auditwire: Run, log: Path, state: Path, receiver: Any
) -> None:
    result = auditwire("send", log, "--state", state, "--batch-size", 2, "--concurrency", 1)

    assert result.exit_code == 0
    assert [json.loads(body)["items"] for body in receiver.bodies] == [
        events(5)[:2],
        events(5)[2:4],
        events(5)[4:],
    ]
    first = receiver.requests[0]
    assert first.path == "/audit/webhook/event"
    assert first.headers["authorization"] == f"Bearer {TOKEN}"
    assert first.headers["content-type"] == "application/json"
    assert len({request.connection for request in receiver.requests}) == 1, "the connection is kept"


def test_totals_for_people(auditwire: Run, log: Path, state: Path, receiver: Any) -> None:
    result = auditwire("send", log, "--state", state)

    assert result.stdout.startswith(f"5 of 5 events delivered to {receiver.url} (1 body, ")
    assert result.stdout.endswith("answers: 200 (1 body)\n")


def test_totals_for_scripts(auditwire: Run, log: Path, state: Path, receiver: Any) -> None:
    receiver.answers = [413]

    result = auditwire("send", log, "--state", state, "--batch-size", 3, "--concurrency", 1, "--format", "json")

    totals = json.loads(result.stdout)
    assert result.exit_code == 1
    assert totals.pop("seconds") >= 0
    assert totals == {
        "url": receiver.url,
        "cluster": "demo",
        "events": 5,
        "delivered": 2,
        "not_events": {},
        "skipped": {},
        "bodies": 2,
        "bytes": sum(map(len, receiver.bodies)),
        "answers": {"413": 1, "200": 1},
        "stopped": False,
        "failures": [
            {
                "place": f"{log}:1-3",
                "items": 3,
                "status": 413,
                "reason": "Request Entity Too Large",
                "attempts": 1,
            }
        ],
    }


@pytest.mark.parametrize(
    ("shape", "cluster"),
    [("event-list", ""), ("array", ""), ("jsonl", ""), ("ks3", "ks-"), ("ks4", "ks-")],
)
def test_every_shape_goes_out_as_the_cluster_that_sends_it(
    auditwire: Run, *, log: Path, state: Path, receiver: Any, shape: str, cluster: str
) -> None:
    from auditwire_cli.send.audit_log import split

    result = auditwire("send", log, "--state", state, "--shape", shape)

    assert result.exit_code == 0
    (request,) = receiver.requests
    assert request.headers["authorization"] == f"Bearer {cluster}{TOKEN}"
    items = [json.loads(item) for item in split(request.body)]
    assert [item.get("auditID") or item["AuditID"] for item in items] == ["0", "1", "2", "3", "4"]


def test_a_script_that_gives_the_shape_as_format_goes_on_working(
    auditwire: Run, log: Path, state: Path, receiver: Any
) -> None:
    result = auditwire("send", log, "--state", state, "--format", "ks3")

    assert result.exit_code == 0
    assert result.stderr == "auditwire: write --shape ks3; --format ks3 is its old name\n"
    assert all(body.startswith(b'{"Items":[') for body in receiver.bodies)


def test_a_script_that_gives_the_format_as_output_goes_on_working(auditwire: Run, log: Path, state: Path) -> None:
    assert json.loads(auditwire("send", log, "--state", state, "--output", "json").stdout)["delivered"] == 5


def test_a_format_that_does_not_exist_is_refused(auditwire: Run, log: Path, state: Path) -> None:
    result = auditwire("send", log, "--state", state, "--format", "yaml")

    assert result.exit_code == 2
    assert result.stderr == "auditwire: there is no format 'yaml'\n  hint: give one of text, json\n"


def test_single_sends_one_event_a_body(auditwire: Run, log: Path, state: Path, receiver: Any) -> None:
    auditwire("send", log, "--state", state, "--shape", "single")

    assert sorted(map(json.loads, receiver.bodies), key=lambda event: event["auditID"]) == events(5)


def test_a_gzip_body_has_a_type_that_api_gateway_leaves_alone(
    auditwire: Run, log: Path, state: Path, receiver: Any
) -> None:
    auditwire("send", log, "--state", state, "--gzip")

    (request,) = receiver.requests
    assert request.headers["content-type"] == "application/gzip"
    assert request.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(request.body))["items"] == events(5)


def test_standard_input_and_several_files(auditwire: Run, log: Path, state: Path, receiver: Any) -> None:
    result = auditwire("send", "-", log, "--state", state, stdin=json.dumps(event("x")) + "\n")

    assert result.exit_code == 0
    ids = [item["auditID"] for body in receiver.bodies for item in json.loads(body)["items"]]
    assert sorted(ids) == ["0", "1", "2", "3", "4", "x"]


@pytest.mark.parametrize("way", ["file", "environment"])
@pytest.mark.parametrize("auth", ["bearer", "basic", "path"])
def test_the_credential_travels_as_asked_and_is_never_shown(
    auditwire: Run, *, log: Path, tmp_path: Path, receiver: Any, way: str, auth: str
) -> None:
    secret = "a/b+" + TOKEN
    (tmp_path / "token").write_text(secret + "\n")
    given = ["--credential-file", tmp_path / "token"] if way == "file" else []
    environment = {"AUDITWIRE_CREDENTIAL": "" if way == "file" else secret}
    receiver.answers = [413]

    result = auditwire(
        "send", log, "--url", receiver.url + "/", "--auth", auth, "--cluster", "c1", *given, **environment
    )

    (request,) = receiver.requests
    match auth:
        case "bearer":
            assert request.headers["authorization"] == f"Bearer {secret}"
        case "basic":
            kind, _, pair = request.headers["authorization"].partition(" ")
            assert (kind, b64decode(pair).decode()) == ("Basic", f"c1:{secret}")
        case _:
            assert request.path == "/audit/webhook/event/a%2Fb%2B" + TOKEN
            assert "authorization" not in request.headers
    assert TOKEN not in result.stdout + result.stderr


def test_no_option_takes_a_credential_itself(auditwire: Run, log: Path) -> None:
    result = auditwire("send", log, "--url", "http://127.0.0.1:1", "--credential", TOKEN)

    assert result.exit_code == 2
    assert "--credential-file" in auditwire("send", "--help").stdout


def test_passing_failures_are_tried_again(auditwire: Run, log: Path, state: Path, receiver: Any) -> None:
    receiver.answers = [503]

    result = auditwire("send", log, "--state", state)

    assert result.exit_code == 0
    assert len(receiver.bodies) == 2
    assert receiver.bodies[0] == receiver.bodies[1], "a repeat is the same bytes"


def test_what_stays_undelivered_is_named_by_file_and_line(
    auditwire: Run, log: Path, state: Path, receiver: Any
) -> None:
    receiver.answers = [200, 500]

    result = auditwire("send", log, "--state", state, "--batch-size", 2, "--concurrency", 1, "--retries", 0)

    assert result.exit_code == 1
    assert f"not delivered: {log}:3-4 (2 items): answered 500 Internal Server Error\n" in result.stdout
    assert len(receiver.bodies) == 3, "the next body is sent all the same"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "the endpoint does not accept this credential; the rest was not read"),
        (301, "there is no auditwire endpoint at this URL; the rest was not read"),
        (404, "there is no auditwire endpoint at this URL; the rest was not read"),
    ],
)
def test_an_answer_that_condemns_the_run_ends_it(
    auditwire: Run, *, log: Path, state: Path, receiver: Any, status: int, sentence: str
) -> None:
    receiver.answers = [status] * 5

    result = auditwire("send", log, "--state", state, "--batch-size", 1, "--concurrency", 1)

    assert result.exit_code == 1
    assert f"stopped early: {sentence}\n" in result.stdout
    assert len(receiver.bodies) < 5
    assert {request.path for request in receiver.requests} == {"/audit/webhook/event"}, "nothing is followed"


def test_nobody_listening_is_said_in_words(auditwire: Run, log: Path) -> None:
    result = auditwire(*("send", log, "--url", "http://127.0.0.1:1", "--retries", 0), AUDITWIRE_CREDENTIAL=TOKEN)

    assert result.exit_code == 1
    assert "connection refused" in result.stdout
    assert "Traceback" not in result.stderr


def test_lines_that_are_no_json_go_by_themselves_and_are_named(
    auditwire: Run, tmp_path: Path, state: Path, receiver: Any
) -> None:
    lines = ["I1121 klog", '"of a cut line"}', *map(json.dumps, events(2)), '{"auditID":"cu', json.dumps(event(2))]
    path = tmp_path / "cut.log"
    path.write_text("\n".join(lines))

    result = auditwire("send", path, "--state", state, "--concurrency", 1)

    assert result.exit_code == 1
    assert [body.count(b"level") for body in receiver.bodies] == [0, 2, 0, 1]
    assert receiver.bodies[0].decode().split("\n") == lines[:2]
    assert receiver.bodies[2].decode() == lines[4]
    assert f"{path}:1: no audit event: " in result.stderr
    assert f"{path}:5: no audit event: " in result.stderr
    assert result.stdout.startswith("3 of 3 events delivered to ")
    assert "\nno audit events: 3 items (invalid_json " in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"name":"web","version":"1.0.0","scripts":{}}', "it has name, version, scripts (not_an_event)"),
        (b'[{"apiVersion":"v1","kind":"Event","type":"Normal"}]', "it has apiVersion, kind, type (not_an_event)"),
        (json.dumps(events(1)[0] | {"stage": ""}).encode(), "the event lacks stage (missing_field)"),
    ],
    ids=["package.json", "an event of the core group", "without a stage"],
)
def test_what_is_no_audit_event_is_not_called_delivered(
    auditwire: Run, *, tmp_path: Path, state: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)

    result = auditwire("send", path, "--state", state)

    assert result.exit_code == 1
    assert result.stdout.startswith("0 of 0 events delivered to ")
    assert "\nno audit events: 1 item (" in result.stdout
    assert result.stderr.startswith(f"{path}:1: no audit event: ")
    assert said in result.stderr


def test_a_file_without_any_audit_event_is_no_success(auditwire: Run, tmp_path: Path, state: Path) -> None:
    path = tmp_path / "trail.json"
    path.write_text('{"Records":[{"eventVersion":"1.08","eventName":"x"}]}')

    result = auditwire("send", path, "--state", state)

    assert result.exit_code == 1
    assert result.stdout.startswith("0 of 0 events delivered to ")
    assert "\nskipped: 1 item (" in result.stdout


@pytest.mark.parametrize(
    "wrapped",
    [
        "master-0.example {}",
        "2026-11-21T22:05:00.123456789Z stdout F {}",
        '{{"log":{0},"stream":"stdout","time":"2026-11-21T22:05:00.1Z"}}',
        '{{"time":"2026-11-21T22:05:00Z","category":"kube-audit","properties":{{"log":{0}}}}}',
    ],
    ids=["oc adm node-logs", "containerd", "docker", "AKS"],
)
def test_events_in_an_envelope_are_counted(auditwire: Run, *, tmp_path: Path, state: Path, wrapped: str) -> None:
    path = tmp_path / "wrapped.log"
    texts = [json.dumps(each) for each in events(3)]
    quoted = [json.dumps(text + "\n") if "{0}" in wrapped else text for text in texts]
    path.write_text("".join(wrapped.format(text) + "\n" for text in quoted))

    result = auditwire("send", path, "--state", state)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("3 of 3 events delivered to ")


def test_the_parts_of_a_line_stay_in_one_body(auditwire: Run, tmp_path: Path, state: Path, receiver: Any) -> None:
    text = json.dumps(event(0) | {"userAgent": "x" * 40_000})
    parts = [text[:16_384], text[16_384:32_768], text[32_768:]]
    time = "2026-11-21T22:05:00.1Z"
    path = tmp_path / "container.log"
    lines = [f"{time} stdout {'F' if part is parts[-1] else 'P'} {part}" for part in parts]
    docker = [{"log": part + ("\n" if part is parts[-1] else ""), "stream": "stdout", "time": time} for part in parts]
    path.write_text("\n".join([*lines, *map(json.dumps, docker)]) + "\n")

    result = auditwire("send", path, "--state", state, "--batch-size", 2)

    assert (result.exit_code, result.stderr, len(receiver.bodies)) == (0, "", 2)
    assert result.stdout.startswith("2 of 2 events delivered to ")


def test_no_body_is_over_the_bound_of_the_endpoint() -> None:
    from auditwire.events.bounds import MAX_INFLATED, MAX_ITEMS
    from auditwire_cli.send.delivery import MAX_BODY_BYTES
    from auditwire_cli.send.send import MAX_BATCH

    assert MAX_BATCH < MAX_ITEMS
    assert MAX_BODY_BYTES < MAX_INFLATED


def test_a_batch_is_cut_by_bytes_too(tmp_path: Path) -> None:
    from auditwire_cli.send.audit_log import open_audit_log
    from auditwire_cli.send.delivery import batches

    path = tmp_path / "audit.log"
    path.write_text("".join(f'{{"auditID":"{"x" * size}"}}\n' for size in (10, 10, 500, 10)))

    with open_audit_log(str(path)) as log:
        cut = [len(batch.items) for batch in batches(log, size=400, max_bytes=100)]

    assert cut == [2, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.log"], "auditwire: cannot read none.log: No such file or directory\n"),
        (["LOG", "--state", "none.json"], "auditwire: there is no state file none.json\n  hint: start"),
        (["LOG", "--state", "LOG"], " is not a state file of `auditwire dev`\n"),
        (["LOG", "--state", "STATE", "--cluster", "x"], "no cluster 'x'\n  hint: it has: demo, demo-ks\n"),
        (["LOG", "--state", "STATE", "--url", "http://127.0.0.1"], "--url and --state exclude each other\n"),
        (["LOG", "--url", "ftp://x"], "auditwire: this is not the URL of an endpoint: ftp://x\n"),
        (["LOG", "--url", "http://u:p@x"], "cannot have a query, a fragment or a user name\n"),
        (["LOG", "--url", "http://192.0.2.1"], "the credential would go to 192.0.2.1 over plain http"),
        (["LOG", "--url", "http://127.0.0.1"], "auditwire: no credential is given\n  hint: put it into a file"),
        (["LOG", "--url", "http://[::1]", "--auth", "basic"], "--auth basic needs --cluster"),
        (["LOG", "--url", "http://[::1]", "--credential-file", "none"], "cannot read the credential none"),
        (["LOG", "--url", "https://x", "--credential-file", "LOG"], "hint: it is one line of printable"),
        (["LOG", "--batch-size", "0"], "'--batch-size'"),
    ],
)
def test_a_wrong_call_gets_one_clear_sentence(
    auditwire: Run, *, log: Path, state: Path, receiver: Any, arguments: list[str], message: str
) -> None:
    named = {"LOG": log, "STATE": state}

    result = auditwire("send", *(named.get(word, word) for word in arguments), AUDITWIRE_CREDENTIAL="")

    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not receiver.requests


def test_ctrl_c_still_says_how_far_it_came(state: Path, receiver: Any) -> None:
    command = [
        str(Path(sys.executable).with_name("auditwire")),
        "send",
        "-",
        "--state",
        str(state),
        "--batch-size",
        "1",
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin
    process.stdin.write('{"auditID":"0"}\n' * 3)
    process.stdin.flush()

    def under_way() -> bool:
        assert process.stdin
        process.stdin.write('{"auditID":"0"}\n')
        process.stdin.flush()
        return bool(receiver.requests)

    until(under_way)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 130
    assert f" delivered to {receiver.url} (" in stdout
    assert "auditwire: interrupted; " in stderr
    assert "Traceback" not in stderr
