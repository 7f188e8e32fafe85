"""The commands that change rules, as their users call them, against a running local system."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from auditwire.bundles.rules_bucket import ACTIVE_KEY, MARKER_KEY, STATUS_KEY, S3RulesBucket, bundle_key, document_key
from auditwire.bundles.rules_state import Status
from auditwire_cli.main import app
from auditwire_cli.rules.upload import documents_in
from dev_process import AUDITWIRE
from waiting import HANG_SECONDS, until

ENVIRONMENT = {**os.environ, "PYTHONWARNINGS": "ignore"}
WEBHOOK = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Webhook
metadata: {name: kube-auditing-webhook}
spec:
  k8sAuditingEnabled: true
  auditSinkPolicy: {archivingRuleSelector: {matchLabels: {type: alerting}}}
"""
RULE = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata:
  name: own
  labels: {type: alerting}
spec:
  rules:
  - name: Reads
    type: rule
    desc: Somebody reads
    condition: Verb in ("get", "list")
    priority: WARNING
"""


class Desk:
    """Somebody at a terminal: a folder with rules, and a stack to publish them to."""

    def __init__(self, state: Path) -> None:
        self.rules = Path("rules")
        self.state = state
        running = json.loads(state.read_text())
        s3 = boto3.client(
            "s3",
            endpoint_url=running["aws_endpoint_url"],
            region_name=running["region"],
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        self.bucket = S3RulesBucket(s3, running["outputs"]["RulesBucket"])
        self.rules.mkdir()
        self.write(RULE)
        (self.rules / "webhook.yaml").write_text(WEBHOOK)

    def write(self, text: str, name: str = "own.yaml") -> None:
        path = self.rules / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: object) -> Any:
        words = ["rules", *map(str, arguments), "--state", str(self.state)]
        return CliRunner().invoke(app, words, catch_exceptions=False)

    def done(self, *arguments: object) -> str:
        """What a command prints that must succeed."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def active(self) -> str:
        stored = self.bucket.read(ACTIVE_KEY)
        return str(json.loads(stored.data)["digest"]) if stored else ""

    def looked_at(self) -> datetime:
        """When the documents were last looked at."""
        stored = self.bucket.read(STATUS_KEY)
        assert stored is not None
        return Status.decode(stored.data).time

    def status(self) -> Any:
        return json.loads(self.run("status", "--format", "json").stdout)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state file of a system in a process of its own: what its functions print is not the commands' output."""
    folder = tmp_path_factory.mktemp("system")
    state = folder / ".auditwire/dev.json"
    with subprocess.Popen([*AUDITWIRE, "dev"], cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:

        def is_ready() -> bool:
            assert process.poll() is None
            return state.exists()

        try:
            until(is_ready)
            yield state
        finally:
            process.terminate()
            assert process.wait(timeout=HANG_SECONDS) == 0


@pytest.fixture
def desk(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(state)


@pytest.fixture
def published(desk: Desk) -> Desk:
    desk.done("publish", "rules")
    return desk


def test_documents_come_into_force_and_whoever_sent_them_is_told(desk: Desk) -> None:
    stdout = desk.done("publish", "rules")

    assert stdout.startswith("2 files, 1 rule, 0 macros, 0 lists, 0 aliases: no findings\n")
    assert "+ own.Reads\n    used for: archiving and alerting\n    priority: WARNING\n" in stdout
    assert f"\nin force: {desk.active()[:12]}, " in stdout
    assert {path: data.decode() for path, data in documents_in(desk.bucket).items()} == {
        "own.yaml": RULE,
        "webhook.yaml": WEBHOOK,
    }
    assert desk.bucket.read(MARKER_KEY) is None
    assert "nothing to do: these documents are already in force" in desk.done("publish", "rules")


def test_errors_are_found_before_anything_is_sent(published: Desk) -> None:
    before = documents_in(published.bucket)
    published.write(RULE.replace("Verb in", "Vreb in"))

    result = published.run("publish", "rules")

    assert result.exit_code == 1
    assert result.stdout.startswith("rules/own.yaml:11:16: error AW102: there is no field 'Vreb' in an audit event\n")
    assert documents_in(published.bucket) == before


def test_strict_sends_no_warnings(published: Desk) -> None:
    published.write(RULE.replace("    priority: WARNING\n", ""))

    assert published.run("publish", "rules", "--strict").exit_code == 1
    assert published.run("publish", "rules").exit_code == 0


def test_a_dry_run_shows_what_would_change_and_sends_nothing(published: Desk) -> None:
    before, active = documents_in(published.bucket), published.active()
    published.write(RULE.replace('"list"', '"watch"'))
    published.write(RULE.replace("name: own", "name: more"), "team/more.yml")
    (published.rules / "webhook.yaml").unlink()

    stdout = published.done("publish", "rules", "--dry-run")

    assert "~ changed  own.yaml\n+ new      team/more.yml\n- deleted  webhook.yaml\n" in stdout
    assert 'condition: Verb in ("get", "list") → Verb in ("get", "watch")\n' in stdout
    assert stdout.endswith("1 rule added, 1 changed; settings changed\n")
    assert (documents_in(published.bucket), published.active()) == (before, active)


def test_what_the_folder_does_not_have_is_deleted_or_kept(published: Desk) -> None:
    (published.rules / "webhook.yaml").unlink()
    published.write(RULE.replace("WARNING", "INFO"))

    kept = published.done("publish", "rules", "--keep")
    assert "  kept     webhook.yaml\n" in kept
    assert sorted(documents_in(published.bucket)) == ["own.yaml", "webhook.yaml"]

    assert "- deleted  webhook.yaml\n" in published.done("publish", "rules")
    assert sorted(documents_in(published.bucket)) == ["own.yaml"]


def test_kept_documents_are_checked_with_the_new_ones(published: Desk) -> None:
    (published.rules / "own.yaml").unlink()
    published.write(RULE.replace("Reads", "Others"), "same-name.yaml")

    result = published.run("publish", "rules", "--keep")

    assert result.exit_code == 1
    assert "error AW207: the document name own is used twice" in result.stdout
    assert "(in the bucket) own.yaml:" in result.stdout


def test_a_refusal_there_shows_the_report_and_what_stays(published: Desk) -> None:
    active = published.active()
    published.bucket.write("rules/own.yaml", RULE.replace("Verb in", "Vreb in").encode())
    until(lambda: published.status()["verdict"]["verdict"] == "refused")

    result = published.run("status")

    assert result.exit_code == 1
    assert f"in force    {active[:12]} since " in result.stdout
    assert ": refused, so not in force\n" in result.stdout
    assert "own.yaml:11:16: error AW102: there is no field 'Vreb' in an audit event\n" in result.stdout
    assert '    condition: Vreb in ("get", "list")\n' in result.stdout
    published.done("publish", "rules")


def test_status_is_json_for_scripts(published: Desk) -> None:
    status = published.status()

    assert status["active"]["digest"] == status["verdict"]["digest"] == status["documents"]["digest"]
    assert (status["active"]["archiving"], status["active"]["alerting"]) == (1, 1)
    assert (status["verdict"]["verdict"], status["verdict"]["diagnostics"]) == ("accepted", [])
    assert (status["documents"]["count"], status["documents"]["in_force"]) == (2, True)
    assert status["publishing"] is None


def test_status_names_a_marker_and_documents_nobody_has_looked_at(published: Desk) -> None:
    published.bucket.write(MARKER_KEY, b"")
    published.bucket.write("rules/own.yaml", RULE.replace("WARNING", "INFO").encode())

    result = published.run("status")
    busy = published.run("publish", "rules")
    published.bucket.delete(MARKER_KEY)

    assert result.exit_code == 1
    assert ": not compiled yet, so not in force\n" in result.stdout
    assert "publishing  somebody has been publishing for " in result.stdout
    assert busy.exit_code == 1
    assert "auditwire: somebody else has been publishing for " in busy.stderr
    published.done("publish", "rules")


def test_status_goes_on_without_a_bundle(published: Desk) -> None:
    key = bundle_key(published.active())
    stored = published.bucket.read(key)
    assert stored is not None
    published.bucket.delete(key)

    text, status = published.run("status"), published.status()
    published.bucket.write(key, stored.data)

    assert "its bundle cannot be read" in text.stdout
    assert status["active"]["alerting"] is None


def test_rollback_goes_to_what_was_in_force_before(published: Desk) -> None:
    first = published.active()
    published.write(RULE.replace("WARNING", "INFO"))
    published.write(RULE.replace("name: own", "name: more"), "more.yaml")
    published.done("publish", "rules")
    second = published.active()
    assert second != first

    shown = published.done("rollback", "--dry-run")
    assert published.active() == second
    stdout = published.done("rollback")

    assert shown.startswith(f"back to {first[:12]}\n~ changed  own.yaml\n- deleted  more.yaml\n- more.Reads\n")
    assert "~ own.Reads\n    priority: INFO → WARNING\n" in stdout
    assert published.active() == first
    assert documents_in(published.bucket)["own.yaml"].decode() == RULE
    published.done("rollback", second[:10])
    assert published.active() == second


def test_rollback_to_what_never_was(published: Desk) -> None:
    result = published.run("rollback", "00000000")

    assert result.exit_code == 2
    assert "auditwire: no bundle begins with 00000000\n  hint: there are " in result.stderr


def test_pull_writes_what_is_in_force_and_never_over_what_differs(published: Desk) -> None:
    assert published.done("pull", "copy") == (
        "+ new      copy/own.yaml\n+ new      copy/webhook.yaml\n2 documents in copy\n"
    )
    assert Path("copy/own.yaml").read_text() == RULE
    assert published.done("pull", "copy") == "2 documents in copy\n"

    Path("copy/own.yaml").write_text("# mine\n")
    Path("copy/webhook.yaml").unlink()
    Path("copy/extra.yaml").write_text("# mine too\n")
    result = published.run("pull", "copy")
    assert result.exit_code == 1
    assert result.stderr.startswith("auditwire: copy/own.yaml would be overwritten, so nothing was written\n")
    assert not Path("copy/webhook.yaml").exists()

    assert published.done("pull", "copy", "--force") == (
        "~ changed  copy/own.yaml\n+ new      copy/webhook.yaml\n  not in the bundle: copy/extra.yaml\n"
        "2 documents in copy\n"
    )


def test_pull_takes_an_earlier_bundle_too(published: Desk) -> None:
    first = published.active()
    published.write(RULE.replace("WARNING", "INFO"))
    published.done("publish", "rules")

    published.done("pull", "before", "--digest", first[:8])

    assert Path("before/own.yaml").read_text() == RULE


def test_diff_compares_folders_and_bundles(published: Desk) -> None:
    first = published.active()
    assert published.run("diff", "active", "rules").stdout == "no difference\n"
    published.write(RULE.replace("WARNING", "INFO"))

    changed = published.run("diff", "active", "rules")
    assert changed.exit_code == 1
    assert changed.stdout == "~ own.Reads\n    priority: WARNING → INFO\n1 rule changed\n"
    published.done("publish", "rules")
    back = published.run("diff", "active", first[:9], "--format", "json")
    assert back.exit_code == 1
    assert json.loads(back.stdout) == {
        "rules": [
            {"rule": "own.Reads", "kind": "changed", "through": [],
             "changes": [{"what": "priority", "before": "INFO", "after": "WARNING"}]}
        ],
        "settings": [],
        "policy": [],
        "exceptions": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (["rules", "missing/folder"], "auditwire: cannot read missing/folder: No such file or directory\n"),
        (["rules", "broken.yaml"], "auditwire: the rules of broken.yaml have errors, so they cannot be compared\n"),
        (["rules", "cafe0000"], "auditwire: no bundle begins with cafe0000\n"),
        (["word", "rules"], "auditwire: word is neither a folder of rule documents nor the digest of a bundle\n"),
    ],
)
def test_a_side_that_cannot_be_read_is_no_difference(published: Desk, sides: list[str], message: str) -> None:
    Path("broken.yaml").write_text(RULE.replace("Verb in", "Vreb in"))

    result = published.run("diff", *sides)

    assert result.exit_code == 2
    assert result.stderr.startswith(message)


def test_two_folders_need_no_stack(desk: Desk) -> None:
    result = CliRunner().invoke(app, ["rules", "diff", "rules", "./rules"], catch_exceptions=False)

    assert result.exit_code == 0
    assert result.stdout == "no difference\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["publish", "missing"],
            "auditwire: missing is not a folder of rule documents\n  hint: give the folder that has all of them\n",
        ),
        (
            ["publish", "empty"],
            "auditwire: there are no rule documents in empty\n  hint: their names end in .yaml or .yml\n",
        ),
    ],
)
def test_a_folder_without_documents_is_never_published(published: Desk, arguments: list[str], message: str) -> None:
    Path("empty").mkdir()

    result = published.run(*arguments)

    assert (result.exit_code, result.stderr) == (2, message)


