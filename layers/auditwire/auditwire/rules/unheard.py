"""Names that no event of a Kubernetes cluster has, and paths that lead through a list without saying so.

What an audit policy is checked for holds for conditions too; ``policy.known`` and ``list_fields`` have the names.
"""

from collections.abc import Iterator
from typing import Final

from auditwire.condition.errors import Finding
from auditwire.condition.fields import Field, FieldTable, Kind
from auditwire.condition.lint import single_tests
from auditwire.condition.remarks import MAX_FINDINGS, cut, cut_hint, warning
from auditwire.condition.syntax import AnyElement, Comparison, Expression, Operator, Path, Segment, Text, spell_path
from auditwire.policy.known import (
    group_problem,
    groups_of,
    is_group_name,
    is_subresource_word,
    is_user_name,
    resource_meant,
    resource_problem,
    subresource_problem,
    verb_problem,
)
from auditwire.rules.list_fields import LIST_FIELDS

_EXACT: Final = (Operator.EQUAL, Operator.IN)
_PARTS: Final = (Operator.CONTAINS, Operator.LIKE, Operator.STARTSWITH)
_ADDRESSES: Final = ("SourceIP", "SourceIPs")
_LISTS: Final = ("Containers",)
# Objects whose keys are free, and belong to nobody's API.
_FREE: Final = ("Annotations", "User.Extra", "ImpersonatedUser.Extra")


def unheard_of_in_kubernetes(expression: Expression, fields: FieldTable) -> list[Finding]:
    """The warnings about single tests of an expression, in the order of its text: AW121 and AW126.

    Fields and items are put in already; macros are left as references and looked at where they are defined.
    """
    tests = [
        (comparison, field)
        for comparison, of, _ in single_tests(expression, fields)
        if isinstance(path := comparison.field, Path) and isinstance(field := of.resolve(path), Field)
    ]
    findings: list[Finding] = []
    is_of_others = _is_about_others_only(tests)
    for comparison, field in tests:
        findings += _names(comparison, field)
        if not is_of_others:
            findings += _list_on_the_way(comparison, field)
        if len(findings) >= MAX_FINDINGS:
            break
    return findings


def _names(comparison: Comparison, field: Field) -> Iterator[Finding]:
    is_part = comparison.operator in _PARTS
    if not (is_part or comparison.operator in _EXACT) or comparison.lowered or field.rest:
        return
    for literal in comparison.operands:
        if not isinstance(literal, Text) or not literal.value:
            continue
        hint = _hint_of_part(field.name, literal.value) if is_part else _hint(field.name, literal.value)
        if hint:
            yield warning("AW121", comparison, f'no event has the {field.name} "{cut(literal.value)}"', cut_hint(hint))


def _hint_of_part(field: str, value: str) -> str:
    """The same for a part or a pattern of a value: what has a character or a beginning that no such name has."""
    owner, _, name = field.rpartition(".")
    bare = value.strip("*")
    if field == "ObjectRef.Resource" and "/" in bare:
        resource, _, below = bare.partition("/")
        named = f'ObjectRef.Subresource = "{below}"' if below else "ObjectRef.Subresource exists"
        return f'write ObjectRef.Resource = "{resource}" and {named}'
    if name == "Groups" and is_user_name(bare):
        return f'that is a user: write {owner}.Username startswith "{bare}"'
    if name == "Username" and is_group_name(bare):
        return f'that is a group: write {owner}.Groups startswith "{bare}"'
    return _address_hint(field, bare)


def _address_hint(field: str, value: str) -> str:
    is_network = field in _ADDRESSES and "/" in value
    return f'write SourceIP within ("{value}"), if that is a network' if is_network else ""


def _hint(field: str, value: str) -> str:
    """What to write instead of a value that no event has in a field; empty for one that some event may have."""
    owner, _, name = field.rpartition(".")
    if field == "Verb":
        return _verb_hint(value)
    if field == "ObjectRef.Resource":
        return _resource_hint(value)
    if field == "ObjectRef.Subresource":
        return subresource_problem(value) or ""
    if field == "ObjectRef.APIGroup":
        return group_problem(value) or ""
    if field == "ObjectRef.APIVersion" and "/" in value:
        group, _, version = value.partition("/")
        return f'write ObjectRef.APIGroup = "{group}" and ObjectRef.APIVersion = "{version}"'
    if name == "Username" and is_group_name(value):
        return f'that is a group: write {owner}.Groups = "{value}"'
    if name == "Groups" and is_user_name(value):
        return f'that is a user: write {owner}.Username = "{value}"'
    return _address_hint(field, value)


def _verb_hint(verb: str) -> str:
    if is_subresource_word(verb):
        return f'write ObjectRef.Subresource = "{verb.lower().removesuffix("s")}", where the verb is create or get'
    return verb_problem(verb, on_resources=True, on_paths=True) or ""


def _resource_hint(resource: str) -> str:
    if "/" in resource:
        name, _, below = resource.partition("/")
        return f'write ObjectRef.Resource = "{name}" and ObjectRef.Subresource = "{below}"'
    if "." in resource:
        name, _, group = resource.partition(".")
        return f'write ObjectRef.Resource = "{name}" and ObjectRef.APIGroup = "{group}"'
    if resource != resource.lower():
        return f'write "{resource_meant(resource)}": it is lower case in every event'
    problem = resource_problem(resource, "")
    # In which group it is does not matter here.
    return f'write "{resource_meant(resource)}": resources are named in the plural' if (
        problem and resource_meant(resource) != resource
    ) else ""  # fmt: skip


def _is_about_others_only(tests: list[tuple[Comparison, Field]]) -> bool:
    """Whether the condition names resources, and only such as Kubernetes does not have: their lists are not known."""
    named = [
        literal.value
        for comparison, field in tests
        if field.name == "ObjectRef.Resource" and comparison.operator in _EXACT and not comparison.negated
        for literal in comparison.operands
        if isinstance(literal, Text)
    ]
    return bool(named) and all(groups_of(name) is None for name in named)


def _list_on_the_way(comparison: Comparison, field: Field) -> Iterator[Finding]:
    """A path with keys behind a list of Kubernetes' objects, but no brackets: it finds nothing."""
    path = comparison.field
    if not isinstance(path, Path) or field.kind is not Kind.JSON or field.name in _FREE:
        return
    first = len(path.segments) - len(field.rest)
    marked = list(path.segments)
    lists = []
    for at in range(max(first - 1, 0), len(marked) - 1):
        if _is_list(marked[at], marked[at + 1], field if at < first else None):
            lists.append(marked[at].name)
            marked[at] = Segment(marked[at].name, AnyElement(), marked[at].is_quoted)
    if lists:
        what = f"{lists[0]} is a list" if len(lists) == 1 else f"{', '.join(lists[:-1])} and {lists[-1]} are lists"
        hint = f"write {spell_path(marked)} for some element"
        yield warning("AW126", comparison, f"{what}, so {cut(path.text)} finds nothing", cut_hint(hint))


def _is_list(segment: Segment, following: Segment, field: Field | None) -> bool:
    """Whether a segment without an index names a list of objects that have the key behind it."""
    if segment.index is not None or segment.is_pattern or following.is_pattern:
        return False
    if field is not None:
        return field.name in _LISTS
    return following.name in LIST_FIELDS.get(segment.name, "").split()
