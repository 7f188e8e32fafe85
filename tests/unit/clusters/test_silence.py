"""When a cluster counts as silent, to the second, and what that is told from."""

from datetime import UTC, datetime, timedelta

import pytest

from auditwire.clusters import Cluster, LastUse, Registration
from auditwire.clusters.silence import MIN_SILENCE_SECONDS, Silence, silences

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HALF_AN_HOUR = 1_800


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def row(
    cluster: str = "prod",
    *,
    used: float | None = None,
    created: float | None = 86_400,
    silence: int | None = HALF_AN_HOUR,
    expires: float | None = None,
    not_before: float | None = None,
    enabled: bool = True,
) -> Registration:
    """A row; times are seconds before now, silence in seconds."""
    return Registration(
        credential="0" * 64,
        cluster=Cluster(cluster),
        enabled=enabled,
        created=None if created is None else ago(created),
        expires=None if expires is None else ago(expires),
        not_before=None if not_before is None else ago(not_before),
        silence_seconds=silence,
        use=None if used is None else LastUse(ago(used), 5, 1),
    )


def silent(*rows: Registration) -> list[str]:
    return [silence.cluster for silence in silences(rows, NOW)]


@pytest.mark.parametrize(("used", "is_silent"), [(0, False), (1_799, False), (1_800, True), (1_801, True)])
def test_it_is_silent_from_the_second_at_which_its_time_is_over(used: int, is_silent: bool) -> None:
    assert silent(row(used=used)) == ["prod"] * is_silent


def test_a_silence_says_since_when_and_who_was_last_heard() -> None:
    assert silences([row(used=3_600)], NOW) == [
        Silence(cluster="prod", seconds=HALF_AN_HOUR, since=ago(3_600), use=LastUse(ago(3_600), 5, 1))
    ]


def test_a_cluster_without_an_interval_is_never_silent() -> None:
    assert silent(row(used=10**8, silence=None), row("new", silence=None)) == []


@pytest.mark.parametrize("silence", [1, 60, MIN_SILENCE_SECONDS - 1])
def test_an_interval_that_cannot_be_measured_counts_as_the_shortest(silence: int) -> None:
    assert silent(row(used=MIN_SILENCE_SECONDS - 1, silence=silence)) == []
    assert silent(row(used=MIN_SILENCE_SECONDS, silence=silence)) == ["prod"]


def test_an_interval_of_any_size_is_understood() -> None:
    assert silent(row(used=10**6, silence=10**37)) == []


def test_clusters_are_told_apart_and_come_by_name() -> None:
    assert silent(row("b", used=9_999), row("a", used=9_999), row("c", used=1)) == ["a", "b"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_cluster_is_heard_by_any_of_its_credentials(newest_first: bool) -> None:
    rows = [row(used=9_999), row(used=10, created=100)]
    assert silent(*rows[:: -1 if newest_first else 1]) == []


def test_during_a_rotation_the_old_credential_counts_until_the_new_one_is_used() -> None:
    assert silent(row(used=60), row(created=600)) == []
    # A new credential is no sign of life.
    (found,) = silences([row(used=9_999), row(created=10)], NOW)
    assert found.since == ago(9_999)


def test_of_two_intervals_the_one_that_tells_sooner_counts() -> None:
    assert silent(row(used=2_000, silence=3_600), row(silence=None), row(silence=HALF_AN_HOUR)) == ["prod"]


@pytest.mark.parametrize(("created", "is_silent"), [(1_799, False), (1_800, True)])
def test_what_never_sent_has_its_interval_from_when_it_was_added(created: int, is_silent: bool) -> None:
    found = silences([row(created=created)], NOW)
    assert [(one.use, one.since) for one in found] == [(None, ago(created))] * is_silent


def test_what_never_sent_has_its_interval_from_when_its_credential_begins_to_hold() -> None:
    assert silent(row(not_before=1_799)) == []
    assert silent(row(not_before=-60)) == []
    assert silent(row(not_before=1_800)) == ["prod"]


def test_a_row_made_by_hand_that_never_sent_and_does_not_say_since_when_is_silent_at_once() -> None:
    (found,) = silences([row(created=None)], NOW)
    assert (found.since, found.use) == (None, None)
    assert silent(row(created=None), row(created=10)) == ["prod"]


def test_a_cluster_whose_only_credential_has_expired_is_silent_and_it_is_said_why() -> None:
    (found,) = silences([row(used=4_000, expires=3_900)], NOW)
    assert (found.expired, found.since) == (ago(3_900), ago(4_000))
    assert silent(row(used=100, expires=50)) == [], "not before its time is over"


def test_the_last_of_several_expired_credentials_is_named_and_none_while_one_holds() -> None:
    (found,) = silences([row(used=9_000, expires=8_000), row(expires=7_000)], NOW)
    assert found.expired == ago(7_000)
    (found,) = silences([row(used=9_000, expires=8_000), row(expires=-60)], NOW)
    assert found.expired is None
    (found,) = silences([row(used=9_000, expires=8_000), row(not_before=-60)], NOW)
    assert found.expired is None


def test_what_was_switched_off_is_not_silent() -> None:
    assert silent(row(used=9_999, enabled=False)) == []
    # With one credential left that may be used it is.
    assert silent(row(used=9_999, enabled=False), row(created=5_000)) == ["prod"]
    # And whichever was used last, it was heard.
    assert silent(row(used=10, enabled=False), row(created=5_000)) == []


def test_a_use_slightly_ahead_of_the_clock_counts_and_one_far_ahead_hides_nothing() -> None:
    assert silent(row(used=-300)) == []
    (found,) = silences([row(used=-301)], NOW)
    assert (found.use, found.since) == (None, ago(86_400))
    (found,) = silences([row(used=-(10**8)), row(used=2_000)], NOW)
    assert found.since == ago(2_000)