def test_a_hostile_bundle_writes_nothing_outside(published: Desk) -> None:
    from auditwire.rules import Source, load_sources
    from auditwire.rules.bundle import encode_bundle

    sources = [Source("../../escaped.yaml", RULE)]
    rule_set = load_sources(sources).rule_set
    assert rule_set is not None
    published.bucket.write(bundle_key(rule_set.digest), encode_bundle(rule_set, sources))

    result = published.run("pull", "copy", "--digest", rule_set.digest)
    published.bucket.delete(bundle_key(rule_set.digest))

    assert result.exit_code == 1
    assert (
        "auditwire: the bundle has a document called '../../escaped.yaml', which cannot be written\n" in result.stderr
    )
    assert not Path("copy").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted_while_sending_nothing_has_changed(published: Desk, number: signal.Signals) -> None:
    before, active = documents_in(published.bucket), published.active()
    for count in range(150):
        published.write(RULE.replace("name: own", f"name: own-{count}"), f"many/{count}.yaml")
    command = [*AUDITWIRE, "rules", "publish", "rules", "--state", str(published.state)]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def under_way() -> bool:
        assert process.poll() is None, process.communicate()
        return len(published.bucket.entries("rules/many/")) > 3

    until(under_way)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode == 130, stderr
    assert stderr.endswith("interrupted: the documents are as they were before\n")
    assert documents_in(published.bucket) == before
    assert published.bucket.read(MARKER_KEY) is None
    # Written as it is, so that the documents are looked at once more, after everything before.
    moment = datetime.now(UTC)
    published.bucket.write(document_key("own.yaml"), before["own.yaml"])
    until(lambda: published.looked_at() >= moment)
    assert published.active() == active


