"""The deployed console: its function behind its API, with people who sign in at an issuer and clients with tokens."""

import gzip
import hashlib
import json
import shutil
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from auditwire.alerts.message import Message
from auditwire.alerts.outbox import S3Outbox
from auditwire.aws.environment import ConsoleConfig
from auditwire.search import Coverage, Query, Wanted
from auditwire_console.deployed import Clients, source_of
from auditwire_local import LocalSystem, Options
from auditwire_local.runtime import running
from faults import Calls, Exchange, Trouble, Wire, denied, still_running
from local_road import body_of, exec_event, post
from oidc_issuer import OidcIssuer
from template import ROOT
from waiting import HANG_SECONDS, until

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
OLD_KEY = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:console-AbCdEf"
DAY = {"start": "2026-11-21T00:00:00Z", "end": "2026-11-22T23:59:59Z"}
WIRE = Wire()
KUBESPHERE = "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"


class Browser:
    """Keeps cookies, and follows no redirect. Nothing but what it is told goes with a request."""

    def __init__(self, system: LocalSystem) -> None:
        assert system.console_url
        self.origin = system.console_url
        self._context = ssl.create_default_context(cafile=str(system.console_ca_file))
        self.cookies: dict[str, str] = {}

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any, bytes]:
        """Status, headers and body of the answer."""
        given = {"Accept-Encoding": "gzip", **(headers or {})}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = HTTPSConnection(urlsplit(self.origin).netloc, timeout=HANG_SECONDS, context=self._context)
        try:
            connection.request(method, path, b"" if method == "POST" else None, given)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0].strip('"')
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        is_packed = response.headers["Content-Encoding"] == "gzip"
        return response.status, response.headers, gzip.decompress(body) if is_packed else body

    def ask(self, path: str, params: Mapping[str, str] = DAY, headers: Mapping[str, str] | None = None) -> Any:
        """What an answer of 200 holds."""
        status, _, body = self.send("GET", f"{path}?{urlencode(params)}", headers)
        assert status == 200, body
        return json.loads(body)

    def status(self, path: str, **headers: str) -> int:
        """The status of an answer."""
        return self.send("GET", path, headers)[0]

    def sign_in(self, issuer: OidcIssuer, to: str = "/") -> bytes:
        """Signs in as whom the issuer says; the page behind that."""
        status, headers, body = self.send("GET", f"/login?{urlencode({'to': to})}")
        assert status == 302, body
        back = urlsplit(issuer.authorize(dict(parse_qsl(urlsplit(headers["Location"]).query))))
        assert f"{back.scheme}://{back.netloc}" == self.origin
        status, _, page = self.send("GET", f"{back.path}?{back.query}")
        assert status == 200, page
        return page


