"""The rules in force: the active bundle is polled, replaced as a whole, and never lost."""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from auditwire.bundles.rules_bucket import ACTIVE_KEY, RulesBucket, RulesBucketError, StoredObject, bundle_key
from auditwire.bundles.rules_state import Active, StateError
from auditwire.documents.diagnostics import Diagnostic, Severity
from auditwire.rules import RuleSet
from auditwire.rules.bundle import BundleError, decode_bundle
from auditwire.rules.pack import cautious_rule_set, default_rule_set, is_compiled

POLL_SECONDS: Final = 30.0
UNKNOWN_SECONDS: Final = 1.0
"""How soon to try again while the rules in force are unknown."""
PROMPT_SECONDS: Final = 0.2
"""A failure that takes less, such as a connection that S3 had closed, is retried at once, because a request is
waiting."""


@dataclass(frozen=True, slots=True)
class RulesProblem:
    """Why a newer bundle does not come into force. ``diagnostic`` is None if the bundle could not be read."""

    message: str
    diagnostic: Diagnostic | None = None


class ActiveRules:
    """Provides the rule set in force.

    ``active.json`` is polled, by its ETag, on first use and then at most every ``poll`` seconds of ``clock`` (seconds
    since the epoch). A bundle comes into force as a whole, once its bytes are those that active.json names and it has
    been built. Before the first bundle, the default pack is in force; after it, the last good bundle, whatever happens
    to the bucket. An environment that starts while that bundle is damaged uses the one before it. An environment that
    starts and cannot read any bundle tries again with every request, at most once a second, and keeps every event until
    then. ``on_problem`` is called once for each thing that keeps a bundle out of force.
    """

    def __init__(
        self,
        bucket: RulesBucket,
        *,
        clock: Callable[[], float] = time.time,
        poll: float = POLL_SECONDS,
        on_problem: Callable[[RulesProblem], None] = lambda problem: None,
    ) -> None:
        self._bucket = bucket
        self._clock = clock
        self._poll = poll
        self._on_problem = on_problem
        self._rules: RuleSet | None = None
        self._packs: dict[bool, RuleSet] = {}
        self._unknown = False
        self._etag: str | None = None
        self._compiled: float | None = None
        self._asked_at: float | None = None
        self._known_at: float | None = None
        self._problem: RulesProblem | None = None

    def current(self) -> RuleSet:
        """The rule set in force."""
        now = self._clock()
        lost = self._unknown and self._rules is None
        pause = min(self._poll, UNKNOWN_SECONDS) if lost else self._poll
        if self._asked_at is None or not 0 <= now - self._asked_at < pause:
            self._asked_at = now
            self._unknown = not self._look(now)
            if self._known_at is None or not self._unknown:
                self._known_at = now
        return self._rules or self._pack()

    def prepare(self) -> None:
        """Builds what is in force before the first bundle, if the layer has it compiled. Asks nobody."""
        if is_compiled():
            self._pack()

    def renew(self) -> None:
        """Has the next call look for the rules in force, as the first one does."""
        self._asked_at = self._known_at = None

    def confirmed(self) -> RuleSet | None:
        """The rule set of the bundle in force, if the last look has confirmed it; None before there is a bundle, and
        while it cannot be read."""
        self.current()
        return None if self._unknown else self._rules

    def ages(self) -> dict[str, float]:
        """How many seconds ago the bundle in force was compiled, and was last confirmed to be the right one.

        An environment that could never confirm it counts from its first attempt. A value is left out if there is
        nothing to measure: no bundle yet, or no attempt yet.
        """
        now = self._clock()
        since = {"BundleAgeSeconds": self._compiled, "RulesPollAgeSeconds": self._known_at}
        return {name: max(0.0, now - moment) for name, moment in since.items() if moment is not None}

    def _pack(self) -> RuleSet:
        """What is in force before there is a bundle, or before it is known whether there is one."""
        if self._unknown not in self._packs:
            self._packs[self._unknown] = cautious_rule_set() if self._unknown else default_rule_set()
        return self._packs[self._unknown]

    def _look(self, now: float) -> bool:
        """Takes what is new. Returns whether it is known now which rules are in force."""
        try:
            found = self._fetch_promptly(now)
        except RulesBucketError as error:
            self._report(RulesProblem(f"the rules could not be read: {error}"))
            return False
        except StateError as error:
            self._refuse(_foreign(f"active.json is not what compile_rules writes: {error}"))
            return False
        if found is None:
            return True
        etag, active, bundle = found
        if bundle is None:
            self._report(RulesProblem(f"active.json names the bundle {active.digest}, which is not there"))
            self._fall_back(active.previous)
            return False
        try:
            self._take(active, bundle.data)
        except BundleError as error:
            self._refuse(error)
            self._fall_back(active.previous)
            return False
        self._problem = None
        # Set only now, so that a bundle that could not be taken is tried again until it can.
        self._etag = etag
        return True

    def _fetch_promptly(self, now: float) -> tuple[str, Active, StoredObject | None] | None:
        try:
            return self._fetch()
        except RulesBucketError:
            if not 0 <= self._clock() - now < PROMPT_SECONDS:
                raise
        return self._fetch()

    def _fetch(self) -> tuple[str, Active, StoredObject | None] | None:
        """The contents of active.json, its ETag, and the bundle it names; None if it has not changed or does not
        exist."""
        answer = self._bucket.poll(ACTIVE_KEY, self._etag)
        if not isinstance(answer, StoredObject):
            return None
        active = Active.decode(answer.data)
        return answer.etag, active, self._bucket.read(bundle_key(active.digest))

    def _take(self, active: Active, data: bytes) -> None:
        """Puts a bundle in force. Raises ``BundleError`` before anything has changed."""
        if hashlib.sha256(data).hexdigest() != active.sha256:
            raise _foreign("the bundle is not the file active.json names: cut off, or overwritten")
        self._rules = decode_bundle(data).rule_set
        self._compiled = active.compiled.timestamp()

    def _fall_back(self, previous: Active | None) -> None:
        """If there is no bundle yet, takes the one that was in force before, if it can be read."""
        if previous is None or self._compiled is not None:
            return
        with suppress(RulesBucketError, BundleError):
            bundle = self._bucket.read(bundle_key(previous.digest))
            if bundle is not None:
                self._take(previous, bundle.data)

    def _refuse(self, error: BundleError) -> None:
        self._report(RulesProblem(str(error), error.diagnostic))

    def _report(self, problem: RulesProblem) -> None:
        if problem != self._problem:
            self._problem = problem
            self._on_problem(problem)


def _foreign(message: str) -> BundleError:
    hint = "publish the rules again; until then the rules before them stay in force"
    return BundleError(Diagnostic(code="AW401", severity=Severity.ERROR, message=message, hint=hint))