def sent(desk: Desk, user: str) -> None:
    """One event a second old, read by this user, which is in the archive when this returns."""
    event = {
        "level": "Metadata", "auditID": user, "stage": "ResponseComplete", "verb": "get", "user": {"username": user},
        "stageTimestamp": datetime.now(UTC).isoformat(), "objectRef": {"resource": "pods", "namespace": "shop"},
    }  # fmt: skip
    Path("audit.log").write_text(json.dumps(event) + "\n")
    result = CliRunner().invoke(app, ["send", "audit.log", "--state", str(desk.state)], catch_exceptions=False)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("words", "answer", "code"), [([], "n", 1), ([], "y", 0), (["--yes"], "", 0), (["--keep"], "", 0)]
)
def test_on_a_terminal_documents_are_deleted_only_when_somebody_says_so(
    published: Desk, words: list[str], answer: str, code: int
) -> None:
    published.write(RULE.replace("name: own", "name: another"), "another.yaml")
    published.done("publish", "rules")
    active = published.active()
    (published.rules / "another.yaml").unlink()
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())

    command = [*AUDITWIRE, "rules", "publish", "rules", "--state", str(published.state), *words]
    done = subprocess.run(
        command, env=ENVIRONMENT, stdin=theirs, capture_output=True, text=True, timeout=HANG_SECONDS, check=False
    )

    os.close(theirs)
    os.close(ours)
    assert done.returncode == code, done.stderr
    assert ("delete 1 document that rules does not have? --keep keeps them" in done.stderr) is bool(answer)
    assert (published.active() == active) is (answer == "n" or words == ["--keep"])


