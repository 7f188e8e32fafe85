"""Waiting for what compile_rules says about exactly the documents that were sent."""

from collections.abc import Callable
from pathlib import Path

import pytest

from auditwire.bundles.compile_rules import MAX_DOCUMENTS
from auditwire_cli.rules.upload import Upload, documents_in, send
from auditwire_cli.rules.verdict import NoVerdictError, Seen, await_verdict, findings_of, read_status
from rules_publishing import World, rule


class Clock:
    """Time passes only by sleeping; after so many looks something happens."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self.time = 0.0
        self._happenings = list(happenings)

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        if self._happenings:
            self._happenings.pop(0)()


def nothing() -> None:
    pass


def sent(world: World, **documents: bytes) -> tuple[Upload, Seen]:
    """An upload that is on its way, and status.json as it was before."""
    before = read_status(world.bucket)
    upload = Upload(documents_in(world.bucket), {f"{name}.yaml": data for name, data in documents.items()})
    send(world.bucket, upload)
    return upload, before


def test_the_verdict_is_waited_for() -> None:
    world = World(a=rule("a"))
    world.compile()
    upload, before = sent(world, a=rule("a2"), b=rule("b"))
    clock = Clock(nothing, nothing, world.compile)

    status = await_verdict(world.bucket, upload, before, seconds=60, clock=clock, sleep=clock.sleep)

    assert (status.verdict, status.digest, status.active) == ("accepted", upload.digest, upload.digest)
    assert 0 < clock.time < 2


def test_a_refusal_is_a_verdict() -> None:
    world = World(a=rule("a"))
    old = world.compile().digest
    upload, before = sent(world, a=rule("a", 'Vreb = "get"'))
    clock = Clock(world.compile)

    status = await_verdict(world.bucket, upload, before, seconds=60, clock=clock, sleep=clock.sleep)

    assert (status.verdict, status.active, status.errors) == ("refused", old, 1)
    (found,) = findings_of(status, upload.after, Path("here"))
    assert found.as_text().startswith("here/a.yaml:6:58: error AW102: there is no field 'Vreb'")
    assert found.source == rule("a", 'Vreb = "get"').decode().splitlines()[5]
    (there,) = findings_of(status, {})
    assert (there.path, there.source) == ("a.yaml", "")


def test_an_old_verdict_on_the_same_documents_does_not_count() -> None:
    world = World(a=rule("a", "Vreb exists"))
    world.compile()
    world.bucket.write("rules/a.yaml", rule("a"))  # nobody has looked at this one yet
    upload, before = sent(world, a=rule("a", "Vreb exists"))
    clock = Clock(nothing, lambda: world.later(61), world.compile)

    status = await_verdict(world.bucket, upload, before, seconds=60, clock=clock, sleep=clock.sleep)

    assert status.time == world.now


def test_documents_that_went_back_to_what_is_in_force_need_no_look() -> None:
    world = World(a=rule("a"))
    world.compile()
    world.bucket.write("rules/a.yaml", rule("changed"))
    upload, before = sent(world, a=rule("a"))

    assert await_verdict(world.bucket, upload, before, seconds=1, clock=Clock()).active == upload.digest


def test_documents_that_lay_there_already_have_their_verdict() -> None:
    world = World(a=rule("a", "Vreb exists"))
    world.compile()
    upload = Upload(documents_in(world.bucket), documents_in(world.bucket))

    status = await_verdict(world.bucket, upload, read_status(world.bucket), seconds=1, clock=Clock())

    assert status.verdict == "refused"


def test_nobody_says_anything_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    upload, before = sent(world, a=rule("a"))
    clock = Clock()

    with pytest.raises(NoVerdictError, match=r"no verdict on [0-9a-f]{12} after 30 s") as caught:
        await_verdict(world.bucket, upload, before, seconds=30, clock=clock, sleep=clock.sleep)

    assert caught.value.exit_code == 3
    assert 30 <= clock.time < 33
    assert capsys.readouterr().err.splitlines()[0].startswith("still waiting, 1")


def test_a_verdict_on_something_in_between_is_passed_over() -> None:
    world = World(a=rule("a"))
    upload, before = sent(world, a=rule("b"))
    mine = documents_in(world.bucket)

    def slow_run_of_before() -> None:
        world.bucket.write("rules/a.yaml", rule("in between"))
        world.compile()
        world.bucket.write("rules/a.yaml", mine["a.yaml"])

    clock = Clock(slow_run_of_before, nothing, world.compile)

    status = await_verdict(world.bucket, upload, before, seconds=60, clock=clock, sleep=clock.sleep)

    assert status.digest == upload.digest


def test_somebody_else_was_quicker() -> None:
    world = World()
    upload, before = sent(world, a=rule("a"))

    def theirs() -> None:
        world.bucket.write("rules/a.yaml", rule("theirs"))
        world.compile()

    clock = Clock(theirs)

    with pytest.raises(NoVerdictError, match="somebody else has changed the documents meanwhile"):
        await_verdict(world.bucket, upload, before, seconds=60, clock=clock, sleep=clock.sleep)


def test_too_many_documents_are_refused_under_another_name() -> None:
    world = World()
    upload, before = sent(world, **{f"d{number}": b"" for number in range(MAX_DOCUMENTS + 1)})
    clock = Clock(world.compile)

    status = await_verdict(world.bucket, upload, before, seconds=60, clock=clock, sleep=clock.sleep)

    assert status.digest != upload.digest
    assert [found.code for found in findings_of(status, upload.after)] == ["AW405"]


def test_a_status_nobody_can_read_is_none() -> None:
    world = World()
    world.bucket.write("status.json", b"{}")

    assert read_status(world.bucket).status is None
