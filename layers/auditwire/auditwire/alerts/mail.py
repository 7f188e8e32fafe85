"""An alert as people read it in an e-mail: a subject, and one fact on each line.

Clients choose most of what an alert says: names of objects and users, user agents, addresses. So each fact is on a line
of its own, and addresses in it are broken (``https[:]//evil[.]example``): no mail program makes a link of them. What is
certain to be ours (the runbook's address, the link to the archived object, its key) stays as it is.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from auditwire.events.one_line import one_line

MAX_SUBJECT_LENGTH: Final = 99
"""SNS takes fewer than 100 characters, all ASCII."""
MAX_MAIL_BYTES: Final = 8_000
SHORT_MAIL_BYTES: Final = 1_000
"""For an alert that nearly fills a message by itself."""

_MAX_FACT_LENGTH: Final = 400
_NOTE: Final = (
    "Whoever made these requests chose most of these words. Addresses in them are written with brackets, so that nobody"
    " follows them by mistake."
)
# Heading, and the label or annotation that it shows. What is not listed follows under its own name.
_LABELS: Final = {
    "user": "User",
    "verb": "Verb",
    "resource": "Resource",
    "namespace": "Namespace",
    "name": "Name",
    "workspace": "Workspace",
}
_ANNOTATIONS: Final = {
    "summary": "About",
    "description": "What",
    "impersonated_user": "Acting as",
    "source_addresses": "From",
    "user_agent": "Client",
    "decision": "Decision",
    "reason": "Reason",
    "count": "Events",
    "first_occurrence": "First",
    "last_occurrence": "Last",
    "audit_ids": "Audit IDs",
}
_IN_HEAD: Final = frozenset(("alertname", "cluster", "priority", "severity"))
_SHOWN_APART: Final = frozenset(("message", "runbook_url", "archive_key"))
# Where a mail program would see the beginning of an address: behind a scheme, and at a dot before a letter.
_SCHEME = re.compile(r":(?=//)")
_DOT = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=[^\W\d_])")
_LINK = re.compile(r"https?://[!-~]+")


def mail_subject(alert: Mapping[str, Any]) -> str:
    """Priority, rule and cluster of a message's alert, in at most 99 printable characters of ASCII."""
    labels = _texts(alert, "labels")
    words = (
        _priority(labels),
        labels.get("alertname", "alert"),
        f"in {labels['cluster']}" if "cluster" in labels else "",
    )
    line = one_line(" ".join(filter(None, words))).encode("ascii", "replace").decode()
    return line if len(line) <= MAX_SUBJECT_LENGTH else f"{line[: MAX_SUBJECT_LENGTH - 3]}..."


def mail_text(alert: Mapping[str, Any], limit: int = MAX_MAIL_BYTES) -> str:
    """The alert of a message (an object of Alertmanager's API, and the key ``auditwire``) in at most ``limit`` bytes of
    UTF-8. What does not fit is left out from the end, and a last line says so."""
    labels, annotations = _texts(alert, "labels"), _texts(alert, "annotations")
    lines = [_head(labels), "", _broken(annotations.get("message", "")), ""]
    ending = ["", *_links(alert, annotations), "", _NOTE]
    left = limit - _size([*lines, *ending]) - len("\n(more in the archive)")
    for line in _facts(alert, labels, annotations):
        left -= _size([line])
        if left < 0:
            lines.append("(more in the archive)")
            break
        lines.append(line)
    text = "\n".join([*lines, *ending]).encode()[:limit]
    return text.decode("utf-8", "ignore")


def _head(labels: Mapping[str, str]) -> str:
    where = f" in cluster {labels['cluster']}" if "cluster" in labels else ""
    return f"{_priority(labels)}: {_cut(one_line(labels.get('alertname', 'alert')))}{where}"


def _priority(labels: Mapping[str, str]) -> str:
    return one_line(labels.get("priority") or labels.get("severity") or "ALERT").upper()[:20]


def _facts(alert: Mapping[str, Any], labels: Mapping[str, str], annotations: Mapping[str, str]) -> Iterator[str]:
    """The facts of an alert, the most telling first, each as ``Heading: value``."""
    yield from (f"{heading}: {_broken(labels[name])}" for name, heading in _LABELS.items() if name in labels)
    for name, heading in _ANNOTATIONS.items():
        if name in annotations:
            yield f"{heading}: {_broken(annotations[name])}"
    others = {name: value for name, value in labels.items() if name not in _LABELS.keys() | _IN_HEAD}
    others |= {name: value for name, value in annotations.items() if name not in _ANNOTATIONS.keys() | _SHOWN_APART}
    yield from (f"{one_line(name)}: {_broken(others[name])}" for name in sorted(others))
    about = alert.get("auditwire")
    if isinstance(about, dict) and isinstance(rule := about.get("rule"), str):
        yield f"Rule: {_cut(one_line(rule))}"


def _links(alert: Mapping[str, Any], annotations: Mapping[str, str]) -> Iterator[str]:
    """What is ours and may be followed."""
    if "archive_key" in annotations:
        yield f"Archived as: {_cut(one_line(annotations['archive_key']))}"
    link = alert.get("generatorURL")
    for heading, address in (("Archived event", link), ("Runbook", annotations.get("runbook_url"))):
        if isinstance(address, str) and address:
            yield f"{heading}: {_cut(address) if _LINK.fullmatch(address) else _broken(address)}"


def _broken(text: str) -> str:
    """One line that contains no address which a mail program would make a link of."""
    return _DOT.sub("[.]", _SCHEME.sub("[:]", _cut(one_line(text))))


def _cut(line: str) -> str:
    return line if len(line) <= _MAX_FACT_LENGTH else f"{line[: _MAX_FACT_LENGTH - 1]}…"


def _size(lines: list[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _texts(alert: Mapping[str, Any], what: str) -> dict[str, str]:
    found = alert.get(what)
    if not isinstance(found, dict):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}
