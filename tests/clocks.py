"""A clock that the test moves."""

from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds that pass by sleeping, or when ``now`` is set."""

    now: float = 100.0
    waits: list[float] = field(default_factory=list)
    """How long each sleep was."""

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.waits.append(seconds)
        self.now += seconds
