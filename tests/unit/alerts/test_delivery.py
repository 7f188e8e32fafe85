"""Alerts to every peer: one that takes them is enough, one that hangs costs nobody else, one bad alert is found."""

import threading
from contextlib import ExitStack

import orjson
import pytest

from alertmanagers import Respond, alertmanager, always, refuses, takes_all
from auditwire.alerts import AlertmanagerPeer, Delivery, deliver
from waiting import HANG_SECONDS


def alert(name: str, note: str = "") -> bytes:
    return orjson.dumps({"labels": {"alertname": name}, "annotations": {"note": note}})


ALERTS = [alert("a"), alert("bad"), alert("c")]
ALL = frozenset((0, 1, 2))


def outcome(*responds: Respond, alerts: list[bytes] = ALERTS) -> tuple[Delivery, list[str], list[list[str]]]:
    """The delivery to one server per ``respond``, what each peer is said to have done, and what each took."""
    with ExitStack() as stack:
        fakes = [stack.enter_context(alertmanager(respond)) for respond in responds]
        delivery = deliver(alerts, [AlertmanagerPeer(fake.url) for fake in fakes], HANG_SECONDS)
    return delivery, [delivery.peers[fake.url] for fake in fakes], [fake.taken for fake in fakes]


def test_every_peer_gets_all_alerts_in_one_post() -> None:
    delivery, peers, taken = outcome(takes_all, takes_all)
    assert delivery.taken == ALL
    assert not delivery.bad
    assert peers == ["ok", "ok"]
    assert taken == [["a", "bad", "c"]] * 2


def test_one_peer_that_takes_them_is_enough() -> None:
    delivery, peers, _ = outcome(always(503, "starting"), takes_all)
    assert delivery.taken == ALL
    assert peers == ["503 starting", "ok"]


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 405, 408, 410, 413, 429, 500, 502, 503, 504])
def test_any_other_answer_speaks_about_the_peer(status: int) -> None:
    delivery, (said,), _ = outcome(always(status))
    assert (delivery.taken, delivery.bad) == (frozenset(), {})
    assert said == str(status)


@pytest.mark.parametrize("status", [400, 422])
def test_one_bad_alert_is_found_and_the_others_are_delivered(status: int) -> None:
    delivery, peers, taken = outcome(refuses("bad", status))
    assert delivery.taken == frozenset((0, 2))
    assert delivery.bad == {1: f'{status} "invalid label set"'}
    assert peers == ["ok"]
    assert taken == [["a", "c"]]


def test_an_alert_that_any_peer_takes_is_not_bad() -> None:
    delivery, peers, _ = outcome(refuses("bad"), takes_all)
    assert delivery.taken == ALL
    assert not delivery.bad
    assert peers == ["ok", "ok"]


def test_a_bad_alert_is_proven_by_one_healthy_peer_while_the_other_is_down() -> None:
    delivery, _, _ = outcome(refuses("bad"), always(502))
    assert delivery.taken == frozenset((0, 2))
    assert set(delivery.bad) == {1}


def test_a_bad_alert_that_came_alone_is_proven_by_an_empty_list() -> None:
    delivery, peers, _ = outcome(refuses("bad"), alerts=[alert("bad")])
    assert set(delivery.bad) == {0}
    assert peers == ["ok"]


def test_a_server_that_answers_400_to_everything_proves_nothing() -> None:
    delivery, (said,), _ = outcome(always(400, "Client sent an HTTP request to an HTTPS server."))
    assert (delivery.taken, delivery.bad) == (frozenset(), {})
    assert said == "refuses even an empty list: 400 Client sent an HTTP request to an HTTPS server."


def test_a_peer_that_breaks_down_while_looking_for_the_bad_one_proves_nothing() -> None:
    answers = iter([(400, ""), (200, ""), (500, "broke")])
    delivery, (said,), _ = outcome(lambda _: next(answers))
    assert delivery.taken == frozenset((0,))
    assert not delivery.bad
    assert said == "500 broke"


def test_a_proxy_that_takes_only_small_posts_gets_one_alert_at_a_time() -> None:
    delivery, _, _ = outcome(lambda alerts: (413, "") if len(alerts) > 1 else (200, ""))
    assert delivery.taken == ALL


def test_large_alerts_go_in_as_few_posts_as_fit() -> None:
    alerts = [alert(f"n{number}", "x" * 150_000) for number in range(7)]
    with alertmanager() as fake:
        assert deliver(alerts, [AlertmanagerPeer(fake.url)], HANG_SECONDS).taken == frozenset(range(7))
    assert [len(post) for post in fake.posts] == [3, 3, 1]


def test_a_peer_that_hangs_costs_the_others_nothing_and_is_left_behind() -> None:
    with alertmanager(hang=threading.Event()) as hanging, alertmanager() as working:
        peers = [AlertmanagerPeer(hanging.url), AlertmanagerPeer(working.url)]
        # A caller who waited for the first peer would wait for ever.
        delivery = deliver(ALERTS, peers, 10 * HANG_SECONDS)
        assert delivery.taken == ALL
        assert delivery.peers == {hanging.url: "timeout", working.url: "ok"}


def test_the_caller_waits_no_longer_than_its_time_for_peers_of_which_none_takes_any() -> None:
    with alertmanager(hang=threading.Event()) as hanging, alertmanager(always(503)) as starting:
        delivery = deliver(ALERTS, [AlertmanagerPeer(hanging.url), AlertmanagerPeer(starting.url)], 0.5)
        assert (delivery.taken, delivery.bad) == (frozenset(), {})
        assert delivery.peers == {hanging.url: "timeout", starting.url: "503"}


def test_a_bad_alert_does_not_make_the_caller_wait_for_a_peer_that_hangs() -> None:
    with alertmanager(hang=threading.Event()) as hanging, alertmanager(refuses("bad", 400)) as picky:
        delivery = deliver(ALERTS, [AlertmanagerPeer(hanging.url), AlertmanagerPeer(picky.url)], 10 * HANG_SECONDS)
        assert (delivery.taken, set(delivery.bad)) == (frozenset((0, 2)), {1})


def test_no_peers_take_nothing() -> None:
    assert deliver(ALERTS, [], 1) == Delivery(frozenset(), {}, {})
