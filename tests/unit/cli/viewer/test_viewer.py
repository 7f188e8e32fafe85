"""Granting and taking at the command line, against a stack in moto, and what the console then lets people see."""

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditwire.clusters import Cluster, ClustersTable, Registration
from auditwire_cli.errors import UsageError
from auditwire_cli.viewer.grants import grant_of
from auditwire_cli.viewer.whom import whom_of
from auditwire_console import Grant, Viewer
from auditwire_console.granted import Granted, Kind, key_of_token
from auditwire_console.person import Person
from auditwire_console.rights import Rights
from auditwire_console.viewer import ALL
from auditwire_console.viewers_table import ViewersTable

REGION = "eu-central-1"
JANE = Person("s-1", "jane@example.com", ("sre",))
OF_PROD = ("--cluster", "prod", "--namespace", "shop")
PROD_SHOP = Grant(frozenset({"prod"}), frozenset({"shop"}))


def make_table(client: Any, name: str, *keys: str) -> None:
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
    attributes = [{"AttributeName": key, "AttributeType": "S"} for key in keys]
    client.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", AttributeDefinitions=attributes, KeySchema=schema
    )


@dataclass
class Desk:
    """Somebody at a terminal, in an empty folder, with a stack that has a console."""

    auditwire: Callable[..., Any]
    client: Any
    table: ViewersTable

    @property
    def rights(self) -> Rights:
        return Rights(self.client, self.table.name)

    def run(self, *words: object, code: int = 0, stack: str = "with") -> Any:
        done = self.auditwire("viewer", *words, "--stack", stack, "--region", REGION)
        assert done.exit_code == code, done.output
        return done


@pytest.fixture(scope="module")
def stacks() -> Iterator[Any]:
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "x")
        client: Any = boto3.client("dynamodb", REGION)
        make_table(client, "viewers", "id")
        # Its key has a second part, which a row of ours lacks.
        make_table(client, "refusing", "id", "more")
        make_table(client, "clusters", "credential")
        cloudformation: Any = boto3.client("cloudformation", REGION)
        for name, outputs in (
            ("with", {"ViewersTable": "viewers", "ClustersTable": "clusters"}),
            ("without", {}),
            ("clusterless", {"ViewersTable": "viewers", "ClustersTable": "gone"}),
            ("refusing", {"ViewersTable": "refusing", "ClustersTable": "clusters"}),
        ):
            # Not its tables: once there was a local system, moto makes those of stacks for local systems alone.
            told = {output: {"Value": value} for output, value in outputs.items()}
            template = {"Resources": {}, "Outputs": told}
            cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
        registered = Registration(credential="0" * 64, cluster=Cluster("prod"))
        ClustersTable(client, "clusters").add(registered)
        yield client, ViewersTable(client, "viewers")


