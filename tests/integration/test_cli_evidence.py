"""seal, verify, receipt and public-key on a running local system, and on a copy of its archive."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from auditwire_cli.main import app
from dev_process import Dev, dev
from local_road import body_of, exec_event


class Desk:
    """Somebody at a terminal with a running system; and somebody without AWS, who has a copy and the public key."""

    def __init__(self, system: Dev, folder: Path) -> None:
        self.system, self.folder = system, folder
        self.key = folder / "seal.pem"

    def copy(self) -> Path:
        """The archive bucket as files, and the key beside them."""
        s3, bucket, target = self.system.client("s3"), self.system.outputs["ArchiveBucket"], self.folder / "copy"
        shutil.rmtree(target, ignore_errors=True)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for each in page["Contents"]:
                path = target / each["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read())
        self.key.write_text(self.system.run("public-key").stdout, encoding="utf-8")
        return target

    def alone(self, *words: object) -> Any:
        """Runs a command without AWS."""
        return CliRunner().invoke(app, [*map(str, words), "--key", str(self.key)], catch_exceptions=False)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with dev(tmp_path_factory.mktemp("dev")) as system:
        system.send(body_of(exec_event(1), exec_event(2)))
        system.send(body_of(exec_event(3)), "demo-ks")
        yield Desk(system, tmp_path_factory.mktemp("elsewhere"))


def test_what_was_sent_is_sealed_at_once_and_verifies(desk: Desk) -> None:
    before = desk.system.run("verify")
    assert (before.exit_code, before.stdout.splitlines()[-1]) == (
        3,
        "incomplete: 0 seals; 2 objects (2 pending)",
    )

    sealed = desk.system.json("seal")

    assert [(one["cluster"], one["number"], one["objects"], one["events"]) for one in sealed] == [
        ("demo", 0, 1, 2),
        ("demo-ks", 0, 1, 1),
    ]
    after = desk.system.run("verify")
    assert after.exit_code == 0
    heads = [f"head           {one['cluster']}:{one['number']}:{one['sha256']}" for one in sealed]
    assert after.stdout.splitlines() == [*heads, "intact: 2 seals (2 valid); 2 objects (2 valid)"]
    assert desk.system.run("verify", "--quick").exit_code == 0
    head = f"{sealed[0]['number']}:{sealed[0]['sha256']}"
    assert desk.system.run("verify", "--cluster", "demo", "--head", head).exit_code == 0
    assert desk.system.run("verify", "--cluster", "demo", "--head", f"0:{'0' * 64}").exit_code == 1
    assert desk.system.run("verify", "--cluster", "demo", "--head", f"7:{'0' * 64}").exit_code == 1


def test_json_has_everything(desk: Desk) -> None:
    desk.system.run("seal")

    said = desk.system.json("verify", "--cluster", "demo")

    assert said["verdict"] == "intact"
    assert {(one["cluster"], one["state"]) for one in said["seals"]} == {("demo", "valid")}
    assert [one["number"] for one in said["seals"]] == list(range(len(said["seals"])))
    assert [one["state"] for one in said["objects"]] == ["valid"]
    assert [one["state"] for one in said["spans"]] == ["before_first", "sealed"]
    assert said["heads"][0]["cluster"] == "demo"


def test_a_copy_is_verified_without_aws(desk: Desk) -> None:
    desk.system.run("seal")
    copy = desk.copy()

    assert desk.alone("verify", "--folder", copy).exit_code == 0

    changed, *_ = (copy / "events" / "cluster=demo").rglob("*.gz")
    changed.write_bytes(changed.read_bytes()[:-1])
    said = desk.alone("verify", "--folder", copy)
    assert said.exit_code == 1
    assert said.stdout.startswith(f"changed        {changed.relative_to(copy)}: it can no longer be read (truncated)")
    assert "It held 2 events, from 2026-11-21T22:05:00.100000Z to 2026-11-21T22:05:00.100000Z" in said.stdout
    found = json.loads(desk.alone("verify", "--folder", copy, "--format", "json").stdout)
    assert found["verdict"] == "tampered"
    assert {"key": str(changed.relative_to(copy)), "state": "changed"}.items() <= found["objects"][0].items()


def test_an_extra_file_in_a_copy_is_unsealed_and_a_new_one_pending(desk: Desk) -> None:
    desk.system.run("seal")
    copy = desk.copy()
    one, *_ = (copy / "events" / "cluster=demo").rglob("*.gz")
    one.with_name(one.name.replace(one.name[-20:-9], "0" * 11)).write_bytes(b"no gzip")
    desk.system.send(body_of(exec_event(20, stageTimestamp="2026-11-21T23:05:00.000000Z")))

    said = json.loads(desk.alone("verify", "--folder", copy, "--format", "json").stdout)
    assert sorted(each["state"] for each in said["objects"]) == ["unsealed", "valid", "valid"]
    newer = json.loads(desk.alone("verify", "--folder", desk.copy(), "--format", "json").stdout)
    assert sorted(each["state"] for each in newer["objects"]) == ["pending", "valid", "valid"]
    assert newer["verdict"] == "incomplete"


def test_a_receipt_proves_its_event_and_no_other(desk: Desk) -> None:
    desk.system.run("seal")
    audit_id = exec_event(1)["auditID"]

    made = desk.system.run("receipt", audit_id, "--from", "2026-11-01")
    (receipt,) = made.stdout.splitlines()
    assert exec_event(2)["auditID"] not in receipt
    path = desk.folder / "receipt.json"
    path.write_text(made.stdout, encoding="utf-8")
    copy = desk.copy()
    assert desk.alone("receipt", audit_id, "--folder", copy).stdout == made.stdout

    for verified in (desk.alone("verify", "--receipt", path), desk.system.run("verify", "--receipt", path)):
        assert verified.exit_code == 0
        assert verified.stdout.startswith(f"valid    {audit_id} ResponseComplete: it was in events/cluster=demo/")
    path.write_text(made.stdout.replace("mallory", "nobody!"), encoding="utf-8")
    refused = desk.alone("verify", "--receipt", path, "--format", "json")
    assert (refused.exit_code, json.loads(refused.stdout)["verdict"]) == (1, "tampered")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["verify", "--cluster", "nobody"], 2, "there is nothing of the cluster nobody"),
        (["verify", "--head", "x"], 2, "'x' is not a head"),
        (["verify", "--head", f"0:{'0' * 64}"], 2, "it is not clear whose head"),
        (["verify", "--from", "1h", "--to", "2h"], 2, "--to is not later than --from"),
        (["verify", "--receipt", "/nowhere"], 2, "cannot read /nowhere"),
        (["receipt", "no-such-id", "--from", "2026-11-01"], 1, "there is no event with the auditID no-such-id"),
        (["receipt", ""], 2, "the auditID is empty"),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(desk: Desk, words: list[str], code: int, said: str) -> None:
    done = desk.system.run(*words)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "--folder", "/nowhere"], "there is no folder /nowhere"),
        (["verify", "--folder", "."], "is not a copy of an archive"),
        (["verify", "--folder", ".", "--state", "x"], "--folder needs no stack"),
    ],
)
def test_a_folder_must_be_one(desk: Desk, words: list[str], said: str) -> None:
    desk.copy()
    done = desk.alone(*words)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    without = CliRunner().invoke(app, ["verify", "--folder", str(desk.folder / "copy")], catch_exceptions=False)
    assert (without.exit_code, "give the public key" in without.stderr) == (2, True)
    desk.key.write_text("no key", encoding="utf-8")
    assert desk.alone("verify", "--folder", desk.folder / "copy").exit_code == 2
