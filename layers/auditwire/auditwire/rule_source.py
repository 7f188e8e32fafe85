"""The rules in force, from the rules bucket: polled, swapped as a whole, never lost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from auditwire.diagnostics import Diagnostic
from auditwire.rules import RulesError, RuleSet, Source, default_rules, load_sources

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

POLL_SECONDS: Final = 30.0

_SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RulesProblem:
    """Why the documents in the bucket are not in force. ``diagnostics`` is empty when they could not be read."""

    message: str
    diagnostics: tuple[Diagnostic, ...] = ()


class RuleSource:
    """Gives the rule set in force.

    The documents under ``prefix`` of ``bucket`` are looked at when first asked for and then every ``poll`` seconds of
    ``clock``, by their ETags. Only a set that loads without errors comes into force, as a whole. Until one has, and
    whenever the bucket holds none, the default documents hold; afterwards the last good set, whatever happens.
    ``on_problem`` is told once about each thing that keeps documents out of force.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefix: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        poll: float = POLL_SECONDS,
        on_problem: Callable[[RulesProblem], None] = lambda problem: None,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._clock = clock
        self._poll = poll
        self._on_problem = on_problem
        self._active: RuleSet | None = None
        self._etags: dict[str, str] | None = None
        self._looked_at: float | None = None
        self._problem: RulesProblem | None = None

    def current(self) -> RuleSet:
        """The rule set in force. Raises ``RulesError`` only if the default documents themselves are broken."""
        now = self._clock()
        if self._looked_at is None or not 0 <= now - self._looked_at < self._poll:
            self._looked_at = now
            self._look()
        if self._active is None:
            loaded = load_sources(default_rules())
            if loaded.rule_set is None:
                raise RulesError(loaded.diagnostics)
            self._active = loaded.rule_set
        return self._active

    def _look(self) -> None:
        try:
            etags = self._list()
            if etags == self._etags:
                return
            sources = [self._read(key, etag) for key, etag in sorted(etags.items())]
        except (BotoCoreError, ClientError) as error:
            self._report(RulesProblem(f"the rules in s3://{self._bucket}/{self._prefix} could not be read: {error}"))
            return
        self._etags = etags
        if not sources:
            return
        loaded = load_sources(sources)
        if loaded.rule_set is None:
            held = "the defaults stay" if self._active is None else "the last good ones stay"
            count = sum(found.is_error for found in loaded.diagnostics)
            errors = "1 error" if count == 1 else f"{count} errors"
            what = f"the rules in s3://{self._bucket}/{self._prefix} have {errors}; {held} in force"
            self._report(RulesProblem(what, tuple(loaded.diagnostics)))
            return
        self._problem = None
        self._active = loaded.rule_set

    def _list(self) -> dict[str, str]:
        """The ETag of each document, by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        return {
            entry["Key"]: entry["ETag"]
            for page in pages
            for entry in page.get("Contents", ())
            if entry["Key"].endswith(_SUFFIXES)
        }

    def _read(self, key: str, etag: str) -> Source:
        # If-Match: a document replaced between the listing and now is taken up, with its neighbours, at the next look.
        answer = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=etag)
        return Source(key, answer["Body"].read().decode(errors="replace"))

    def _report(self, problem: RulesProblem) -> None:
        if problem != self._problem:
            self._problem = problem
            self._on_problem(problem)
