"""The properties of a resource, read so that none is overlooked.

CloudFormation would apply every property of the template; a shim applies those that it names. A property that it does
not name is an error, so the template cannot outgrow the local system without notice.
"""

from collections.abc import Mapping
from typing import Any

from auditwire_local.errors import MissingPropertyError, UnknownPropertyError


class Properties:
    """The resolved properties of one resource, or of one object in them; ``place`` names it in messages."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values = values
        self._place = place
        self._known: set[str] = set()
        self._nested: list[Properties] = []

    def take(self, name: str, default: Any = None) -> Any:
        """The value of a property, or ``default`` where the template does not give it."""
        self._known.add(name)
        return self._values.get(name, default)

    def require(self, name: str) -> Any:
        """The value of a property. Raises MissingPropertyError where the template does not give it."""
        if name not in self._values:
            msg = f"{self._place} needs the property {name}"
            raise MissingPropertyError(msg)
        return self.take(name)

    def nested(self, name: str) -> "Properties":
        """The reader of a property that is an object (empty where it is not given); what it leaves over counts too."""
        return self._reader(self.take(name) or {}, f"{self._place}.{name}")

    def items(self, name: str) -> list["Properties"]:
        """The readers of a property that is a list of objects; what they leave over counts too."""
        values = self.take(name) or []
        return [self._reader(value, f"{self._place}.{name}[{index}]") for index, value in enumerate(values)]

    def record(self, *names: str) -> None:
        """Name properties that change nothing on one machine and are only recorded."""
        self._known.update(names)

    def select(self, *names: str) -> dict[str, Any]:
        """The properties with these names that the template gives, to be passed on under the same names."""
        self._known.update(names)
        return {name: self._values[name] for name in names if name in self._values}

    def finish(self) -> None:
        """Raises UnknownPropertyError with every property that no call has named."""
        if leftover := sorted(self.leftover()):
            msg = f"the local system does not know {', '.join(leftover)}"
            raise UnknownPropertyError(msg)

    def leftover(self) -> list[str]:
        """What no call has named yet, here and in the readers that came from here."""
        own = [f"{self._place}.{name}" for name in self._values if name not in self._known]
        return own + [name for reader in self._nested for name in reader.leftover()]

    def _reader(self, value: Mapping[str, Any], place: str) -> "Properties":
        reader = Properties(value, place)
        self._nested.append(reader)
        return reader
