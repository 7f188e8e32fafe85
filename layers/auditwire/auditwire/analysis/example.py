"""One event as an example of many, for people."""

from dataclasses import dataclass
from typing import Final

from auditwire.events.model import Event
from auditwire.events.one_line import one_line

MAX_EXAMPLES: Final = 3
_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Example:
    """One event, for people. ``before`` and ``after`` are messages of its alert, empty where there is none."""

    audit_id: str
    time: str
    cluster: str
    user: str
    request: str
    before: str = ""
    after: str = ""

    def as_json(self) -> dict[str, str]:
        """The example for ``--format json``."""
        return {
            "auditID": self.audit_id, "time": self.time, "cluster": self.cluster, "user": self.user,
            "request": self.request, "before": self.before, "after": self.after,
        }  # fmt: skip


def example_of(event: Event, before: str = "", after: str = "") -> Example:
    """An event as an example."""
    return Example(
        shown(event.auditID), event.stageTimestamp or "", shown(event.cluster), shown(event.user.username or ""),
        _request_of(event), before, after,
    )  # fmt: skip


def _request_of(event: Event) -> str:
    """What was done to what, such as ``create pods/shop/web-1/exec``."""
    about = event.objectRef
    parts = (about.resource, about.namespace, about.name, about.subresource)
    what = "/".join(part for part in parts if part) or event.requestURI
    return shown(f"{event.verb} {what}")


def shown(text: str) -> str:
    """A text that somebody chose, on one line and cut."""
    return one_line(text if len(text) <= _MAX_NAME else text[:_MAX_NAME] + "…")
