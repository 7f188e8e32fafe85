"""What can be chosen about a local system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditwire.senders.kind import SenderKind

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ClusterCredential:
    """A registered cluster: what it presents (as bearer token, Basic password or path segment) and its sender
    kind."""

    credential: str = field(repr=False)
    sender: SenderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What ``LocalSystem.start`` may be told beyond its own arguments."""

    template: Path = REPOSITORY / "template.yaml"
    """The SAM template; function and layer folders are found relative to it."""
    stack: str = "auditwire"
    region: str = "us-east-1"
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Template parameters by name; AlertmanagerUrls is set by the system itself."""
    clusters: Mapping[str, ClusterCredential] = field(default_factory=dict)
    """Clusters to register beside ``demo`` and ``demo-ks``."""
    aws_host: str = "127.0.0.1"
    """Address the in-process AWS listens on. Containers reach it only on an address of the host's Docker
    network."""
    aws_port: int = 0
    visibility_timeout: int | None = None
    """Seconds until a message that was not delivered appears again; None takes the queue's own."""
    batching_window: float | None = None
    """Seconds for which messages are gathered before a function gets them; None takes the mapping's own."""
    environments: int = 4
    """How many execution environments a function may have, so how many requests run at once."""
    schedules: bool = True
    """Whether functions are called on schedule; for tests, which call them themselves when nothing else happens."""
    drain_seconds: float = 20.0
    """How long the end waits for requests in flight and for alerts to be delivered."""
    log_file: Path | None = None
    """Where the functions' log lines also go; the newest stay in memory in any case."""
