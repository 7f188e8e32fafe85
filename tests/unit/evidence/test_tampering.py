"""Whatever somebody does to an archive that verifies, verifying says so; what it cannot say is known."""

from dataclasses import replace

import pytest

from auditwire.evidence.chain import Signed, Tail
from auditwire.evidence.reading import read_object
from auditwire.evidence.receipt import RefusedError, make_receipt, prove
from auditwire.evidence.seal import lines_in, parse_seal
from auditwire.evidence.states import ObjectReport, SealReport, SpanReport
from auditwire.evidence.writing import Chain, Statement
from sealed import NOON, outcome, seals
from tampering import CASES, file_at, head_of, intact, lines

QUIET = {"valid", "sealed", "before_first", "expired"}


@pytest.mark.parametrize("name", CASES)
def test_what_was_done_is_found(name: str) -> None:
    case, world = CASES[name], intact()
    head = head_of(world)
    before = world.reports(heads=(head,))
    assert outcome(before) == 0

    case.do(world)

    reports = world.reports()
    said: set[str] = {one.state for one in reports if isinstance(one, SealReport | ObjectReport | SpanReport)}
    assert (outcome(reports), said - QUIET) == (case.outcome, set(case.says))
    assert outcome(world.reports(heads=(head,))) == case.with_head


@pytest.mark.parametrize("wrong_first", [True, False])
def test_every_head_that_was_kept_must_hold(wrong_first: bool) -> None:
    world = intact()
    head = head_of(world)
    wrong = replace(head, sha256="0" * 64)

    reports = world.reports(heads=(wrong, head) if wrong_first else (head, wrong))

    assert outcome(reports) == 1
    assert (head.number, "broken_chain") in seals(reports)
    assert outcome(world.reports(heads=(head, head))) == 0


def test_a_receipt_of_an_object_of_another_cluster_is_refused() -> None:
    """Who may sign for one cluster cannot prove events of another."""
    world = intact()
    key = next(key for key in world.store.objects if key.startswith("events/cluster=test/"))
    entry = read_object(key, [world.store.objects[key]], world.store.modified[key]).entry
    last = file_at(world, 3)
    chain = Chain(world.store, world.key, "prod", Tail(Signed(parse_seal(last.seal), last), 4, ()), world.now)
    chain.put(Statement("backfill", NOON, world.now), [entry], world.retention, world.now)
    file = file_at(world, 4)
    receipt = make_receipt(lines(world, key), 0, next(iter(lines_in(file.objects))), file)

    with pytest.raises(RefusedError, match="none of the cluster prod"):
        prove(receipt, {world.key.fingerprint: world.key})


def test_the_matrix_is_as_large_as_it_says() -> None:
    found = [case for case in CASES.values() if case.outcome]
    hidden = [case for case in CASES.values() if not case.with_head]

    assert len(found) >= 40
    # What no seal can show: it is said on the page what does.
    assert {case.name for case in hidden} == {"leave-out-and-delete", "make-up-and-seal", "shorten-retention"}
    assert {case.rights for case in hidden} == {"seal"}
