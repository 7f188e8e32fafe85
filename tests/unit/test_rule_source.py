"""The rules in force, whatever the bucket holds."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from auditwire.rule_source import RuleSource, RulesProblem
from auditwire.rules import RuleSet

BUCKET = "rules-bucket"
GOOD = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {{name: {name}, labels: {{type: alerting}}}}
spec:
  rules:
  - {{name: r, type: rule, priority: INFO, condition: 'Verb = "get"'}}
"""


class World:
    """A bucket, a clock, and the source under test."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.s3.create_bucket(Bucket=BUCKET)
        self.now = 1_000.0
        self.problems: list[RulesProblem] = []
        self.source = RuleSource(
            self.s3, BUCKET, "rules/", clock=lambda: self.now, poll=30, on_problem=self.problems.append
        )

    def put(self, name: str, text: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=f"rules/{name}", Body=text.encode())

    def names(self) -> list[str]:
        return [rule.document for rule in self.source.current().alerting]

    def later(self, seconds: float = 31) -> None:
        self.now += seconds


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def defaults(rule_set: RuleSet) -> bool:
    return any(rule.name == "CreateHostnetworkPod" for rule in rule_set.alerting)


def test_before_the_first_upload_the_default_rules_hold(world: World) -> None:
    assert defaults(world.source.current())
    assert world.problems == []


def test_an_upload_comes_into_force_at_the_next_look_as_a_whole(world: World) -> None:
    world.source.current()
    world.put("a.yaml", GOOD.format(name="one"))
    world.put("notes.txt", "not rules")

    assert defaults(world.source.current())
    world.later(29)
    assert defaults(world.source.current())
    world.later(2)
    assert world.names() == ["one"]


def test_unchanged_documents_are_not_read_again(world: World) -> None:
    world.put("a.yaml", GOOD.format(name="one"))
    first = world.source.current()
    world.later()

    assert world.source.current() is first


def test_a_bad_upload_leaves_the_last_good_rules_and_is_told_once_with_its_place(world: World) -> None:
    world.put("a.yaml", GOOD.format(name="one"))
    world.source.current()
    world.put("b.yaml", GOOD.format(name="two").replace("Verb", "Vreb"))
    for _ in range(3):
        world.later()
        assert world.names() == ["one"]

    (problem,) = world.problems
    assert problem.message == "the rules in s3://rules-bucket/rules/ have 1 error; the last good ones stay in force"
    (found,) = problem.diagnostics
    assert (found.path, found.line, found.column, found.code) == ("rules/b.yaml", 6, 55, "AW102")

    world.put("b.yaml", GOOD.format(name="two"))
    world.later()
    assert world.names() == ["one", "two"]


def test_a_bad_document_at_start_up_leaves_the_default_rules(world: World) -> None:
    world.put("a.yaml", "kind: Rule\n\t- tabs")

    assert defaults(world.source.current())
    (problem,) = world.problems
    assert problem.diagnostics[0].line == 2


def test_an_emptied_bucket_leaves_the_last_good_rules(world: World) -> None:
    world.put("a.yaml", GOOD.format(name="one"))
    world.source.current()
    world.s3.delete_object(Bucket=BUCKET, Key="rules/a.yaml")
    world.later()

    assert world.names() == ["one"]


def test_an_outage_leaves_the_rules_as_they_are_and_is_told_once(world: World) -> None:
    world.put("a.yaml", GOOD.format(name="one"))
    world.source.current()
    with Stubber(world.s3) as stub:
        for _ in range(2):
            stub.add_client_error("list_objects_v2", "SlowDown", "slow down", 503)
            world.later()
            assert world.names() == ["one"]

    assert len(world.problems) == 1
    assert "could not be read" in world.problems[0].message
    world.later()
    assert world.names() == ["one"]


def test_an_outage_at_start_up_leaves_the_default_rules(world: World) -> None:
    with Stubber(world.s3) as stub:
        stub.add_client_error("list_objects_v2", "InternalError", "oops", 500)
        assert defaults(world.source.current())

    world.put("a.yaml", GOOD.format(name="one"))
    world.later()
    assert world.names() == ["one"]


def test_a_document_replaced_while_it_is_read_is_taken_up_at_the_next_look(world: World) -> None:
    world.put("a.yaml", GOOD.format(name="one"))
    world.source.current()
    world.put("a.yaml", GOOD.format(name="two"))
    listing = world.s3.list_objects_v2(Bucket=BUCKET, Prefix="rules/")
    del listing["ResponseMetadata"]
    with Stubber(world.s3) as stub:
        stub.add_response("list_objects_v2", listing)
        stub.add_client_error("get_object", "PreconditionFailed", "changed", 412)
        world.later()
        assert world.names() == ["one"]

    world.later()
    assert world.names() == ["two"]
