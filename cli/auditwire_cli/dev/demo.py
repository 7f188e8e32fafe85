"""The demo: sample traffic is sent to the endpoint of a running system, by the code of ``auditwire send``."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event, Thread

from auditwire_cli.errors import CommandError
from auditwire_cli.samples.clouds import everything
from auditwire_cli.send.endpoint import Endpoint
from auditwire_cli.send.posting import Poster
from auditwire_cli.terminal.output import counted


class Demo:
    """Posts the story in a thread of its own. It waits ``pause`` seconds before each body, so that people can watch.

    ``endpoints`` has one endpoint for each cluster. It ends early when ``stop`` is set.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], *, pause: float, stop: Event) -> None:
        self.chapters: list[str] = []
        """The chapters of the story that have begun."""
        self.posted = 0
        """The items posted so far, as the endpoint counts them."""
        self._endpoints = endpoints
        self._pause = pause
        self._stop = stop
        self._problem = ""
        self._thread = Thread(target=self._play, name="demo", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self._thread.is_alive()

    def finish(self) -> None:
        """Wait until the body that is being sent is answered."""
        self._thread.join()

    def check(self, received: int, undelivered: int) -> None:
        """Raises CommandError unless everything was accepted and counted (``received`` events), and no alert is
        ``undelivered``. Nothing is expected of a demo that was ended early.
        """
        if self._problem:
            raise CommandError(self._problem)
        if self._stop.is_set():
            return
        if undelivered:
            raise CommandError(f"{counted(undelivered, 'alert')} of the sample traffic could not be delivered")
        if received < self.posted:
            raise CommandError(f"{self.posted:,} events were sent, but only {received:,} counted")

    def _play(self) -> None:
        with ExitStack() as opened:
            posters = {
                cluster: opened.enter_context(Poster(endpoint, stop=self._stop))
                for cluster, endpoint in self._endpoints.items()
            }
            for delivery in everything(datetime.now(UTC)):
                if self._stop.wait(self._pause):
                    return
                if delivery.chapter not in self.chapters:
                    self.chapters.append(delivery.chapter)
                answer = posters[delivery.cluster].post(delivery.body)
                if not answer.delivered:
                    if self._stop.is_set():
                        return
                    said = f"answered {answer.status} {answer.reason}" if answer.status else answer.reason
                    self._problem = f"the sample traffic was not accepted: {said}"
                    return
                self.posted += delivery.count
