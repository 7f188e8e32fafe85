"""Whatever somebody does to an archive that verifies, verifying says so; what it cannot say is known."""

import pytest

from auditwire.evidence.states import ObjectReport, SealReport, SpanReport
from sealed import outcome
from tampering import CASES, head_of, intact

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


def test_the_matrix_is_as_large_as_it_says() -> None:
    found = [case for case in CASES.values() if case.outcome]
    hidden = [case for case in CASES.values() if not case.with_head]

    assert len(found) >= 40
    # What no seal can show: it is said on the page what does.
    assert {case.name for case in hidden} == {"leave-out-and-delete", "make-up-and-seal", "shorten-retention"}
    assert {case.rights for case in hidden} == {"seal"}
