"""The demo: sample traffic goes through the endpoint of a running system, by the code of ``auditwire send``."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event, Thread

from auditwire.senders.kind import SenderKind
from auditwire_cli.errors import CommandError
from auditwire_cli.samples.traffic import story
from auditwire_cli.send.endpoint import Endpoint
from auditwire_cli.send.posting import Poster


class Demo:
    """Posts the story in a thread of its own, waiting ``pause`` seconds before each body so that one can watch.

    ``endpoints`` has one endpoint per sender kind. Ends early when ``stop`` is set.
    """

    def __init__(self, endpoints: Mapping[SenderKind, Endpoint], *, pause: float, stop: Event) -> None:
        self.chapters: list[str] = []
        """The chapters of the story that have begun."""
        self.posted = 0
        """Items posted, as the endpoint counts them."""
        self._endpoints = endpoints
        self._pause = pause
        self._stop = stop
        self._problem = ""
        self._thread = Thread(target=self._play, name="demo", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Wait for the body that is under way."""
        self._thread.join()

    def check(self, received: int, undelivered: int) -> None:
        """Raises CommandError unless everything was taken, counted (``received`` events) and no alert is left
        ``undelivered``. Whoever ends the demo early has seen enough.
        """
        if self._problem:
            raise CommandError(self._problem)
        if self._stop.is_set():
            return
        if undelivered:
            raise CommandError(f"{undelivered:,} alerts of the sample traffic were not delivered")
        if received < self.posted:
            raise CommandError(f"{self.posted:,} events were sent, but only {received:,} counted")

    def _play(self) -> None:
        with ExitStack() as opened:
            posters = {
                sender: opened.enter_context(Poster(endpoint, stop=self._stop))
                for sender, endpoint in self._endpoints.items()
            }
            for delivery in story(datetime.now(UTC)):
                if self._stop.wait(self._pause):
                    return
                if delivery.chapter not in self.chapters:
                    self.chapters.append(delivery.chapter)
                answer = posters[delivery.sender].post(delivery.body)
                if not answer.delivered:
                    if self._stop.is_set():
                        return
                    said = f"answered {answer.status} {answer.reason}" if answer.status else answer.reason
                    self._problem = f"the sample traffic was not taken: {said}"
                    return
                self.posted += delivery.count