@pytest.fixture
def desk(stacks: Any, auditwire: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    client, table = stacks
    for row in client.scan(TableName=table.name)["Items"]:
        table.remove(row["id"]["S"])
    return Desk(auditwire, client, table)


def test_what_is_granted_can_be_seen_and_what_is_taken_cannot(desk: Desk) -> None:
    done = desk.run("add", "--email", "Jane@Example.com", *OF_PROD, "--namespace", "web", "--host-cluster", "prod")
    assert done.stdout == ""
    assert done.stderr == "granted email jane@example.com: namespaces shop, web of prod; host is prod\n"
    desk.run("add", "--group", "sre", "--cluster", "prod", "--workspace", "ws.one")
    desk.run("add", "--subject", "somebody else", "--all-clusters", "--everything")

    both = (Grant(frozenset({"prod"}), frozenset({"shop", "web"})), Grant(frozenset({"prod"}), workspaces={"ws.one"}))  # type: ignore[arg-type]
    assert desk.rights.of_person(JANE) == Viewer("jane@example.com", both, "prod")
    assert desk.rights.of_person(Person("somebody else")).sees_all

    assert desk.run("remove", "--email", "JANE@example.com", "--yes").stdout == (
        "removed email jane@example.com; it holds from the next request on\n"
    )
    desk.run("remove", "--group", "sre", "--yes")
    assert desk.rights.of_person(JANE).sees_nothing


def test_a_token_is_printed_once_and_kept_as_a_digest(desk: Desk) -> None:
    done = desk.run("add", "--token", "grafana", *OF_PROD)
    token = done.stdout.strip()

    assert done.stdout == f"{token}\n"
    assert len(token) == 43
    assert token not in done.stderr
    assert desk.rights.of_token(token) == Viewer("grafana", (PROD_SHOP,))
    assert token not in str(desk.client.scan(TableName=desk.table.name))

    changed = desk.run("add", "--token", "grafana", "--all-clusters", "--everything")
    assert changed.stdout == ""
    assert changed.stderr == ("changed token grafana\n  was namespace shop of prod\n  now everything of all clusters\n")
    assert desk.rights.of_token(token) == Viewer("grafana", (ALL,))

    desk.run("remove", "--token", "grafana", "--yes")
    assert desk.rights.of_token(token) is None
    assert desk.run("add", "--token", "grafana", *OF_PROD).stdout.strip() not in ("", token)


def test_a_token_goes_to_a_file_that_only_its_owner_can_read(desk: Desk) -> None:
    done = desk.run("add", "--token", "grafana", *OF_PROD, "--output", "grafana.token")
    file = Path("grafana.token")

    assert done.stdout == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert desk.rights.of_token(file.read_text().strip()) == Viewer("grafana", (PROD_SHOP,))

    again = desk.run("add", "--token", "grafana", *OF_PROD, "--output", "other.token", code=1)
    assert "has its token already" in again.stderr
    assert not Path("other.token").exists()
    there = desk.run("add", "--token", "other", *OF_PROD, "--output", "grafana.token", code=1)
    assert "grafana.token exists" in there.stderr
    assert [row.name for row in desk.table.list().rows] == ["grafana"]


def test_granting_the_same_again_says_so_and_changes_nothing(desk: Desk) -> None:
    desk.run("add", "--group", "sre", *OF_PROD)
    (before,) = desk.table.list().rows

    done = desk.run("add", "--group", "sre", *OF_PROD)

    assert done.stderr == "group sre is granted that already: namespace shop of prod\n"
    assert desk.table.list().rows == [before]


def test_the_list_has_names_and_no_digests(desk: Desk) -> None:
    assert desk.run("list").stdout == "nothing is granted to anybody\n"
    token = desk.run("add", "--token", "grafana", *OF_PROD, "--host-cluster", "prod").stdout.strip()
    desk.run("add", "--group", "sre <b>", "--all-clusters", "--everything")
    desk.client.put_item(TableName=desk.table.name, Item={"id": {"S": key_of_token("x")}, "name": {"N": "1"}})

    text, listed = desk.run("list"), desk.run("list", "--format", "json")
    rows = json.loads(listed.stdout)

    assert [line.split("  ")[0].split()[0] for line in text.stdout.splitlines()] == ["KIND", "group", "token"]
    assert "everything" in text.stdout
    assert [{**row, "added": bool(row["added"])} for row in rows] == [
        {"kind": "group", "name": "sre <b>", "clusters": ["*"], "namespaces": [], "workspaces": [],
         "everything": True, "host_cluster": "", "added": True},
        {"kind": "token", "name": "grafana", "clusters": ["prod"], "namespaces": ["shop"], "workspaces": [],
         "everything": False, "host_cluster": "prod", "added": True},
    ]  # fmt: skip
    for said in (text.output, listed.output):
        assert key_of_token(token) not in said
        assert key_of_token("x") not in said
        assert f"the row {key_of_token('x')[:14]}… cannot be used, and grants nothing: name is no text" in said


def test_a_cluster_that_nobody_registered_is_remarked(desk: Desk) -> None:
    done = desk.run("add", "--group", "sre", "--cluster", "prod", "--cluster", "prdo", "--everything")

    assert done.stderr.endswith("remark: no cluster is registered as prdo\n")
    done = desk.run("add", "--token", "t", *OF_PROD, stack="clusterless")
    assert "granted token t" in done.stderr
    assert "remark: whether these clusters are registered is not known" in done.stderr
    assert len(done.stdout.strip()) == 43


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "whom?"),
        ({"email": "a@b.c", "group": "g"}, "whom?"),
        ({"email": "jane"}, "is not an email"),
        ({"email": "jané@example.com"}, "is not an email"),
        ({"email": "ja\u212ae@example.com"}, "is not an email"),
        ({"email": "jane@example.com "}, "is not an email"),
        ({"group": ""}, "printable characters"),
        ({"group": "s\u200bre"}, "printable characters"),
        ({"subject": "a\nb"}, "printable characters"),
        ({"subject": "a" * 256}, "printable characters"),
        ({"token": "a b"}, "is not a name for a token"),
    ],
)
def test_whom_it_means_is_one(given: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        whom_of(*map(given.get, ("email", "subject", "group", "token")))
    assert said in error.value.as_text()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"everything": True}, "of which clusters?"),
        ({"clusters": ["prod"], "all_clusters": True, "everything": True}, "of which clusters?"),
        ({"clusters": ["*"], "everything": True}, "--all-clusters is every cluster"),
        ({"clusters": ["Prod"], "everything": True}, "is not a cluster name"),
        ({"clusters": ["prod"]}, "what of them?"),
        ({"clusters": ["prod"], "namespaces": ["shop"], "everything": True}, "what of them?"),
        ({"clusters": ["prod"], "namespaces": ["shop", ""]}, "--namespace takes a name"),
        ({"clusters": ["prod"], "namespaces": ["sh*p"]}, "--namespace takes a name"),
        ({"clusters": ["prod"], "workspaces": ["a/b"]}, "--workspace takes a name"),
    ],
)
def test_what_it_grants_is_something(given: dict[str, Any], said: str) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("clusters", "namespaces", "workspaces"))
    with pytest.raises(UsageError) as error:
        grant_of(**{**nothing, "all_clusters": False, "everything": False, **given})
    assert said in error.value.as_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host-cluster", "test"), "nothing of test is granted"),
        (("--output", "x"), "--output is for --token"),
        (("--token", "x"), "whom?"),
    ],
)
def test_a_wrong_call_grants_nothing(desk: Desk, words: tuple[str, ...], said: str) -> None:
    assert said in desk.run("add", "--group", "sre", *OF_PROD, *words, code=2).stderr
    assert desk.table.list().rows == []


