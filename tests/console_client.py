"""A console over an archive in memory, asked without a network."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.testclient import TestClient

from auditwire.evidence.store import MemoryStore
from auditwire.evidence.walk import Keys
from auditwire.rules import RuleSet
from auditwire.search import Engine
from auditwire.search.scan import Scan
from auditwire_console import ON_THIS_MACHINE, ByToken, Limits, Source, Viewer, Viewers, make_app, on_loopback
from auditwire_console.search_log import Write, no_log
from auditwire_console.viewer import ALL, digest_of

HOST = "127.0.0.1:8080"
OWNER = Viewer("owner", (ALL,))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Console:
    """Each viewer's token is the viewer's name."""

    def __init__(
        self,
        store: MemoryStore,
        *others: Viewer,
        rules: RuleSet | None = None,
        keys: Keys | None = None,
        limits: Limits = ON_THIS_MACHINE,
        log: Write = no_log,
        engine: Engine | None = None,
        clock: Callable[[], float] = time.monotonic,
        **more: Any,
    ) -> None:
        source = Source("memory", engine or Scan(store), store, keys or {}, lambda: NOW, rules=lambda: rules, **more)
        viewers = Viewers({digest_of(viewer.name): viewer for viewer in (OWNER, *others)})
        self.client = TestClient(
            make_app(source, ByToken(viewers), on_loopback([HOST]), limits=limits, log=log, clock=clock),
            base_url=f"http://{HOST}",
        )

    def get(
        self, path: str, params: Any = None, *, viewer: str = "owner", headers: Mapping[str, str] | None = None
    ) -> Any:
        """The response."""
        given = {"authorization": f"Bearer {viewer}", **(headers or {})}
        return self.client.get(path, params=params, headers=given)

    def ask(self, path: str, params: Any = None, *, viewer: str = "owner") -> Any:
        """What a response of 200 holds."""
        response = self.get(path, params, viewer=viewer)
        assert response.status_code == 200, response.text
        return response.json()
