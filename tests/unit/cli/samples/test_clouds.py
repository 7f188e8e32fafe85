"""The sample traffic of the clouds is read like that of everybody else."""

from collections import Counter
from datetime import UTC, datetime

from auditwire.events import Flag, decode
from auditwire_cli.samples.clouds import everything, of_clouds
from auditwire_cli.samples.traffic import story
from auditwire_cli.send.shape import Deliverer

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_every_cloud_and_shipper_delivers_and_everything_is_an_event() -> None:
    deliveries = of_clouds(NOW)

    assert {one.deliverer for one in deliveries} == set(Deliverer)
    assert {one.cluster for one in deliveries} == {"demo-eks", "demo-gke", "demo-aks", "demo-fluent-bit"}
    flags: Counter[str] = Counter()
    for one in deliveries:
        decoded = decode(one.body)
        assert (len(decoded.events), decoded.rejects, decoded.skipped) == (one.count, [], {})
        flags.update(flag for event in decoded.events for flag in event.flags)
    assert flags[Flag.CUT_OFF] == 1, "an event that somebody had cut off"
    assert flags[Flag.CONVERTED] > 0


def test_it_is_the_same_every_time_and_beside_the_story() -> None:
    assert of_clouds(NOW) == of_clouds(NOW)
    assert [one for one in everything(NOW) if one.deliverer is None] == story(NOW)
