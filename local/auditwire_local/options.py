"""What can be chosen for a local system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditwire.senders.kind import SenderKind

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class ClusterCredential:
    """A registered cluster: what it presents (as a bearer token, a Basic password or a path segment), and its kind
    of sender."""

    credential: str = field(repr=False)
    sender: SenderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of ``LocalSystem.start`` beyond its own arguments."""

    template: Path = REPOSITORY / "template.yaml"
    """The SAM template; the folders of functions and layers are found relative to it."""
    stack: str = "auditwire"
    region: str = "us-east-1"
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Template parameters by name; the system itself sets AlertmanagerUrls."""
    clusters: Mapping[str, ClusterCredential] = field(default_factory=dict)
    """Clusters to register in addition to ``demo`` and ``demo-ks``."""
    aws_host: str = "127.0.0.1"
    """The address that the in-process AWS listens on. Containers reach it only on an address of the host's Docker
    network."""
    aws_port: int = 0
    console_port: int = 0
    """The port of the console, if the template deploys it; 0 takes a free one."""
    visibility_timeout: int | None = None
    """The seconds until a message that was not delivered appears again; None: as the queue says."""
    batching_window: float | None = None
    """The seconds for which messages are gathered before a function gets them; None: as the mapping says."""
    environments: int = 4
    """How many execution environments a function may have, and so how many requests run at the same time."""
    schedules: bool = True
    """Whether functions are called on schedule. Tests call them themselves when nothing else happens."""
    drain_seconds: float = 20.0
    """How many seconds the end waits for requests in flight and for alerts to be delivered."""
    kept: Path | None = None
    """A file in which credentials and certificate authority are kept for the next run; None for no file."""
    log_file: Path | None = None
    """A file that also gets the log lines of the functions; the newest are in memory in any case."""
