"""A row of the clusters table: what it says, how long it holds, and what a hand-made one may not get wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditwire.clusters import Cluster, DirectoryError, LastUse, Registration, is_label
from auditwire.senders.kind import SenderKind

SECONDS = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda time: time.replace(microsecond=0)
)
LABELS = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True),
    st.text(min_size=1, max_size=20).filter(str.isprintable),
    max_size=5,
)
REGISTRATIONS = st.builds(
    Registration,
    credential=st.sampled_from(["0" * 64, "cert:" + "f" * 64]),
    cluster=st.builds(Cluster, st.just("prod"), st.sampled_from(SenderKind), LABELS),
    enabled=st.booleans(),
    not_before=st.none() | SECONDS,
    expires=st.none() | SECONDS,
    created=st.none() | SECONDS,
    silence_seconds=st.none() | st.integers(1, 10**6),
)


def row(**more: Any) -> dict[str, Any]:
    return {
        "credential": {"S": "0" * 64},
        "cluster": {"S": "prod"},
        "sender": {"S": "any"},
        "enabled": {"BOOL": True},
        **more,
    }


@given(REGISTRATIONS)
def test_what_is_written_is_read_again(registration: Registration) -> None:
    assert Registration.from_row(registration.as_row()) == registration


@given(REGISTRATIONS, SECONDS)
def test_it_holds_from_its_beginning_until_just_before_its_end(registration: Registration, now: datetime) -> None:
    begun = registration.not_before is None or registration.not_before <= now
    ended = registration.expires is not None and registration.expires <= now
    assert registration.holds(now.timestamp()) is (registration.enabled and begun and not ended)


@pytest.mark.parametrize(
    ("text", "expires"),
    [
        ("2027-02-21T10:00:00Z", datetime(2027, 2, 21, 10, tzinfo=UTC)),
        ("2027-02-21T10:00:00+02:00", datetime(2027, 2, 21, 8, tzinfo=UTC)),
        ("2027-02-21", datetime(2027, 2, 21, tzinfo=UTC)),
    ],
)
def test_limits_made_by_hand_are_understood(text: str, expires: datetime) -> None:
    assert Registration.from_row(row(expires={"S": text})).expires == expires


@pytest.mark.parametrize("name", ["not_before", "expires"])
@pytest.mark.parametrize(
    "value", [{"S": "soon"}, {"S": ""}, {"N": "1800000000"}, {}, {"S": "0001-01-01T00:00:00+23:00"}], ids=str
)
def test_a_limit_that_cannot_be_read_lets_nobody_in(name: str, value: dict[str, Any]) -> None:
    with pytest.raises(DirectoryError, match=f"no usable {name}: a time like 2027-02-21T00:00:00Z"):
        Registration.from_row(row(**{name: value}))


def test_what_does_not_decide_is_left_out_where_it_cannot_be_read() -> None:
    labels = {"team": {"S": "shop"}, "bad name": {"S": "x"}, "__own": {"S": "x"}, "empty": {"S": ""}, "n": {"N": "1"}}
    odd = row(labels={"M": labels}, created={"S": "long ago"}, silence_seconds={"S": "1"}, events={"N": "1.5"})

    registration = Registration.from_row({**odd, "last_seen": {"S": "2026-11-21T22:00:00Z"}})

    assert registration.cluster.labels == {"team": "shop"}
    assert (registration.created, registration.silence_seconds) == (None, None)
    assert registration.use == LastUse(datetime(2026, 11, 21, 22, tzinfo=UTC))


def test_too_many_labels_are_cut_off() -> None:
    labels = {f"l{number:02}": {"S": "x"} for number in range(40)}
    assert len(Registration.from_row(row(labels={"M": labels})).cluster.labels) == 16


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("team", "shop floor", True),
        ("_x1", "ü", True),
        ("__x", "y", False),
        ("1x", "y", False),
        ("a-b", "y", False),
        ("a" * 64, "y", False),
        ("team", "", False),
        ("team", "a\nb", False),
        ("team", "y" * 129, False),
    ],
)
def test_labels_are_legal_and_bounded(name: str, value: str, fits: bool) -> None:
    assert is_label(name, value) is fits


def test_nothing_of_the_key_is_shown() -> None:
    registration = Registration.from_row(row(expires={"S": str(datetime.now(UTC) + timedelta(days=1))}))
    assert "0" * 64 not in repr(registration)
