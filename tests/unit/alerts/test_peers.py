"""Which Alertmanagers alerts go to."""

from dataclasses import dataclass

from auditwire.alerts import peers_of


@dataclass(frozen=True)
class Receiver:
    url: str | None
    type: str = "alertmanager"
    name: str = "alert"
    ca_bundle: str | None = None


def urls(*given: str, receivers: tuple[Receiver, ...] = ()) -> list[str]:
    return [peer.url for peer in peers_of(given, receivers).peers]


def test_configured_addresses_win_over_the_documents_receivers() -> None:
    assert urls("http://a:9093", " http://b:9093 ", receivers=(Receiver("http://c"),)) == [
        "http://a:9093",
        "http://b:9093",
    ]


def test_without_them_the_receivers_count() -> None:
    receivers = (Receiver("http://c:9093/api/v1/alerts"), Receiver(None), Receiver("http://d", type="webhook"))
    assert urls("", receivers=receivers) == ["http://c:9093"]


def test_an_address_named_twice_is_one_peer() -> None:
    assert urls("http://a:9093", "http://a:9093/", "http://a:9093/api/v2/alerts") == ["http://a:9093"]


def test_one_that_cannot_be_used_is_named_and_keeps_nobody_else_from_the_alerts() -> None:
    found = peers_of(["a:9093", "http://b:9093", "https://user:hunter2@c"])
    assert [peer.url for peer in found.peers] == ["http://b:9093"]
    assert len(found.problems) == 2
    assert "hunter2" not in str(found.problems)


def test_nothing_configured_is_no_peer() -> None:
    assert peers_of([]).peers == ()
