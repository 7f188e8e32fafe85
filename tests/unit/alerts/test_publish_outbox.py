"""Publishing the outbox: everything in it gets out, nothing goes that was not taken, two runs do no harm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from auditwire.alerts import OutboxError, Published
from auditwire.alerts.message import Message
from auditwire.alerts.outbox import Contents, Listing, MemoryOutbox, OutboxEntry, outbox_key
from auditwire.alerts.publish_outbox import OutboxRun, publish_outbox
from auditwire.thresholds.store import MemoryThresholds

MESSAGES = [Message(f'{{"n":{number}}}', {"rule": "r"}) for number in range(6)]
START = datetime(2026, 11, 21, 22, tzinfo=UTC)


@dataclass
class Clock:
    moment: datetime = START

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class Topic:
    """Takes everything but what it is told to fail or to refuse; ``down`` is no topic at all."""

    clock: Clock
    failing: set[str] = field(default_factory=set)
    invalid: set[str] = field(default_factory=set)
    down: bool = False
    taken: list[Message] = field(default_factory=list)
    patience: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def publish_messages(self, messages: Sequence[Message], deadline: float) -> Published[Message]:
        self.patience.append(deadline - self.clock().timestamp())
        self.meanwhile()
        refused = [message for message in messages if message.body in self.invalid]
        failed = [message for message in messages if self.down or message.body in self.failing]
        sent = [message for message in messages if message not in refused + failed]
        self.taken += sent
        return Published(len(sent), failed, refused)


@dataclass
class Outbox(MemoryOutbox):
    """An outbox that cannot do what it is told not to."""

    cannot: set[str] = field(default_factory=set)

    def _try(self, what: str) -> None:
        if what in self.cannot:
            raise OutboxError(f"s3://archive/ could not be {what}")

    def listing(self) -> Listing:
        self._try("listed")
        return super().listing()

    def read(self, entry: OutboxEntry) -> Contents | None:
        self._try(entry.key)
        return super().read(entry)

    def set_aside(self, messages: Sequence[Message]) -> None:
        self._try("set aside")
        super().set_aside(messages)

    def remove(self, entry: OutboxEntry) -> None:
        self._try("removed")
        super().remove(entry)


@dataclass
class Road:
    clock: Clock = field(default_factory=Clock)
    thresholds: MemoryThresholds = field(default_factory=MemoryThresholds)

    def __post_init__(self) -> None:
        self.topic = Topic(self.clock)
        self.outbox = Outbox(self.clock)

    def hold(self, *messages: Message) -> str:
        """Put one object into the outbox, a second after the one before."""
        self.clock.forward(1)
        self.outbox.hold(messages)
        return outbox_key(messages)

    def run(self, seconds: float = 40.0) -> OutboxRun:
        deadline = self.clock().timestamp() + seconds
        return publish_outbox(self.outbox, self.topic, self.thresholds, now=self.clock, deadline=deadline)


def test_an_empty_outbox_asks_nobody() -> None:
    road = Road()
    assert road.run() == OutboxRun()
    assert road.topic.patience == []


def test_everything_is_published_oldest_first_and_let_go() -> None:
    road = Road()
    for message in reversed(MESSAGES):
        road.hold(message)

    assert road.run() == OutboxRun(published=6)
    assert road.topic.taken == list(reversed(MESSAGES))
    assert road.outbox.objects == {}


def test_what_is_not_taken_stays_with_its_age() -> None:
    road = Road()
    key = road.hold(*MESSAGES)
    road.topic.failing = {MESSAGES[2].body, MESSAGES[4].body}
    road.clock.forward(60)

    assert road.run() == OutboxRun(published=4, waiting=1, age_seconds=60)
    assert road.outbox.objects[key].messages == (MESSAGES[2], MESSAGES[4])
    road.clock.forward(60)
    assert road.run() == OutboxRun(waiting=1, age_seconds=120)

    road.topic.failing = set()
    assert road.run() == OutboxRun(published=2)
    assert sorted(message.body for message in road.topic.taken) == [message.body for message in MESSAGES]


def test_a_topic_that_is_down_costs_one_patience_and_nothing_is_lost() -> None:
    road = Road()
    for message in MESSAGES:
        road.hold(message)
    before = dict(road.outbox.objects)
    road.topic.down = True

    assert road.run() == OutboxRun(waiting=6, age_seconds=5)
    assert road.outbox.objects == before
    assert road.topic.patience == [5, 0, 0, 0, 0, 0]


def test_one_object_that_is_never_taken_does_not_hold_up_the_others() -> None:
    road = Road()
    for message in MESSAGES:
        road.hold(message)
    road.topic.failing = {MESSAGES[0].body}

    run = road.run()

    assert (run.published, run.waiting) == (5, 1)
    assert road.topic.patience == [5, 0, 5, 5, 5, 5]


def test_a_refused_message_is_put_aside_once_and_never_tried_again() -> None:
    road = Road()
    road.hold(*MESSAGES[:3])
    road.topic.invalid, road.topic.failing = {MESSAGES[0].body}, {MESSAGES[1].body}

    assert road.run() == OutboxRun(published=1, refused=1, waiting=1, kept_aside=1)
    road.topic.failing = set()
    assert road.run() == OutboxRun(published=1, kept_aside=1)
    ((key, kept),) = road.outbox.objects.items()
    assert key.startswith("outbox/refused/")
    assert kept.messages == (MESSAGES[0],)


def test_a_refused_message_that_cannot_be_put_aside_stays() -> None:
    road = Road()
    road.hold(*MESSAGES[:2])
    road.topic.invalid = {MESSAGES[0].body}
    road.outbox.cannot = {"set aside"}

    run = road.run()

    assert (run.published, run.refused, run.waiting) == (1, 0, 1)
    assert run.problems == ["s3://archive/ could not be set aside"]
    road.outbox.cannot = set()
    assert road.run() == OutboxRun(published=1, refused=1, kept_aside=1)


@pytest.mark.parametrize("step", ["read", "removed"])
def test_what_fails_with_one_object_leaves_it_and_the_others_go_on(step: str) -> None:
    road = Road()
    keys = [road.hold(message) for message in MESSAGES]
    road.outbox.cannot = {keys[1] if step == "read" else step}

    run = road.run()

    assert (run.published, run.waiting) == ((5, 1) if step == "read" else (6, 6))
    assert len(run.problems) == run.waiting
    road.outbox.cannot = set()
    assert road.run().waiting == 0
    assert {message.body for message in road.topic.taken} == {message.body for message in MESSAGES}


def test_an_outbox_that_cannot_be_listed_is_an_error() -> None:
    road = Road()
    road.outbox.cannot = {"listed"}
    with pytest.raises(OutboxError, match="could not be listed"):
        road.run()


def test_what_there_is_no_time_for_waits_for_the_next_run() -> None:
    road = Road()
    for message in MESSAGES:
        road.hold(message)
    road.topic.meanwhile = lambda: road.clock.forward(10)

    run = road.run(seconds=25)

    assert (run.published, run.waiting) == (3, 3)
    assert run.age_seconds == 32
    assert road.topic.patience[-1] == 5


def test_two_runs_at_once_lose_nothing() -> None:
    road, calls = Road(), 0
    road.hold(*MESSAGES)
    road.hold(MESSAGES[0])
    other = Topic(road.clock, failing={MESSAGES[3].body})

    def meanwhile() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            publish_outbox(road.outbox, other, road.thresholds, now=road.clock, deadline=road.clock().timestamp() + 9)

    road.topic.meanwhile = meanwhile
    road.topic.failing = {MESSAGES[5].body}
    road.run()

    taken = {message.body for message in road.topic.taken + other.taken}
    left = {message.body for kept in road.outbox.objects.values() for message in kept.messages}
    assert taken | left == {message.body for message in MESSAGES}
    road.topic.failing = set()
    assert road.run().waiting == 0


def test_the_log_line_holds_plain_values_and_few_problems() -> None:
    fields = OutboxRun(published=1, problems=["x"] * 50).log_fields()
    assert fields["published"] == 1
    assert fields["problems"] == ["x"] * 10


def test_what_was_published_and_refused_is_counted_by_cluster() -> None:
    road = Road()
    prod, dev = (Message(name, {"rule": "own.A", "cluster": name}) for name in ("prod", "dev"))
    own, strange = Message("own", {"rule": "auditwire.RulesRefused"}), Message("odd", {"cluster": "../prod"})
    road.hold(prod, dev, own, strange)
    road.topic.invalid, road.topic.failing = {"prod"}, {"dev"}

    first = road.run().by_cluster
    road.topic.failing.clear()

    assert first == {
        "prod": {"OutboxRefused": 1},
        "_system": {"OutboxPublished": 1},
        "_unknown": {"OutboxPublished": 1},
    }
    assert road.run().by_cluster == {"dev": {"OutboxPublished": 1}}
