import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import orjson
import pytest

from auditwire_cli.samples.traffic import LENGTH, Delivery, story
from auditwire_cli.send.audit_log import split

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DOCUMENTATION = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


@pytest.fixture(scope="module")
def deliveries() -> list[Delivery]:
    return story(NOW)


def readable(deliveries: list[Delivery]) -> list[Delivery]:
    return [delivery for delivery in deliveries if not delivery.body.startswith(b"<")]


def test_the_story_is_the_same_every_time(deliveries: list[Delivery]) -> None:
    assert story(NOW) == deliveries


def test_only_its_times_move(deliveries: list[Delivery]) -> None:
    later = story(NOW + timedelta(days=1))

    assert [delivery.body for delivery in later] == [
        delivery.body.replace(b"2026-11-21T", b"2026-11-22T") for delivery in deliveries
    ]


def test_it_ends_now_and_arrives_in_order(deliveries: list[Delivery]) -> None:
    times = [delivery.at for delivery in deliveries]

    assert times == sorted(times)
    assert NOW - timedelta(seconds=LENGTH) < times[0]
    assert NOW - timedelta(seconds=30) < times[-1] < NOW + timedelta(seconds=10)


def test_it_is_a_few_hundred_events_of_every_sender(deliveries: list[Delivery]) -> None:
    shapes = {(delivery.sender, delivery.body[:8]) for delivery in deliveries}

    assert 300 < sum(delivery.count for delivery in deliveries) < 2000
    assert shapes == {
        ("kubernetes", b'{"kind":'),
        ("kubernetes", b"<html><h"),
        ("kubesphere", b'{"Items"'),
        ("kubesphere", b'{"Worksp'),
    }


def test_every_delivery_says_how_many_the_endpoint_will_count(deliveries: list[Delivery]) -> None:
    for delivery in readable(deliveries):
        assert len(split(delivery.body)) == delivery.count
    assert [delivery.count for delivery in deliveries if delivery not in readable(deliveries)] == [1]


def test_one_item_in_the_middle_of_a_batch_is_no_event(deliveries: list[Delivery]) -> None:
    bad = [
        (position, delivery.count)
        for delivery in readable(deliveries)
        for position, item in enumerate(map(orjson.loads, split(delivery.body)))
        if not (item.get("auditID") or item.get("AuditID"))
    ]

    ((position, count),) = bad
    assert 0 < position < count - 1


def test_all_addresses_are_of_the_documentation_ranges(deliveries: list[Delivery]) -> None:
    text = b"".join(delivery.body for delivery in deliveries).decode()
    found = set(re.findall(r'"(\d+\.\d+\.\d+\.\d+)"', text))

    assert found
    assert all(any(ip_address(address) in net for net in DOCUMENTATION) for address in found)
