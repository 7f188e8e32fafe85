"""Which Alertmanagers alerts go to."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from auditwire.alerts import NO_PEERS, Credentials, Peers, PeerSource, peers_of
from auditwire.rules import Receiver

ALERT = Receiver("alert", "http://c:9093/api/v1/alerts")


def urls(*given: str, receivers: tuple[Receiver, ...] = ()) -> list[str]:
    return [peer.url for peer in peers_of(given, receivers).peers]


def test_configured_addresses_win_over_the_documents_receivers() -> None:
    assert urls("http://a:9093", " http://b:9093 ", receivers=(ALERT,)) == [
        "http://a:9093",
        "http://b:9093",
    ]


def test_without_them_the_receivers_count() -> None:
    assert urls("", receivers=(ALERT, Receiver("second", "https://d"))) == ["http://c:9093", "https://d"]


def test_an_address_named_twice_is_one_peer() -> None:
    assert urls("http://a:9093", "http://a:9093/", "http://a:9093/api/v2/alerts") == ["http://a:9093"]


def test_one_that_cannot_be_used_is_named_and_keeps_nobody_else_from_the_alerts() -> None:
    found = peers_of(["a:9093", "http://b:9093", "https://user:hunter2@c"])
    assert [peer.url for peer in found.peers] == ["http://b:9093"]
    assert len(found.problems) == 2
    assert "hunter2" not in str(found.problems)


def test_nothing_configured_is_no_peer_and_says_what_to_set() -> None:
    assert peers_of([]) == Peers((), (NO_PEERS,), none_configured=True)


@pytest.mark.parametrize(
    "found",
    [
        peers_of([], None),
        peers_of(["nonsense"]),
        peers_of([], [Receiver("alert", "https://user:word@c")]),
        PeerSource((), lambda: None).current(),
    ],
    ids=["rules unreadable", "bad address", "bad receiver", "source of unreadable rules"],
)
def test_any_other_empty_list_does_not_mean_that_nobody_is_to_get_them(found: Peers) -> None:
    assert (found.peers, found.none_configured) == ((), False)
    assert found.problems


def test_receivers_that_become_known_are_used_and_receivers_that_vanish_are_noticed() -> None:
    answers: list[tuple[Receiver, ...] | None] = [None, (), (ALERT,), None]
    source = PeerSource((), lambda: answers.pop(0))
    found = [source.current() for _ in range(4)]
    assert [(len(one.peers), one.none_configured) for one in found] == [(0, False), (0, True), (1, False), (0, False)]


@dataclass
class Secret:
    """A secret that can be changed, and be unreadable."""

    text: str = '{"token": "one"}'
    failure: Exception | None = None
    reads: int = 0

    def read(self) -> str:
        self.reads += 1
        if self.failure:
            raise self.failure
        return self.text


@dataclass
class Setting:
    """Everything a source is made of, to be changed under its feet."""

    secret: Secret = field(default_factory=Secret)
    receivers: tuple[Receiver, ...] = (ALERT,)
    now: float = 1_000.0

    def source(self, *given: str) -> PeerSource:
        return PeerSource(given, lambda: self.receivers, self.secret.read, lambda: self.now)


def test_peers_are_made_once_and_again_when_something_changed() -> None:
    setting = Setting()
    source = setting.source()
    first = source.current()
    assert source.current() is first
    setting.receivers = (ALERT, Receiver("second", "http://d"))
    second = source.current()
    assert [peer.url for peer in second.peers] == ["http://c:9093", "http://d"]
    setting.secret.text = '{"token": "two"}'
    assert source.current() is second
    setting.now += 301
    assert source.current() is not second
    assert setting.secret.reads == 2


def test_credentials_in_doubt_are_read_again() -> None:
    setting = Setting()
    source = setting.source("http://a")
    source.current()
    source.doubt()
    source.current()
    assert setting.secret.reads == 2


DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")


@pytest.mark.parametrize("broken", [Secret(failure=DENIED), Secret("hunter2")], ids=["unreadable", "no credentials"])
def test_without_usable_credentials_nothing_is_delivered_and_the_reason_is_told(broken: Secret) -> None:
    found = Setting(broken).source("http://a").current()
    assert (found.peers, found.none_configured) == ((), False)
    (problem,) = found.problems
    assert problem.startswith("the Alertmanager secret cannot be used: ")
    assert "hunter2" not in problem


def test_a_secret_that_cannot_be_read_for_a_while_keeps_the_last_one() -> None:
    setting = Setting()
    source = setting.source("http://a")
    first = source.current()
    setting.secret.failure = DENIED
    setting.now += 301
    assert source.current() is first


def test_the_document_is_not_read_where_addresses_are_configured() -> None:
    def unread() -> tuple[Receiver, ...]:
        raise AssertionError

    assert [peer.url for peer in PeerSource(["http://a"], unread).current().peers] == ["http://a"]


def test_receivers_of_a_document_never_get_the_credentials() -> None:
    credentials = Credentials("Bearer hunter2")

    configured: Any
    named: Any
    (configured,) = peers_of(["https://am.example.com"], (ALERT,), credentials).peers
    (named,) = peers_of([], (ALERT,), credentials).peers

    assert configured._headers["Authorization"] == "Bearer hunter2"
    assert "Authorization" not in named._headers