def test_removing_what_is_not_there_says_so(desk: Desk) -> None:
    for option in ("--group", "--token"):
        done = desk.run("remove", option, "x", "--yes", code=1)
        assert "nothing is granted to" in done.stderr
        assert "`auditwire viewer list --stack with --region eu-central-1`" in done.stderr
    desk.table.put(Granted(Kind.GROUP.key("sre"), "sre", ALL))
    assert "give --yes" in desk.run("remove", "--group", "sre", code=2).stderr
    assert len(desk.table.list().rows) == 1


def test_tokens_of_one_name_are_removed_together(desk: Desk) -> None:
    for token in ("a", "b"):
        desk.table.put(Granted(key_of_token(token), "twice", ALL))

    assert "2 tokens have the name twice" in desk.run("add", "--token", "twice", *OF_PROD, code=1).stderr
    desk.run("remove", "--token", "twice", "--yes")

    assert desk.table.list().rows == []


@pytest.mark.parametrize("words", [("add", "--group", "sre", *OF_PROD), ("list",), ("remove", "--group", "sre")])
def test_a_stack_without_a_console_says_what_to_do(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.run(*words, code=1, stack="without")

    assert "the stack without has no console" in done.stderr
    assert "Console=on" in done.stderr


def test_a_file_is_not_left_behind_where_the_table_refuses(desk: Desk) -> None:
    done = desk.run("add", "--token", "x", *OF_PROD, "--output", "x.token", code=1, stack="refusing")

    assert "PutItem" in done.stderr
    assert not Path("x.token").exists()
