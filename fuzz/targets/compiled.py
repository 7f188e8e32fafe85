"""What functions read from the rules bucket: bundles, active.json and status.json."""

from collections.abc import Hashable
from datetime import UTC, datetime
from random import Random

import orjson

from auditwire.bundles.rules_state import Active, SourceState, StateError, Status
from auditwire.documents.source import digest_of
from auditwire.rules import Source, default_rules, load_sources
from auditwire.rules.bundle import BundleError, decode_bundle, encode_bundle
from fuzz import seeds
from fuzz.mutation import change_value, mutator
from fuzz.target import Target

_MOMENT = datetime(2026, 11, 21, 22, 6, tzinfo=UTC)


def _bundle(data: bytes) -> Hashable:
    try:
        bundle = decode_bundle(data)
    except BundleError as error:
        return error.diagnostic.code, error.diagnostic.message[:60]
    return len(bundle.rule_set.archiving), len(bundle.rule_set.alerting)


def _bundles() -> list[bytes]:
    found = []
    for text in [document.decode() for document in seeds.rule_documents()]:
        source = Source("r.yaml", text)
        loaded = load_sources([source])
        if loaded.rule_set is not None:
            found.append(encode_bundle(loaded.rule_set, [source]))
    policy = Source("policy.yaml", seeds.policies()[0].decode())
    loaded = load_sources([*default_rules(), policy])
    if loaded.rule_set is not None:
        found.append(encode_bundle(loaded.rule_set, [policy]))
    return found


def _changed_bundle(rng: Random, corpus: list[bytes]) -> bytes:
    """A changed bundle whose digest mostly still fits its documents, so that reading it does not end there."""
    if rng.random() < 0.2:
        return _change(rng, corpus)
    try:
        value = orjson.loads(corpus[int(rng.random() * len(corpus))])
        for _ in range(1 + int(rng.random() * 3)):
            value = change_value(rng, value)
        sources = [Source(one["path"], one["text"]) for one in value["sources"]]
        value["digest"] = digest_of(sources)
        return orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, KeyError, TypeError, AttributeError, RecursionError):
        return _change(rng, corpus)


def _state(data: bytes) -> Hashable:
    outcome = []
    for decoder in (Active.decode, Status.decode):
        try:
            decoder(data)
        except StateError as error:
            outcome.append(str(error)[:50])
        else:
            outcome.append("read")
    return tuple(outcome)


def _states() -> list[bytes]:
    finding = {"code": "AW201", "severity": "error", "path": "a", "line": 1, "column": 1, "message": "m", "hint": "h"}
    status = Status(
        verdict="refused",
        digest="d",
        active=None,
        sources=(SourceState(key="rules/a.yaml", sha256="s"),),
        time=_MOMENT,
        errors=1,
        warnings=0,
        diagnostics=(finding,),
    )
    return [Active("d", "s", _MOMENT).encode(), status.encode(), status.as_alerted().encode()]


_change = mutator()

BUNDLE = Target("bundle", _bundle, _bundles, _changed_bundle)
STATE = Target("state", _state, _states, mutator(), share=0.6)
