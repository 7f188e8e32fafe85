"""What is not granted is not shown, by whatever road somebody tries: sessions and tokens, every route and parameter."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from auditwire_console import Grant
from auditwire_console.granted import key_of_token
from auditwire_console.viewer import ALL
from local_road import exec_event
from oidc_issuer import OidcIssuer, signing_key
from sealed import World
from searched import Archive
from signed_console import SignedConsole
from signing_in import ORIGIN, Browser

SHOP = Grant(frozenset({"prod"}), namespaces=frozenset({"shop"}))
JANE = "subject#jane-1"
TOKEN = "token-of-a-client"
FOREIGN = "elsewhere"
KUBESPHERE = (
    "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events",
    "/kapis/logging.kubesphere.io/v1alpha2/auditing",
    "/kapis/clusters/prod/tenant.kubesphere.io/v1alpha2/auditing/events",
    f"/kapis/clusters/{FOREIGN}/tenant.kubesphere.io/v1alpha2/auditing/events",
)


@pytest.fixture(autouse=True)
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture(scope="module")
def archive() -> Archive:
    """An event that jane may see, and others that differ in all that can be asked for."""
    archive = Archive()
    other = {
        "user": {"username": FOREIGN, "groups": [FOREIGN]}, "verb": FOREIGN, "userAgent": FOREIGN, "workspace": FOREIGN,
        "objectRef": {"resource": FOREIGN, "namespace": FOREIGN, "name": FOREIGN, "subresource": FOREIGN},
        "requestURI": f"/{FOREIGN}", "responseStatus": {"code": 418, "status": FOREIGN},
    }  # fmt: skip
    archive.take([exec_event(1, verb="create"), exec_event(2, **other)])
    archive.take([exec_event(3, **other), exec_event(4)], FOREIGN)
    return archive


def places(archive: Archive, *, foreign: bool) -> list[dict[str, Any]]:
    """Where the events lie that jane may not see, or those that she may."""
    return [
        {"key": key, "number": number}
        for key in archive.events()
        for number, line in enumerate(archive.lines(key))
        if (FOREIGN in f"{key} {line.decode()}") == foreign
    ]


class Client:
    """Somebody with a token, asking as a browser with a session is asked for."""

    def __init__(self, console: SignedConsole) -> None:
        self.browser = Browser(console.desk)

    def get(self, path: str, params: Any = None, headers: Any = None) -> Any:
        given = {"authorization": f"Bearer {TOKEN}", **(headers or {})}
        return self.browser.client.get(path, params=params, headers=given)


class Session:
    """Somebody who has signed in."""

    def __init__(self, console: SignedConsole) -> None:
        self.browser = console.signed_in()

    def get(self, path: str, params: Any = None, headers: Any = None) -> Any:
        return self.browser.client.get(path, params=params, headers=headers)


BY: dict[str, Callable[[SignedConsole], Any]] = {"session": Session, "token": Client}


def granted(archive: Archive, grant: Grant | None, **source: Any) -> SignedConsole:
    console = SignedConsole(archive.store, **source)
    if grant is not None:
        console.grant(JANE, grant)
        console.grant_token(TOKEN, grant)
    return console


def shows_foreign(answers: list[Any]) -> list[str]:
    assert {answer.status_code for answer in answers} == {200}
    return [str(answer.url) for answer in answers if FOREIGN in answer.text or "00000000003" in answer.text]


def test_a_viewer_of_one_namespace_finds_nothing_else_by_any_parameter_of_the_page(archive: Archive) -> None:
    asked = Session(granted(archive, SHOP))
    searches: list[Any] = [
        {}, {"cluster": FOREIGN}, {"text": FOREIGN}, {"has": f"user:{FOREIGN[:4]}"}, {"not": "namespace:shop"},
        {"pay": "9999"}, {"order": "oldest", "limit": "1000"}, [("cluster", "prod"), ("cluster", FOREIGN)],
        *({"is": f"{field}:{FOREIGN}"} for field in ("user", "namespace", "workspace", "verb", "name", "object")),
    ]  # fmt: skip
    facets = [("facet", name) for name in ("user", "namespace", "cluster", "verb", "workspace", "object", "agent")]
    paths = ("/api/rows", "/api/summary", "/api/export", "/api/clusters", "/api/rules", "/api/alerts", "/api/price")

    answers = [
        asked.get(path, [*(search.items() if isinstance(search, dict) else search),
                         ("interval", "1h"), ("format", "csv"), *facets])
        for path, search in itertools.product(paths, searches)
    ]  # fmt: skip
    answers += [asked.get("/api/rule", {"rule": name}) for name in (f"doc.{FOREIGN}", "doc.create")]

    assert not shows_foreign(answers)
    assert {answer.json()["events"] for answer in answers if answer.url.path == "/api/summary"} == {0, 1}
    assert asked.get("/api/ledger").status_code == 403


def test_a_viewer_of_one_namespace_finds_nothing_else_by_kubespheres_api(archive: Archive) -> None:
    asked = Client(granted(archive, SHOP))
    filters = itertools.cycle(("user", "objectref_namespace", "objectref_name", "workspace", "user"))
    answers = []
    for path, operation in itertools.product(KUBESPHERE, ("query", "statistics", "histogram", "export")):
        answers.append(asked.get(path, {"operation": operation, "size": "100"}))
        answers.append(asked.get(path, {"operation": operation, f"{next(filters)}_search": FOREIGN}))
        answers.append(
            asked.get(path, {"operation": operation, f"{next(filters)}_filter": FOREIGN, "cluster": FOREIGN})
        )

    assert not shows_foreign(answers)
    counted = {answer.json()["statistics"]["events"] for answer in answers if "statistics" in answer.text[:20]}
    assert counted == {0, 1}


@pytest.mark.parametrize("by", BY)
def test_single_events_and_receipts_of_others_are_not_there(archive: Archive, by: str) -> None:
    asked = BY[by](granted(archive, SHOP))

    for place, path in itertools.product(places(archive, foreign=True), ("event", "why", "evidence", "receipt")):
        assert asked.get(f"/api/{path}", place).status_code == 404
    for place in places(archive, foreign=False):
        assert asked.get("/api/event", place).status_code == 200


def test_a_receipt_of_an_event_that_is_not_granted_is_not_given() -> None:
    world = World()
    key = world.arrive(2)
    world.after(hours=2).seal()
    archive = Archive(store=world.store)
    console = granted(archive, ALL, keys={world.key.fingerprint: world.key})
    asked, place = Session(console), {"key": key, "number": 0}

    before = asked.get("/api/receipt", place).status_code
    console.grant(JANE, Grant(None, frozenset({"other"})))

    assert (before, asked.get("/api/receipt", place).status_code) == (200, 404)


@pytest.mark.parametrize("by", BY)
def test_what_is_taken_away_is_gone_with_the_next_request(archive: Archive, by: str) -> None:
    console = granted(archive, ALL)
    asked = BY[by](console)
    assert asked.get("/api/summary").json()["events"] == 4

    for key in (JANE, key_of_token(TOKEN)):
        console.grant(key, SHOP)
    assert asked.get("/api/summary").json()["events"] == 1

    for key in (JANE, key_of_token(TOKEN)):
        console.viewers.remove(key)
    if by == "token":
        assert asked.get("/api/summary").status_code == 401
        assert asked.get(KUBESPHERE[0]).status_code == 403
        return
    assert asked.get("/api/summary").json()["events"] == 0
    assert asked.get("/api/about").json()["seesNothing"] is True


def test_somebody_without_rights_is_told_who_they_are_and_nothing_else(archive: Archive) -> None:
    claims = {"sub": "bob-2", "email": "bob@shop.example", "email_verified": True, "groups": ["dev"]}
    console = SignedConsole(archive.store, claims)
    asked = Session(console)

    about = asked.get("/api/about").json()

    assert (about["viewer"], about["seesNothing"], about["seesAll"]) == ("bob@shop.example", True, False)
    assert about["person"] == {"subject": "bob-2", "email": "bob@shop.example", "groups": ["dev"]}
    assert asked.get("/api/rows").json()["rows"] == []
    assert asked.get("/api/export").content == b""
    assert [asked.get(path).json()["query"]["total"] for path in KUBESPHERE] == [0] * 4
    assert {asked.get("/api/event", place).status_code for place in places(archive, foreign=False)} == {404}
    assert console.log[0]["subject"] == "bob-2"


def test_whoever_sends_a_token_is_who_has_the_token(archive: Archive) -> None:
    console = granted(archive, ALL)
    console.grant_token(TOKEN, SHOP)
    session = Session(console)

    def status(**headers: str) -> tuple[int, int]:
        answer = session.get("/api/summary", headers=headers)
        return answer.status_code, answer.json().get("events", 0)

    assert status() == (200, 4)
    assert status(authorization=f"Bearer {TOKEN}") == (200, 1)
    for wrong in ("", "Bearer", "Bearer wrong", "Basic !", "Bearer " + key_of_token(TOKEN)):
        assert status(authorization=wrong) == (401, 0)
    assert status(**{"x-remote-user": "admin", "x-remote-group": "system:masters"}) == (200, 4)


def test_a_session_ends_with_its_time_with_signing_out_and_without_its_cookie(archive: Archive) -> None:
    console = granted(archive, ALL)
    expired, signed_out, other = Session(console), Session(console), Browser(console.desk)
    cookie = {"cookie": f"__Host-session={signed_out.browser.client.cookies['__Host-session']}"}
    assert signed_out.get("/api/about").status_code == 200

    left = signed_out.browser.client.post("/logout", headers={"origin": ORIGIN})
    foreign = expired.browser.client.post("/logout", headers={"origin": "https://evil.example"})

    assert (left.status_code, foreign.status_code) == (204, 403)
    assert signed_out.get("/api/about").status_code == 401
    # Whoever kept the cookie has nothing of it.
    assert other.client.get("/api/about", headers=cookie).status_code == 401
    assert expired.get("/api/about").status_code == 200
    console.desk.now += timedelta(hours=8)
    assert expired.get("/api/about").status_code == 401
    assert expired.get(KUBESPHERE[0]).status_code == 403


def test_a_cookie_that_nobody_was_given_is_nobodys(archive: Archive) -> None:
    console = granted(archive, ALL)
    value = Session(console).browser.client.cookies["__Host-session"]
    for forged in ("A" * 43, value[:-1], value + "A", value.swapcase(), "", f"{value}; __Host-session={value}"):
        answer = Browser(console.desk).client.get("/api/rows", headers={"cookie": f"__Host-session={forged}"})
        assert answer.status_code == 401


FORGED: dict[str, Callable[[OidcIssuer], None]] = {
    "expired": lambda issuer: issuer.claims.update(exp=1),
    "of another audience": lambda issuer: issuer.claims.update(aud="another"),
    "of another issuer": lambda issuer: issuer.claims.update(iss="https://other.example"),
    "of another sign-in": lambda issuer: issuer.claims.update(nonce="another"),
    "signed by another key": lambda issuer: setattr(
        issuer, "forged", lambda claims: issuer.signed(claims, key=signing_key("first", "RS256"))
    ),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_token_opens_no_session(archive: Archive, how: str) -> None:
    console = granted(archive, ALL)
    FORGED[how](console.desk.issuer)
    browser = Browser(console.desk)

    answer = browser.sign_in()

    assert answer.status_code in (403, 502)
    assert "__Host-session" not in browser.client.cookies
    assert browser.get("/api/about").status_code == 401


def test_where_nobody_can_tell_who_asks_nothing_is_shown(archive: Archive) -> None:
    console = granted(archive, ALL)
    asked, client = Session(console), Client(console)
    console.viewers._client.delete_table(TableName="viewers")

    for answer in (asked.get("/api/rows"), client.get("/api/rows")):
        assert answer.status_code == 502
        assert answer.json().keys() == {"problem"}
    assert client.get(KUBESPHERE[0]).status_code == 500


def test_the_page_says_where_people_sign_in_and_shows_nothing_before(archive: Archive) -> None:
    page = Browser(granted(archive, ALL).desk).get("/")

    assert 'data-login="/login"' in page.text
    assert FOREIGN not in page.text
