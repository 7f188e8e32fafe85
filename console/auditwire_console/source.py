"""What the console looks at: an archive, its evidence, and as far as they are known the rules and the clusters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from auditwire_console.cost import FREE, Costs

if TYPE_CHECKING:
    from auditwire.evidence.store import Reader
    from auditwire.evidence.walk import Keys
    from auditwire.rules import RuleSet
    from auditwire.search import Engine


def _no_rules() -> None:
    return None


def _no_clusters() -> Sequence[Mapping[str, Any]]:
    return ()


def _no_ledger(moment: datetime | None = None) -> None:
    del moment


def _no_rules_of(digest: str) -> None:
    del digest


@dataclass(frozen=True, slots=True)
class Source:
    """``title`` says in a few words what is looked at. ``reader`` reads the archive that ``engine`` searches, and its
    seals; ``keys`` are those that may have signed them.

    ``costs`` are those of searching; where there are any, their engines answer. ``live`` says that events go on
    arriving. ``rules`` gives the rules in force, and ``rules_of`` those with a digest, None where nobody knows them;
    ``clusters`` what is registered, as `auditwire cluster list --format json` has it; ``ledger`` the counts of the last
    day, or of the hours around a moment, as `auditwire ledger --format json` has them, None where nobody counts. All of
    them are asked anew each time, and raise UnavailableError.
    """

    title: str
    engine: "Engine"
    reader: "Reader"
    keys: "Keys"
    now: Callable[[], datetime]
    costs: Costs = FREE
    live: bool = False
    rules: "Callable[[], RuleSet | None]" = _no_rules
    clusters: Callable[[], Sequence[Mapping[str, Any]]] = _no_clusters
    rules_of: "Callable[[str], RuleSet | None]" = _no_rules_of
    ledger: Callable[[datetime | None], Mapping[str, Any] | None] = _no_ledger
