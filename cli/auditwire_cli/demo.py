"""The demo: sample traffic goes through the endpoint of a running system, by the code of ``auditwire send``."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event, Thread

from auditwire_cli.endpoint import Endpoint
from auditwire_cli.errors import CommandError
from auditwire_cli.posting import Poster
from auditwire_cli.samples import story


class Demo:
    """Posts the story in a thread of its own, waiting ``pause`` seconds before each body so that one can watch.

    ``endpoints`` has one endpoint per sender kind. Ends early when ``stop`` is set.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint], *, pause: float, stop: Event) -> None:
        self.chapter = ""
        """What happens in the story just now."""
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

    def check(self, received: int) -> None:
        """Raises CommandError unless everything was taken and ``received`` events were counted for it."""
        if self._problem:
            raise CommandError(self._problem)
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
                self.chapter = delivery.chapter
                answer = posters[delivery.sender].post(delivery.body)
                if not answer.delivered:
                    said = f"answered {answer.status} {answer.reason}" if answer.status else answer.reason
                    self._problem = f"the sample traffic was not taken: {said}"
                    return
                self.posted += delivery.count
