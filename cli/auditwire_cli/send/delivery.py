"""Events in files become batches, batches become bodies, and a few threads post the bodies."""

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from auditwire_cli.send.audit_log import AuditLog, Item
from auditwire_cli.send.bodies import body
from auditwire_cli.send.contents import Contents, contents_of, goes_on
from auditwire_cli.send.posting import PostAnswer, Poster
from auditwire_cli.send.shape import Deliverer, Shape
from auditwire_cli.send.wrapped import wrapped

# Lambda takes 6 MiB a request, and the JSON string that API Gateway makes of a body can have double its size.
MAX_BODY_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """The items of one body, and where in which file they are: values, or lines that are not JSON."""

    file: str
    items: tuple[Item, ...]
    position: int = 0

    @property
    def place(self) -> str:
        """``audit.log:1-400``: file and lines."""
        first, last = self.items[0], self.items[-1]
        return f"{self.file}:{first.place}" + (f"-{last.place}" if last.place != first.place else "")

    def body(self, shape: Shape | Deliverer) -> bytes:
        """The request body. Lines that are not JSON have no shape but their own."""
        if any(item.fault for item in self.items):
            return self.lines()
        raw = [item.raw for item in self.items]
        return wrapped(raw, shape) if isinstance(shape, Deliverer) else body(raw, shape)

    def lines(self) -> bytes:
        """The items as they are, one below the other: a body that holds everything that is in the file."""
        return b"\n".join(item.raw for item in self.items)

    def place_of(self, raw: bytes) -> str:
        """``audit.log:12``: where these bytes of the body come from."""
        at = next((item.place for item in self.items if item.raw == raw), None)
        at = at or next((item.place for item in self.items if raw in item.raw), None)
        return f"{self.file}:{at}" if at else self.place


@dataclass(slots=True)
class Report:
    """What became of everything that was sent.

    ``events`` are the audit events in the bodies; ``rejects`` counts what cannot be stored as an event, by reason, and
    ``skipped`` what is none and was never meant to be one.
    """

    events: int = 0
    undelivered: int = 0
    bodies: int = 0
    bytes: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[Batch, PostAnswer]] = field(default_factory=list)
    stopped: bool = False

    @property
    def delivered(self) -> int:
        """Events in bodies that were answered 200."""
        return self.events - self.undelivered

    def add(self, batch: Batch, sent: int, contents: Contents, answer: PostAnswer) -> None:
        """Count one body of ``sent`` bytes and its answer."""
        self.events += len(contents.events)
        self.bodies += 1
        self.bytes += sent
        self.rejects.update(each.reason for each in contents.rejects)
        self.skipped.update(contents.skipped)
        self.answers[str(answer.status or answer.reason)] += 1
        if not answer.delivered:
            self.undelivered += len(contents.events)
            self.failures.append((batch, answer))


def batches(log: AuditLog, *, size: int, max_bytes: int = MAX_BODY_BYTES, offset: int = 0) -> Iterator[Batch]:
    """The items of a file in batches of at most ``size`` items and ``max_bytes`` bytes.

    A larger item is a batch of its own. Lines that are not JSON are in batches of their own, and a line that a
    container's runtime cut is in one batch with its other parts. ``offset``, the bytes of the files before this one, is
    added to every position.
    """
    gathered: list[Item] = []
    weight = 0
    for item in log:
        if gathered and (
            bool(item.fault) != bool(gathered[0].fault)
            or _is_full(gathered, size, is_heavy=weight + len(item.raw) > max_bytes)
        ):
            yield Batch(log.name, tuple(gathered), offset + log.position())
            gathered, weight = [], 0
        gathered.append(item)
        weight += len(item.raw) + 1
    if gathered:
        yield Batch(log.name, tuple(gathered), offset + log.position())


def _is_full(gathered: list[Item], size: int, *, is_heavy: bool) -> bool:
    if is_heavy or len(gathered) >= 2 * size:
        return True
    return len(gathered) >= size and not goes_on(gathered[-1].raw)


def deliver(
    given: Iterable[Batch], poster: Poster, shape: Shape | Deliverer, report: Report, *, concurrency: int
) -> Iterator[tuple[Batch, Contents]]:
    """Post every batch, ``concurrency`` at a time, and count the answers in ``report``.

    Yields each batch when it is answered, with what was in it, so that progress can follow.

    Few batches are read ahead, so a file of any size needs little memory. The first answer that is about the whole run
    (a refused credential, a redirect) ends it: nothing more is read, and ``stopped`` is set.
    """
    running: dict[Future[tuple[int, Contents, PostAnswer]], Batch] = {}
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
                    sent, contents, answer = future.result()
                    batch = running.pop(future)
                    report.add(batch, sent, contents, answer)
                    report.stopped = report.stopped or answer.hopeless
                    yield batch, contents
        finally:
            # After Ctrl-C and errors too: waits between attempts end, requests in flight may finish.
            poster.stop.set()
            threads.shutdown(wait=True, cancel_futures=True)


def _post(poster: Poster, batch: Batch, shape: Shape | Deliverer) -> tuple[int, Contents, PostAnswer]:
    content = batch.body(shape)
    return len(content), contents_of(content, batch.items), poster.post(content)
