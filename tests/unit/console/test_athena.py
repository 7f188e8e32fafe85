"""Searches that take Athena longer than an answer may: they go on, and who asks again gets their answer."""

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from athena_place import SlowAthena, athena_place
from auditwire.search.athena_engine import AthenaEngine
from auditwire.search.bucket import BucketObjects
from auditwire_console import Grant, Limits, Viewer
from console_client import Console
from searched import Archive, odd_event

SHOP = Viewer("shop", (Grant(frozenset({"prod"}), namespaces=frozenset({"shop"})),))
NAME = "search-of-somebody"
KUBESPHERE = "/kapis/tenant.kubesphere.io/v1alpha2/auditing/events"


@pytest.fixture(scope="module")
def archive() -> Archive:
    chance, archive = random.Random(3), Archive()
    archive.take([odd_event(chance, number) for number in range(30)], "prod")
    return archive


@pytest.fixture(scope="module")
def place(archive: Archive) -> Iterator[BucketObjects]:
    with athena_place(archive) as place:
        yield place


class Asked:
    """A console that answers within four seconds, by an Athena that takes ten for each statement."""

    def __init__(self, archive: Archive, place: BucketObjects, **limits: Any) -> None:
        self.slow, self.log = SlowAthena(), list[Mapping[str, Any]]()
        self.console = Console(
            archive.store,
            SHOP,
            engine=AthenaEngine(place, self.slow.athena),
            limits=Limits(4, 4, **limits),
            log=self.log.append,
            clock=lambda: self.slow.now,
        )

    def until_it_is_done(self, path: str, given: dict[str, Any], viewer: str = "owner") -> tuple[int, Any]:
        """How many times it was still running, and the answer."""
        for times in range(100):
            answer = self.console.get(path, {"search": NAME, **given}, viewer=viewer)
            if answer.status_code != 202:
                return times, answer
            assert answer.json() == {"running": True}
        raise AssertionError("it never ends")


@pytest.mark.parametrize("path", ["/api/rows", "/api/clusters", "/api/alerts"])
def test_a_search_that_takes_long_is_asked_for_until_it_is_done(
    archive: Archive, place: BucketObjects, path: str
) -> None:
    asked, given = Asked(archive, place), {"interval": "1h", "facet": "user"}
    expected = Console(archive.store, SHOP).ask(path, given, viewer="shop")

    times, answer = asked.until_it_is_done(path, given, "shop")

    assert answer.status_code == 200
    assert {**answer.json(), "coverage": 0} == {**expected, "coverage": 0}
    assert answer.json()["coverage"]["cutOff"] == ""
    # Each statement took ten seconds, of which an answer waits four; none was started twice, none was stopped.
    assert times >= 2 * len(asked.slow.started) > 0
    assert asked.slow.stopped == []
    assert [record["status"] for record in asked.log] == [202] * times + [200]
    assert asked.log[-1]["parameters"]["search"] == [NAME]


def test_searches_of_the_same_name_share_nothing_that_differs(archive: Archive, place: BucketObjects) -> None:
    asked = Asked(archive, place)
    _, everything = asked.until_it_is_done("/api/rows", {})
    before = len(asked.slow.started)

    times, answer = asked.until_it_is_done("/api/rows", {}, "shop")
    _, other = asked.until_it_is_done("/api/rows", {"is": "verb:get"})

    expected = Console(archive.store, SHOP).ask("/api/rows", viewer="shop")
    assert answer.json()["rows"] == expected["rows"] != everything.json()["rows"]
    assert times > 0
    assert len(asked.slow.started) == before + 2
    assert {row["verb"] for row in other.json()["rows"]} == {"get"}


def test_without_a_name_it_ends_when_its_time_is_over_and_says_so(archive: Archive, place: BucketObjects) -> None:
    asked = Asked(archive, place)

    page = asked.console.ask("/api/summary")
    kubesphere = asked.console.get(KUBESPHERE, {"search": NAME})

    assert page["coverage"]["cutOff"] == "time"
    assert (kubesphere.status_code, "narrow its time range" in kubesphere.text) == (500, True)
    assert asked.slow.stopped == list(asked.slow.started)


def test_an_export_is_asked_for_again_where_it_is_sent_whole(archive: Archive, place: BucketObjects) -> None:
    asked, streaming = Asked(archive, place, answer_bytes=1_000_000), Asked(archive, place)
    expected = Console(archive.store).get("/api/export").content

    times, answer = asked.until_it_is_done("/api/export", {})

    assert (times > 0, answer.content) == (True, expected)
    with pytest.raises(Exception, match="the export takes longer"):
        streaming.console.get("/api/export", {"search": NAME})


@pytest.mark.parametrize("name", ["short", "x" * 65, "sixteen letters!", "é" * 20, "../../../../../../"])
def test_a_name_is_one_that_nobody_else_chooses(archive: Archive, place: BucketObjects, name: str) -> None:
    asked = Asked(archive, place)

    assert asked.console.get("/api/rows", {"search": name}).status_code == 400
    assert not asked.slow.started
