"""From ``Rule`` and ``Webhook`` documents to a ``RuleSet`` that decides about events.

The names for loading documents need the parser and YAML, so they are imported when they are first used. A function that
takes its rules from a bundle never imports them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from auditwire.documents.source import Source
from auditwire.rules.files import default_rules, read_sources, rule_files, rule_test_files
from auditwire.rules.rule_set import Rule, RuleFailure, RuleSet, RuleText, Verdict
from auditwire.rules.settings import Priority, Receiver, Settings

if TYPE_CHECKING:
    from auditwire.rules.load import Loaded, RulesError, load_rule_set, load_sources

__all__ = [
    "Loaded",
    "Priority",
    "Receiver",
    "Rule",
    "RuleFailure",
    "RuleSet",
    "RuleText",
    "RulesError",
    "Settings",
    "Source",
    "Verdict",
    "default_rules",
    "load_rule_set",
    "load_sources",
    "read_sources",
    "rule_files",
    "rule_test_files",
]

_LAZY: Final = frozenset(("Loaded", "RulesError", "load_rule_set", "load_sources"))


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module("auditwire.rules.load"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