@pytest.fixture(scope="module")
def issuer() -> Iterator[OidcIssuer]:
    with OidcIssuer(client_secret="hunter2").serving() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def system(issuer: OidcIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    parameters = {
        "Console": "on",
        "ConsoleIssuer": issuer.url,
        "ConsoleClientId": issuer.client_id,
        "ConsoleClientSecretArn": SECRET,
        "AthenaSearch": "on",
        "KmsKeyArn": KEY,
        "PreviousKmsKeyArns": OLD_KEY,
    }
    options = Options(parameters=parameters, schedules=False)
    # Few rules, which are compiled in no time.
    rules = tmp_path_factory.mktemp("rules")
    for name in ("alerting-rule.yaml", "archiving-rule.yaml"):
        shutil.copy(ROOT / "rules" / name, rules)
    with WIRE.in_place(), LocalSystem.start(rules=rules, options=options) as system:
        boto3.client("secretsmanager", "us-east-1").create_secret(
            Name=SECRET.rpartition(":")[2], SecretString=f"{issuer.client_secret}\n"
        )
        issuer.redirect_uris = (f"{system.console_url}/callback",)
        shop, elsewhere = exec_event(1), exec_event(2)
        elsewhere["objectRef"]["namespace"] = "payments"
        assert post(system, body_of(shop, elsewhere), system.clusters["demo"].credential)[0] == 200
        system.function("seal").invoke({"at_once": True})
        s3, bucket = system.client("s3"), system.outputs["ArchiveBucket"]
        until(lambda: "Contents" in s3.list_objects_v2(Bucket=bucket, Prefix="index/cluster=demo/"))
        yield system


@pytest.fixture
def browser(system: LocalSystem) -> Browser:
    return Browser(system)


def grant(system: LocalSystem, key: str, *, name: str = "x", clusters: str = "demo", **attributes: Any) -> None:
    """A row of ViewersTable as `auditwire viewer add` writes it."""
    item: dict[str, Any] = {"id": {"S": key}, "name": {"S": name}, "clusters": {"L": [{"S": clusters}]}}
    item |= {"namespaces": {"L": []}, "workspaces": {"L": []}, "everything": {"BOOL": False}, **attributes}
    system.client("dynamodb").put_item(TableName=system.outputs["ViewersTable"], Item=item)


def revoke(system: LocalSystem, key: str) -> None:
    system.client("dynamodb").delete_item(TableName=system.outputs["ViewersTable"], Key={"id": {"S": key}})


def names_in(found: Any) -> set[str]:
    return {row["name"] for row in found["rows"]}


def searches(system: LocalSystem) -> list[Any]:
    """What the log of the function says of searches."""
    lines = (line for line in system.logs("console") if line.startswith("{"))
    return [record for line in lines if (record := json.loads(line)).get("message") == "search"]


def test_the_page_is_for_everybody_and_nothing_behind_it(browser: Browser) -> None:
    status, headers, body = browser.send("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Strict-Transport-Security"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    (script, *_) = [part.partition(b'"')[0].decode() for part in body.split(b'src="')[1:]]
    status, headers, _ = browser.send("GET", script)
    assert (status, "immutable" in headers["Cache-Control"]) == (200, True)
    for path in ("/api/about", "/api/rows", "/api/summary", "/api/export", "/api/clusters", "/api/ledger"):
        assert browser.status(path) == 401
    assert browser.status(KUBESPHERE) in (401, 403)
    # What API Gateway has no route for never reaches the function.
    assert browser.send("POST", "/api/rows")[0] == 404


def test_somebody_signs_in_sees_what_is_granted_and_signs_out(
    system: LocalSystem, issuer: OidcIssuer, browser: Browser
) -> None:
    grant(system, "email#jane@example.com", namespaces={"L": [{"S": "shop"}]})
    issuer.claims = {"sub": "jane-1", "email": "Jane@example.com", "email_verified": True}
    page = browser.sign_in(issuer, "/?text=web")
    assert b"/?text=web" in page
    assert set(browser.cookies) == {"__Host-session"}

    assert names_in(browser.ask("/api/rows")) == {"web-1"}
    assert browser.ask("/api/summary")["events"] == 1

    record = searches(system)[-2]
    assert record["route"] == "/api/rows"
    assert (record["viewer"], record["subject"]) == ("jane@example.com", "jane-1")
    assert record["bytes"] > 0
    stolen = dict(browser.cookies)
    # Another site cannot sign anybody out, nor a page that does not say where it is from.
    assert browser.send("POST", "/logout", {"Origin": "https://evil.example"})[0] == 403
    assert browser.send("POST", "/logout")[0] == 403
    assert browser.send("POST", "/logout", {"Origin": browser.origin})[0] == 204
    assert browser.cookies == {}
    browser.cookies = stolen
    assert browser.status("/api/rows") == 401


def test_rights_that_are_taken_away_end_with_the_next_request(
    system: LocalSystem, issuer: OidcIssuer, browser: Browser
) -> None:
    issuer.claims = {"sub": "joe-1", "groups": ["auditors", "others"]}
    browser.sign_in(issuer)
    assert names_in(browser.ask("/api/rows")) == set()
    grant(system, "group#auditors", everything={"BOOL": True})
    assert names_in(browser.ask("/api/rows")) == {"web-1", "web-2"}
    revoke(system, "group#auditors")
    assert names_in(browser.ask("/api/rows")) == set()


def test_clients_have_tokens_also_those_of_kubesphere(system: LocalSystem, browser: Browser) -> None:
    digest = hashlib.sha256(b"a-token-of-a-client").hexdigest()
    grant(system, f"token#{digest}", name="grafana", namespaces={"L": [{"S": "payments"}]})
    bearer = {"Authorization": "Bearer a-token-of-a-client"}
    basic = {"Authorization": f"Basic {b64encode(b'any:a-token-of-a-client').decode()}"}

    assert names_in(browser.ask("/api/rows", headers=bearer)) == {"web-2"}
    found = browser.ask(KUBESPHERE, {"operation": "query", "start_time": "1763683200"}, basic)
    assert [record["ObjectRef"]["Name"] for record in found["query"]["records"]] == ["web-2"]
    assert searches(system)[-1]["viewer"] == "grafana"
    revoke(system, f"token#{digest}")
    assert browser.status("/api/rows", **bearer) == 401


def test_a_foreign_host_is_answered_by_nobody(system: LocalSystem, browser: Browser) -> None:
    # API Gateway itself, as long as it is in front; the console, if it ever is not.
    assert browser.status("/", Host="evil.example") == 403
    event = {
        "version": "2.0",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"host": "evil.example"},
        "requestContext": {
            "domainName": "console.example",
            "http": {"method": "GET", "path": "/", "sourceIp": "192.0.2.7"},
        },
        "isBase64Encoded": False,
    }
    assert system.function("console").invoke(event)["statusCode"] == 421


@pytest.fixture(scope="module")
def owner(system: LocalSystem, issuer: OidcIssuer) -> Browser:
    """Somebody who sees everything."""
    grant(system, "subject#owner-1", clusters="*", everything={"BOOL": True})
    issuer.claims = {"sub": "owner-1"}
    owner = Browser(system)
    owner.sign_in(issuer)
    return owner


def test_the_evidence_is_verified_with_the_key_of_the_stack(owner: Browser) -> None:
    row = owner.ask("/api/rows")["rows"][0]
    place = {"key": row["key"], "number": str(row["number"])}

    assert owner.ask("/api/evidence", place)["state"] == "sealed"
    then = owner.ask("/api/why", place)["then"]
    assert (then["known"], then["matches"][0]["became"]) == (True, "alerted")


def test_clusters_rules_and_the_ledger_are_there(system: LocalSystem, owner: Browser) -> None:
    assert {one["cluster"] for one in owner.ask("/api/clusters")["clusters"]} >= {"demo", "demo-ks"}
    assert owner.ask("/api/rules")["rules"]
    # Something that waits, and something that seems to be lost.
    outbox = S3Outbox(system.client("s3"), system.outputs["ArchiveBucket"])
    outbox.hold([Message('{"labels":{"cluster":"demo"}}', {"rule": "r"})])
    sqs, letters = system.client("sqs"), system.outputs["DeadLetterQueueUrl"]
    sqs.send_message(QueueUrl=letters, MessageBody="no alert")
    datum = {
        "MetricName": "AlertsPublished",
        "Dimensions": [{"Name": "service", "Value": "ingest"}, {"Name": "cluster", "Value": "demo"}],
        "Timestamp": datetime.now(UTC) - timedelta(hours=2),
        "Value": 7,
    }
    system.client("cloudwatch").put_metric_data(Namespace=system.outputs["MetricsNamespace"], MetricData=[datum])

    assert {row["cluster"] for row in owner.ask("/api/ledger")["ledger"]["rows"]} >= {"demo"}


def test_rules_that_the_bucket_has_lost_are_said_to_be_unknown(system: LocalSystem, owner: Browser) -> None:
    function, s3, bucket = system.function("console"), system.client("s3"), system.outputs["RulesBucket"]
    listed = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    bundles = [key for key in listed if key.startswith("bundles/")]
    kept = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in (*bundles, "active.json")}
    row = owner.ask("/api/rows")["rows"][0]
    try:
        # The bundles first, which the other object still names.
        for keys in (bundles, ["active.json"]):
            for key in keys:
                s3.delete_object(Bucket=bucket, Key=key)
            function.reconfigure(function.configuration)
            found = owner.ask("/api/why", {"key": row["key"], "number": str(row["number"])})
            assert found["then"]["known"] is False
    finally:
        for key, content in kept.items():
            s3.put_object(Bucket=bucket, Key=key, Body=content)


