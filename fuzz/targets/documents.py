"""What rule authors write: conditions, rule documents, policies; and conditions met with odd events."""

import json
from collections.abc import Hashable
from functools import cache
from random import Random
from typing import Any

from auditwire.condition import Condition, ConditionError, EvaluationError, compile_condition
from auditwire.condition.syntax import SPELLINGS
from auditwire.events import Event, decode
from auditwire.policy import Policy, attributes_of, check_policy
from auditwire.rules import Source, load_sources
from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.fields import EventFields
from fuzz import seeds
from fuzz.mutation import mutator
from fuzz.target import Target

_PRECEDENCES = ("strict", "kubesphere", "standard")
_WORDS = (
    *(f" {word} ".encode() for word in SPELLINGS), b" and ", b" or ", b" not ", b"!", b"(", b")", b" in (", b'"', b"\\", b'"a"', b"${", b"}", b"[*]", b"[0]", b"[1:2]", b"[:]", b"[99999999999]", b".", b",", b"true",
    b"Verb", b"User.Groups", b"RequestObject.", b"Annotations.a", b"ResponseStatus.code", b"\n", b"\t", b"*", b"?", b"(a+)+$",
    b".{999}", b"[[:alpha:]]", b"\\C", b"(?i)", b"\xc3\xa9", b"\x00", b"\xe2\x80\xa8", b"not not not ", b"((((",
)  # fmt: skip
_YAML_WORDS = (
    *_WORDS, b": ", b"- ", b"  ", b"&a ", b"*a", b"!!binary ", b"!!python/object:os.system ", b"<<: *a", b"|\n", b">-\n", b"---\n",
    b"...\n", b"# ", b"? ", b"{", b"}", b"[", b"]", b"'", b"%YAML 1.1\n", b"!!set", b"0x1F", b"1_000", b"2026-11-21", b".inf",
    b"~", b"yes", b"name: ", b"type: rule", b"type: macro", b"type: list", b"type: alias", b"condition: ", b"macro: ", b"list: ",
    b"output: ", b"labels: ", b"priority: WARNING", b"enable: ", b"spec: ", b"rules:\n", b"kind: Rule\n", b"kind: Webhook\n",
    b"omitStages: [Panic]\n", b"level: ", b"resources: ", b"nonResourceURLs: ", b"omitManagedFields: ", b"namespaces: ", b"\xef\xbb\xbf",
)  # fmt: skip


@cache
def _fields() -> EventFields:
    return EventFields()


@cache
def _events() -> list[Event]:
    return [event for body in seeds.bodies() for event in decode(body).events][:12]


@cache
def _plain_events() -> list[Any]:
    return [json.loads(text) for text in seeds.vector_events()][:6]


def _judge(condition: Condition, event: Any) -> str:
    try:
        return str(condition.evaluate(event))
    except EvaluationError:
        return "error"


def _condition(data: bytes) -> Hashable:
    text = data.decode("utf-8", "surrogateescape")
    precedence = _PRECEDENCES[len(data) % 3]
    codes: list[Hashable] = []
    for fields, events in ((None, _plain_events()), (_fields(), _events())):
        try:
            condition = compile_condition(text, precedence=precedence, fields=fields)  # type: ignore[arg-type]
        except ConditionError as error:
            codes.append(frozenset(found.code for found in error.diagnostics))
            for found in error.diagnostics:
                assert found.line >= 1, "a finding without a place"
            continue
        outcomes = [_judge(condition, event) for event in events]
        assert outcomes == [_judge(condition, event) for event in events], "judging twice gives two results"
        codes.append(frozenset(outcomes))
    return tuple(codes)


@cache
def _compiled() -> list[Condition]:
    found = []
    for text in seeds.condition_vectors()[::12]:
        try:
            found.append(compile_condition(text, precedence="kubesphere"))
        except ConditionError:
            continue
    return found


def _evaluate(data: bytes) -> Hashable:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(event, dict):
        return "no object"
    return tuple(_judge(condition, event) for condition in _compiled())


def _rules(data: bytes) -> Hashable:
    text = data.decode("utf-8", "surrogateescape")
    source = Source("fuzzed.yaml", text)
    loaded = load_sources([source])
    codes = frozenset(found.code for found in loaded.diagnostics)
    if loaded.rule_set is not None:
        encoded = encode_bundle(loaded.rule_set, [source])
        again = decode_bundle(encoded).rule_set
        for event in _events():
            verdict = loaded.rule_set.decide(event)
            same = again.decide(event)
            assert (verdict.archiving, verdict.alerting) == (same.archiving, same.alerting), (
                "the bundle decides otherwise"
            )
            for rule in verdict.alerts:
                message = rule.message(event)
                assert len(message.encode("utf-8", "surrogatepass")) <= 1_024, "a message that is too long"
                assert "\n" not in message, "a message of several lines"
    return codes, loaded.rule_set is not None


def _policy(data: bytes) -> Hashable:
    loaded = check_policy(Source("policy.yaml", data.decode("utf-8", "surrogateescape")))
    codes = frozenset(found.code for found in loaded.diagnostics)
    assert (loaded.policy is None) == (loaded.load == "error")
    if loaded.policy is not None:
        assert Policy.from_json(loaded.policy.as_json()) == loaded.policy, (
            "a policy changes on its way through a bundle"
        )
        for event in _events():
            loaded.policy.evaluate(attributes_of(event))
    return codes, loaded.load


def _two_vectors(rng: Random, corpus: list[bytes]) -> bytes:
    if rng.random() < 0.3:
        one, other = rng.choice(corpus), rng.choice(corpus)
        return b"(" + one + rng.choice((b") and (", b") or not (", b" or ", b") and not (")) + other + b")"
    return _change_condition(rng, corpus)


_change_condition = mutator(_WORDS, trees=False, largest=80_000)

CONDITION = Target(
    "condition", _condition, lambda: [text.encode() for text in seeds.condition_vectors()], _two_vectors, share=3
)
EVALUATE = Target("evaluate", _evaluate, seeds.vector_events, mutator(), share=1)
RULES = Target("rules", _rules, seeds.rule_documents, mutator(_YAML_WORDS, trees=False, largest=64_000), share=3)
POLICY = Target("policy", _policy, seeds.policies, mutator(_YAML_WORDS, trees=False, largest=64_000), share=2)
