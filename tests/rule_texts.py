"""Rule documents as people write them, for tests of what reads them."""

from textwrap import dedent, indent

from auditwire.rules import RuleSet, Source, load_sources

_DOCUMENT = """\
apiVersion: auditing.kubesphere.io/v1alpha1
kind: Rule
metadata: {{name: {name}, labels: {{type: {kind}}}}}
spec:
  rules:
"""


def document(entries: str, *, name: str = "mine", kind: str = "alerting") -> str:
    """A Rule document with these entries, which begin in line 6."""
    return _DOCUMENT.format(name=name, kind=kind) + indent(dedent(entries).strip(), "  ") + "\n"


def rule(condition: str, *, name: str = "r", priority: str = "WARNING", more: str = "") -> str:
    """An entry in one line; ``more`` are other fields of it, each after a comma."""
    quoted = condition.replace("'", "''")
    return f"- {{name: {name}, type: rule, priority: {priority}, condition: '{quoted}'{more}}}\n"


def one_rule(name: str, condition: str = 'Verb = "get"', *, kind: str = "alerting", rule_name: str = "r") -> str:
    """A document of that name with one rule."""
    return document(rule(condition, name=rule_name), name=name, kind=kind)


def rule_set_of(*texts: str) -> RuleSet:
    """The rules of documents, which must be without error."""
    loaded = load_sources(Source(f"{number}.yaml", text) for number, text in enumerate(texts))
    assert loaded.rule_set is not None, loaded.diagnostics
    return loaded.rule_set