def test_athena_answers_what_is_too_much_for_the_function(system: LocalSystem, owner: Browser) -> None:
    function = system.function("console")
    usual = function.configuration
    function.reconfigure(replace(usual, variables={**usual.variables, "CONSOLE_ATHENA_MEGABYTES": "0"}))
    try:
        found = owner.ask("/api/rows")
    finally:
        function.reconfigure(usual)

    assert (found["coverage"]["engine"], names_in(found)) == ("athena", {"web-1", "web-2"})
    assert searches(system)[-1]["engine"] == "athena"


def test_a_query_that_is_out_of_time_and_has_no_name_is_stopped(system: LocalSystem) -> None:
    config = ConsoleConfig.from_env(system.function("console").configuration.variables)
    athena = source_of(config, Clients.of_requests()).costs.engines[-1]
    looked = []

    def look(exchange: Exchange) -> AWSResponse:
        looked.append(exchange)
        return still_running(exchange)

    coverage = Coverage(may_go_on=lambda: not looked)
    token = running.set("console")
    try:
        with WIRE.faulty(Trouble(Calls("console", "athena.GetQueryExecution"), look)):
            athena.summarise(Query(), Wanted(), coverage)
    finally:
        running.reset(token)
    assert (coverage.cut_off, len(looked)) == ("time", 1)


def test_who_may_see_what_cannot_be_read_is_no_right(system: LocalSystem, owner: Browser) -> None:
    with WIRE.faulty(Trouble(Calls("console", "dynamodb.BatchGetItem"), denied)):
        assert owner.status("/api/rows") == 502
    with WIRE.faulty(Trouble(Calls("console", "dynamodb.GetItem"), denied)):
        assert owner.status("/api/rows") == 502
        assert Browser(system).status("/api/rows", Authorization="Bearer x") == 502


def test_the_state_file_says_where_it_is(system: LocalSystem, tmp_path: Path) -> None:
    system.write_state(tmp_path / "run.json")
    state = json.loads((tmp_path / "run.json").read_text())

    assert (state["console_url"], state["console_ca_file"]) == (system.console_url, str(system.console_ca_file))


def test_nothing_that_is_written_down_is_a_credential(system: LocalSystem, issuer: OidcIssuer) -> None:
    browser = Browser(system)
    issuer.claims = {"sub": "log-1"}
    browser.sign_in(issuer)
    browser.ask("/api/rows")
    (cookie,) = browser.cookies.values()

    log = "\n".join(system.logs())
    secrets = (cookie, issuer.client_secret, "a-token-of-a-client", "code=", "verifier")
    assert [secret for secret in secrets if secret in log] == []
    table = system.resource("SessionsTable").physical_id
    items = system.client("dynamodb").scan(TableName=table)["Items"]
    assert items
    assert cookie not in json.dumps(items)
