"""What a search can ask of an event: each question as a pure test of what was found.

A filter also knows texts one of which is in every line that it lets through, so that the other lines need not be
decoded.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from auditwire.archive.found import Found
from auditwire.archive.needle import Text
from auditwire.policy.known import groups_of, resource_meant

_VERSION: Final = re.compile(r"v[0-9]+(?:(?:alpha|beta)[0-9]+)?\.")
_CODES: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)", re.IGNORECASE)


class FilterError(Exception):
    """A filter that nobody can apply. The message says what is wrong, ``hint`` how to write it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Filter(Protocol):
    """One question to an event."""

    def matches(self, found: Found) -> bool:
        """Whether the event is one of those that are looked for."""

    @property
    def texts(self) -> tuple[Text, ...]:
        """At least one of these is in the line of every match. Empty if there is no such text."""


@dataclass(frozen=True)
class AuditIdFilter:
    """Events of one request."""

    audit_id: str

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return found.audit_id == self.audit_id

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        return (Text(self.audit_id),)


@dataclass(frozen=True)
class UserFilter:
    """Events of one user."""

    user: str

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return found.user == self.user

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        return (Text(self.user),)


@dataclass(frozen=True)
class NamespaceFilter:
    """Events about a namespace, or about something in it."""

    namespace: str

    def matches(self, found: Found) -> bool:
        """See Filter."""
        ref = found.ref
        return ref.namespace == self.namespace or (ref.resource == "namespaces" and ref.name == self.namespace)

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        return (Text(self.namespace),)


@dataclass(frozen=True)
class VerbFilter:
    """Events with any of some verbs."""

    verbs: tuple[str, ...]

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return found.verb in self.verbs

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        return tuple(Text(verb, is_whole=True) for verb in self.verbs)


@dataclass(frozen=True)
class RuleFilter:
    """Events that any of some rules matched when they were archived. A rule may be named without its document."""

    rules: tuple[str, ...]

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return any(rule == name or rule.endswith(f".{name}") for name in self.rules for rule in found.rules)

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        return tuple(map(Text, self.rules))


@dataclass(frozen=True)
class FlagFilter:
    """Events with a flag."""

    flag: str

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return self.flag in found.flags

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        return (Text(self.flag, is_whole=True),)


@dataclass(frozen=True)
class CodeFilter:
    """Events whose answer had any of some statuses: ``403``, or ``4xx`` for all from 400 to 499. Raises FilterError
    for anything else."""

    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        for code in self.codes:
            if not _CODES.fullmatch(code):
                raise FilterError(f"{code[:80]!r} is not a status", "write it like 403 or 4xx")

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return found.code is not None and any(_is_of(found.code, code.lower()) for code in self.codes)

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter. A number can be written in many ways."""
        return ()


@dataclass(frozen=True)
class SourceFilter:
    """Events with an address of any of some networks among their source addresses. An address alone is a network of
    one. Raises FilterError for anything else."""

    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        _ = self._networks

    @cached_property
    def _networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        try:
            return tuple(ipaddress.ip_network(source, strict=False) for source in self.sources)
        except ValueError:
            wrong = ", ".join(self.sources)
            raise FilterError(
                f"{wrong[:200]!r} is not an address", "write it like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
            ) from None

    def matches(self, found: Found) -> bool:
        """See Filter."""
        return any(address in network for text in found.sources for address in _addresses(text)
                   for network in self._networks)  # fmt: skip

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter. An address can be written in many ways."""
        return ()


@dataclass(frozen=True)
class ObjectFilter:
    """What was done to an object, as people name it: RESOURCE[.GROUP][/NAMESPACE][/NAME][/SUBRESOURCE].

    The resource may be a singular or a short name. Without a group it is the group that Kubernetes has the resource
    in; any, where it has none. The namespace may be left out before a name. What removes an object without naming it
    is found too: deletecollection, and deleting its namespace. ``namespace`` is the one that is asked for beside the
    object. Raises FilterError if no resource is named.
    """

    text: str
    namespace: str = ""

    def __post_init__(self) -> None:
        if not self.resource:
            raise FilterError(f"{self.text[:80]!r} names no resource", "write it like pods/shop/web-1")

    @cached_property
    def resource(self) -> str:
        """The resource, a plural in lower case."""
        return resource_meant(self._head.partition(".")[0])

    @cached_property
    def groups(self) -> tuple[str, ...] | None:
        """The API groups in question, None for any."""
        _, dot, group = self._head.partition(".")
        return (_VERSION.sub("", group),) if dot else groups_of(self.resource)

    @cached_property
    def meant(self) -> str:
        """What is looked for, as events are shown."""
        head = f"{self.resource}.{self.groups[0]}" if self.groups and self.groups[0] else self.resource
        return "/".join([head, *self._rest])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The object_name of every match that can be named beforehand, the likeliest first."""
        parts = self._rest
        heads = [f"{self.resource}.{group}" if group else self.resource for group in self.groups or ("",)]
        # With the last part a subresource, or left out as deletecollection does.
        ends = [parts, parts[:-1]] if parts else [parts]
        names = ["/".join([head, *end]) for end in ends for head in heads]
        removed = [f"namespaces/{self._home}"] if self._home else []
        return tuple(dict.fromkeys([self.text, *names, *removed]))

    def matches(self, found: Found) -> bool:
        """See Filter."""
        # Exactly as it is shown, even where a part has slashes of its own.
        if found.object == self.text:
            return True
        ref = found.ref
        if self._home and found.verb == "delete" and ref.resource == "namespaces" and not ref.subresource:
            return ref.name == self._home
        if ref.resource != self.resource or (self.groups is not None and ref.apiGroup not in self.groups):
            return False
        namespace = "" if ref.resource == "namespaces" and ref.namespace == ref.name else ref.namespace
        asked = "/".join(self._rest)
        if found.verb == "deletecollection" and not ref.name and namespace in ("", self._home, asked):
            return True
        named = ("/".join(part for part in (namespace, ref.name) if part), ref.name or namespace)
        return asked in named or (bool(ref.subresource) and asked in [f"{name}/{ref.subresource}" for name in named])

    @property
    def texts(self) -> tuple[Text, ...]:
        """See Filter."""
        if not self._rest:
            written = self._head.partition(".")[0]
            return tuple(map(Text, dict.fromkeys([self.resource, written])))
        # Every part is within one value, also where a value has slashes or dots of its own.
        longest = Text(max(re.split("[/.]", "/".join(self._rest)), key=len))
        return (longest, Text("deletecollection", is_whole=True), Text("namespaces", is_whole=True))

    @cached_property
    def _head(self) -> str:
        return self.text.partition("/")[0]

    @cached_property
    def _rest(self) -> list[str]:
        parts = [part for part in self.text.split("/")[1:] if part]
        is_complete = len(parts) > 1 or (self.resource in ("nodes", "namespaces")) or parts == [self.namespace]
        return [self.namespace, *parts] if self.namespace and not is_complete else parts

    @cached_property
    def _home(self) -> str:
        """The namespace of the object, if one is named and the whole object is asked for."""
        return self._rest[0] if len(self._rest) == 2 else ""


def _is_of(status: int, code: str) -> bool:
    return str(status // 100) == code[0] if code.endswith("xx") else str(status) == code


def _addresses(text: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return []
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return [address, mapped] if mapped else [address]
