"""The default pack: the bundle of the default documents, which the layer contains in compiled form.

python -m auditwire.rules.pack DEST      write it, as the layer's build does
"""

import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from auditwire.condition.syntax import Comparison, Not, Operator, Or, Segment
from auditwire.condition.syntax import Path as Field
from auditwire.documents.source import Source
from auditwire.events import Level
from auditwire.rules.bundle import decode_bundle, encode_bundle
from auditwire.rules.files import default_rules
from auditwire.rules.rule_set import Rule, RuleSet, RuleText
from auditwire.rules.settings import Priority

PACK: Final = Path(__file__).parent.parent / "default_bundle.json"


def is_compiled() -> bool:
    """Whether the default documents are there in compiled form, as in the layer."""
    return PACK.is_file()


def default_rule_set() -> RuleSet:
    """The rules in force before the first upload: the layer's pack, or else the compiled documents of the
    repository."""
    if PACK.is_file():
        return decode_bundle(PACK.read_bytes()).rule_set
    return decode_bundle(compile_pack()).rule_set


def cautious_rule_set() -> RuleSet:
    """The default pack, extended to keep every event. For functions that cannot learn which rules are in force.

    So nothing is lost that those rules would have kept. Such events are marked by the rule ``auditwire.RulesUnknown``.
    """
    rules = default_rule_set()
    return replace(rules, archiving=(*rules.archiving, Rule(_EVERYTHING)))


def doctor_rule_set(rules: RuleSet) -> RuleSet:
    """What decides about the test event of `auditwire doctor` instead of the rules in force: it is archived, and no
    rule alerts on it."""
    settings = replace(rules.settings, audit_level=Level.METADATA, k8s_auditing_enabled=True)
    return replace(rules, archiving=(Rule(_TEST),), alerting=(), policy=None, settings=settings)


def compile_pack() -> bytes:
    """The bundle of the default documents. Raises ``RulesError`` if they have errors."""
    return _compiled(tuple(default_rules()))


@lru_cache(maxsize=1)
def _compiled(sources: tuple[Source, ...]) -> bytes:
    # In a checkout every new environment of a function asks for it.
    from auditwire.rules.load import RulesError, load_sources  # noqa: PLC0415 - brings parser and YAML along

    loaded = load_sources(sources)
    if loaded.rule_set is None:
        raise RulesError(loaded.diagnostics)
    return encode_bundle(loaded.rule_set, sources)


_HAS_VERB: Final = Comparison(Field((Segment("Verb"),), "Verb"), Operator.EXISTS)
_EVERYTHING: Final = RuleText(
    name="RulesUnknown",
    document="auditwire",
    desc="Every event, kept because the rules could not be read",
    priority=Priority.WARNING,
    expression=Or((_HAS_VERB, Not(_HAS_VERB))),
)
_TEST: Final = replace(_EVERYTHING, name="DoctorTest", desc="A test event of auditwire doctor")


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(compile_pack())