def test_a_script_is_told_what_is_deleted(published: Desk) -> None:
    published.write(RULE.replace("name: own", "name: another"), "another.yaml")
    published.done("publish", "rules")
    (published.rules / "another.yaml").unlink()

    done = published.run("publish", "rules")

    assert done.exit_code == 0
    assert "deleting 1 document that rules does not have; --keep keeps them\n" in done.stderr


def test_the_archive_is_replayed_before_rules_are_published(published: Desk) -> None:
    sent(published, "replayed-by-hand")
    published.write(RULE.replace("Reads", "Looks"))
    active = published.active()

    report = json.loads(published.done("replay", "--archive", "--since", "1h", "--new", "rules", "--format", "json"))
    asked = published.run("publish", "rules", "--replay", "1h")

    rows = {row["rule"]: row for row in report["rules"]}
    assert report["old"]["digest"] == active
    assert rows["own.Looks"]["gained"] == rows["own.Reads"]["lost"] >= 1
    assert rows["own.Reads"]["recorded"] == rows["own.Reads"]["repeated"] >= 1
    assert "own.Looks" in asked.stdout
    assert (asked.exit_code, published.active()) == (2, active)
    assert "nobody can answer: bring these rules into force?" in asked.output

    assert "in force: " in published.done("publish", "rules", "--replay", "1h", "--yes")
    assert published.active() == report["new"]["digest"]


def test_an_empty_archive_is_no_reason_not_to_publish(published: Desk) -> None:
    published.write(RULE.replace("Reads", "Sees"))

    assert "there are no events to replay" in published.done("publish", "rules", "--replay", "2999-01-01", "--dry-run")
