"""Events in files become batches, batches become bodies, and a few threads post the bodies."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from auditwire_cli.send.audit_log import AuditLog, Item
from auditwire_cli.send.bodies import body
from auditwire_cli.send.posting import PostAnswer, Poster
from auditwire_cli.send.shape import Shape

# Lambda takes 6 MiB a request, and the JSON string that API Gateway makes of a body can have double its size.
MAX_BODY_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of one body, and where in which file they are. One with a fault is alone, and is sent as it is."""

    file: str
    items: tuple[Item, ...]
    position: int = 0

    @property
    def place(self) -> str:
        """``audit.log:1-400``: file and lines."""
        first, last = self.items[0], self.items[-1]
        return f"{self.file}:{first.place}" + (f"-{last.place}" if last.place != first.place else "")

    def body(self, shape: Shape) -> bytes:
        """The request body; an item that is not JSON is a body of its own, which will be quarantined."""
        if self.items[0].fault:
            return self.items[0].raw
        return body([item.raw for item in self.items], shape)


@dataclass(slots=True)
class Report:
    """What became of everything that was sent, counted in events and bodies."""

    events: int = 0
    bodies: int = 0
    bytes: int = 0
    not_json: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Batch, PostAnswer]] = field(default_factory=list)
    stopped: bool = False

    @property
    def delivered(self) -> int:
        """Events in bodies that were answered 200."""
        return self.events - sum(len(batch.items) for batch, _ in self.failures)

    def add(self, batch: Batch, sent: int, answer: PostAnswer) -> None:
        """Count one body of ``sent`` bytes and its answer."""
        self.events += len(batch.items)
        self.bodies += 1
        self.bytes += sent
        self.not_json += sum(1 for item in batch.items if item.fault)
        self.answers[str(answer.status or answer.reason)] += 1
        if not answer.delivered:
            self.failures.append((batch, answer))


def batches(log: AuditLog, *, size: int, max_bytes: int = MAX_BODY_BYTES, offset: int = 0) -> Iterator[Batch]:
    """The events of a file in batches of at most ``size`` events and ``max_bytes`` bytes.

    A larger event, and an item that is not JSON, is a batch of its own. ``offset``, the bytes of the files before this
    one, is added to every position.
    """
    gathered: list[Item] = []
    weight = 0
    for item in log:
        full = len(gathered) >= size or weight + len(item.raw) > max_bytes
        if gathered and (full or item.fault):
            yield Batch(log.name, tuple(gathered), offset + log.position())
            gathered, weight = [], 0
        if item.fault:
            yield Batch(log.name, (item,), offset + log.position())
            continue
        gathered.append(item)
        weight += len(item.raw) + 1
    if gathered:
        yield Batch(log.name, tuple(gathered), offset + log.position())


def deliver(
    given: Iterable[Batch], poster: Poster, shape: Shape, report: Report, *, concurrency: int
) -> Iterator[Batch]:
    """Post every batch, ``concurrency`` at a time, and count the answers in ``report``.

    Yields each batch when it is answered, so that progress can follow.

    Few batches are read ahead, so a file of any size needs little memory. The first answer that is about the whole run
    (a refused credential, a redirect) ends it: nothing more is read, and ``stopped`` is set.
    """
    running: dict[Future[tuple[int, PostAnswer]], Batch] = {}
    todo = iter(given)
    with ThreadPoolExecutor(concurrency, thread_name_prefix="send") as threads:
        try:
            exhausted = False
            while running or not (exhausted or report.stopped):
                while not (exhausted or report.stopped) and len(running) < 2 * concurrency:
                    batch = next(todo, None)
                    if batch is None:
                        exhausted = True
                    else:
                        running[threads.submit(_post, poster, batch, shape)] = batch
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    sent, answer = future.result()
                    batch = running.pop(future)
                    report.add(batch, sent, answer)
                    report.stopped = report.stopped or answer.hopeless
                    yield batch
        finally:
            # After Ctrl-C and errors too: waits between attempts end, requests in flight may finish.
            poster.stop.set()
            threads.shutdown(wait=True, cancel_futures=True)


def _post(poster: Poster, batch: Batch, shape: Shape) -> tuple[int, PostAnswer]:
    content = batch.body(shape)
    return len(content), poster.post(content)
