"""A resource's properties, read so that none is left over.

CloudFormation would honour every property of the template; a shim honours those it names. What it does not
name is an error, so the template cannot outgrow the local system unseen.
"""

from collections.abc import Mapping
from typing import Any

from auditwire_local.errors import MissingPropertyError, UnknownPropertyError


class Properties:
    """The resolved properties of one resource, or one object among them; ``place`` names it in messages."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values = values
        self._place = place
        self._known: set[str] = set()
        self._nested: list[Properties] = []

    def take(self, name: str, default: Any = None) -> Any:
        """The value of a property, or ``default`` where the template leaves it out."""
        self._known.add(name)
        return self._values.get(name, default)

    def require(self, name: str) -> Any:
        """The value of a property; MissingPropertyError where the template leaves it out."""
        if name not in self._values:
            msg = f"{self._place} needs the property {name}"
            raise MissingPropertyError(msg)
        return self.take(name)

    def nested(self, name: str) -> "Properties":
        """The reader of an object property (empty where it is left out); its leftovers count too."""
        return self._reader(self.take(name) or {}, f"{self._place}.{name}")

    def items(self, name: str) -> list["Properties"]:
        """The readers of a property that is a list of objects; their leftovers count too."""
        values = self.take(name) or []
        return [self._reader(value, f"{self._place}.{name}[{index}]") for index, value in enumerate(values)]

    def record(self, *names: str) -> None:
        """Declare properties that change nothing on one machine and are only kept on the record."""
        self._known.update(names)

    def select(self, *names: str) -> dict[str, Any]:
        """Those of the named properties that the template gives, for passing on under the same names."""
        self._known.update(names)
        return {name: self._values[name] for name in names if name in self._values}

    def finish(self) -> None:
        """Refuse what no call has named: UnknownPropertyError with every leftover."""
        if leftover := sorted(self.leftover()):
            msg = f"the local system does not know {', '.join(leftover)}"
            raise UnknownPropertyError(msg)

    def leftover(self) -> list[str]:
        """What no call has named yet, here and in the readers below."""
        own = [f"{self._place}.{name}" for name in self._values if name not in self._known]
        return own + [name for reader in self._nested for name in reader.leftover()]

    def _reader(self, value: Mapping[str, Any], place: str) -> "Properties":
        reader = Properties(value, place)
        self._nested.append(reader)
        return reader
