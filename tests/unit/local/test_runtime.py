"""Functions run as Lambda runs them: cold and warm, one request at a time in an environment."""

import dataclasses
import io
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from auditwire_local.console import captured
from auditwire_local.errors import InitError, InvocationError, LimitError
from auditwire_local.limits import Meter
from auditwire_local.runtime import Configuration, Function, forget_variables
from waiting import HANG_SECONDS

Make = Callable[..., Function]

CODE = """
import os, sys, threading

VARIABLE = os.environ["VARIABLE"]
served = 0
busy = threading.Lock()

def handler(event, context):
    global served
    served += 1
    assert busy.acquire(blocking=False), "two requests in one environment"
    try:
        print("serving", event["n"])
        print("aside", file=sys.stderr)
        event.get("meanwhile", int)()
        if event.get("exit"):
            sys.exit(1)
        if event.get("raise"):
            raise ValueError("broken on purpose")
        return {
            "variable": VARIABLE, "served": served, "thread": threading.get_ident(), "module": __name__,
            "name": context.function_name, "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn,
            "left": context.get_remaining_time_in_millis(), "first use": os.environ.get("VARIABLE"),
            "answer": {1} if event.get("set") else None,
        }
    finally:
        busy.release()
"""


@pytest.fixture
def log() -> list[tuple[str, list[str]]]:
    return []


@pytest.fixture
def make(tmp_path: Path, log: list[tuple[str, list[str]]]) -> Iterator[Make]:
    def make(code: str = CODE, environments: int = 1, **more: Any) -> Function:
        (tmp_path / "app.py").write_text(code)
        configuration = Configuration(
            name="echo",
            logical_id="EchoFunction",
            function_name="stack-EchoFunction-1",
            arn="arn:aws:lambda:us-east-1:123456789012:function:stack-EchoFunction-1",
            role="arn:aws:iam::123456789012:role/r",
            handler="app.handler",
            memory=512,
            timeout=10,
            variables={"VARIABLE": "deployed"},
            code=tmp_path,
        )
        return Function(configuration, environments=environments, log=lambda *entry: log.append(entry), **more)

    yield make
    forget_variables()


def test_a_cold_start_sees_the_deployed_variables_and_a_warm_one_keeps_its_module(make: Make) -> None:
    function = make()
    before = dict(os.environ)

    cold, warm = function.invoke({"n": 1}), function.invoke({"n": 2})

    assert (cold["variable"], cold["served"], cold["first use"]) == ("deployed", 1, "deployed")
    assert (warm["variable"], warm["served"], warm["first use"]) == ("deployed", 2, "")
    assert cold["module"] == warm["module"]
    forget_variables()
    assert dict(os.environ) == before


def test_no_name_leaves_the_environment_while_somebody_walks_through_it(make: Make) -> None:
    make().invoke({"n": 1})
    walk = iter(os.environ.items())
    first = next(walk)

    make().invoke({"n": 1})

    # The walk has the names of its beginning; botocore takes this one when it makes a client.
    assert "VARIABLE" in dict([first, *walk])


def test_the_context_is_lambdas(make: Make) -> None:
    answer = make().invoke({"n": 1})

    assert (answer["name"], answer["memory"]) == ("stack-EchoFunction-1", "512")
    assert answer["arn"].endswith(":function:stack-EchoFunction-1")
    assert 0 < answer["left"] <= 10_000


def test_an_environment_serves_one_request_at_a_time(make: Make) -> None:
    function = make(environments=3)
    go_on = threading.Event()

    def hold(arrived: threading.Event) -> None:
        arrived.set()
        assert go_on.wait(HANG_SECONDS)

    answers = [function.invoke({"n": 0})]
    with ThreadPoolExecutor(8) as threads:
        held = []
        for number in range(3):
            arrived = threading.Event()
            held.append(threads.submit(function.invoke, {"n": number, "meanwhile": partial(hold, arrived)}))
            assert arrived.wait(HANG_SECONDS)
            if number < 2:
                # Whoever is there is busy, so another environment starts.
                answers.append(function.invoke({"n": number}))
        waiting = [threads.submit(function.invoke, {"n": number}) for number in range(18)]
        go_on.set()
        answers += [one.result(HANG_SECONDS) for one in held + waiting]

    modules = {answer["module"] for answer in answers}
    assert len(modules) == 3
    assert sum(max(a["served"] for a in answers if a["module"] == module) for module in modules) == 24


def test_what_a_function_prints_goes_to_its_log_and_not_to_the_terminal(
    make: Make, log: list[tuple[str, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    function = make()
    function.invoke({"n": 1})
    stop, chattering = threading.Event(), threading.Event()

    def chatter() -> None:
        while not stop.is_set():
            print("somebody else")
            if busy.is_set():
                chattering.set()

    busy = threading.Event()

    def meanwhile() -> None:
        busy.set()
        assert chattering.wait(HANG_SECONDS)

    other = threading.Thread(target=chatter)
    other.start()
    function.invoke({"n": 2, "meanwhile": meanwhile})
    stop.set()
    other.join()

    assert log == [("echo", ["serving 1", "aside"]), ("echo", ["serving 2", "aside"])]
    out, err = capsys.readouterr()
    assert set(out.splitlines()) == {"somebody else"}
    assert err == ""


def test_a_live_display_that_wraps_the_streams_is_in_nobodys_way(make: Make, log: list[tuple[str, list[str]]]) -> None:
    function = make()
    function.invoke({"n": 1})
    terminal = io.StringIO()

    # rich puts its own stand-ins around whatever the streams are, here with ours in between.
    display = Live(console=Console(file=terminal, force_terminal=True))
    with captured(lambda _: None), display, ThreadPoolExecutor(2) as threads:
        threads.submit(print, "from elsewhere").result()
        answer = threads.submit(function.invoke, {"n": 2}).result()

    assert answer["served"] == 2
    assert "from elsewhere" in terminal.getvalue()


def test_streams_are_as_they_were_afterwards(make: Make) -> None:
    before = sys.stdout, sys.stderr
    make().invoke({"n": 1})
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize(
    ("event", "sentence", "last"),
    [
        ({"raise": True}, "echo raised ValueError", "ValueError: broken on purpose"),
        ({"set": True}, "echo raised TypeError", "TypeError: Object of type set is not JSON serializable"),
    ],
    ids=["raises", "answers no JSON"],
)
def test_a_failed_request_is_logged_and_leaves_the_environment_warm(
    make: Make, log: list[tuple[str, list[str]]], event: dict[str, Any], sentence: str, last: str
) -> None:
    function = make()

    with pytest.raises(InvocationError) as caught:
        function.invoke({"n": 1, **event})

    assert str(caught.value) == sentence
    assert log[0][1][-1] == last
    assert function.invoke({"n": 2})["served"] == 2


def test_a_handler_that_exits_takes_its_environment_with_it(make: Make) -> None:
    function = make()
    function.invoke({"n": 1})

    with pytest.raises(InvocationError, match="echo exited"):
        function.invoke({"n": 2, "exit": True})

    assert function.invoke({"n": 3})["served"] == 1


def test_another_configuration_holds_from_the_next_request_on(make: Make) -> None:
    function = make(environments=3)
    function.invoke({"n": 1})

    function.reconfigure(dataclasses.replace(function.configuration, timeout=1, variables={"VARIABLE": "reconfigured"}))

    answer = function.invoke({"n": 2})
    assert (answer["served"], answer["variable"]) == (1, "reconfigured")
    assert answer["left"] <= 1_000


def test_a_module_that_does_not_load_is_loaded_anew_for_the_next_request(
    make: Make, log: list[tuple[str, list[str]]], tmp_path: Path
) -> None:
    function = make("import nothing_of_that_name")

    with pytest.raises(InitError) as caught:
        function.invoke({"n": 1})
    (tmp_path / "app.py").write_text(CODE)

    assert str(caught.value) == ("echo does not load: ModuleNotFoundError: No module named 'nothing_of_that_name'")
    assert log[0][1][-1] == "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert function.invoke({"n": 2})["served"] == 1


def test_what_a_function_logs_is_its_own_whoever_had_the_stream_when_its_logger_was_made(
    make: Make, log: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = 'import logging\ndef handler(event, context):\n    logging.getLogger("echo").warning("said")\n'
    handler = logging.StreamHandler(io.StringIO())
    monkeypatch.setattr(logging.getLogger("echo"), "handlers", [handler])
    monkeypatch.setattr(logging.getLogger("echo"), "propagate", False)

    make(code).invoke({})

    assert log == [("echo", ["said"])]


@dataclasses.dataclass
class Machine:
    """A clock, and the memory of a process, that a handler moves on."""

    seconds: float = 0.0
    peak: int = 0
    resident: int = 0

    def take(self, seconds: float = 0.0, megabytes: int = 0, *, kept: int = 0) -> None:
        self.seconds += seconds
        self.peak = max(self.peak, self.resident + (megabytes << 20))
        self.resident += kept << 20

    def set_back(self) -> None:
        self.peak = self.resident

    def meter(self) -> Meter:
        return Meter(lambda: self.peak, self.set_back, lambda: self.seconds)


@pytest.mark.parametrize(
    ("take", "message"),
    [
        ({"seconds": 10.5}, "Task timed out after 10.00 seconds. echo took 10.5 s, and its Timeout is 10 s"),
        ({"megabytes": 600}, "signal: killed. echo took 600 MB more than before, and its MemorySize is 512 MB"),
    ],
)
def test_a_call_beyond_what_the_template_gives_fails_and_takes_its_environment_with_it(
    make: Make, log: list[tuple[str, list[str]]], take: dict[str, Any], message: str
) -> None:
    machine = Machine()
    function = make(meter=machine.meter())

    with pytest.raises(LimitError, match="Lambda would have ended it"):
        function.invoke({"n": 1, "meanwhile": partial(machine.take, **take)})

    assert message in log[-1][1][-1]
    assert function.invoke({"n": 2})["served"] == 1


def test_what_a_call_may_take_it_takes_again_and_again(make: Make) -> None:
    machine = Machine()
    function = make(meter=machine.meter())

    for number in range(3):
        event = {"n": number, "meanwhile": partial(machine.take, 10, 512, kept=400)}
        assert function.invoke(event)["served"] == number + 1


def test_calls_side_by_side_share_what_memory_grows_by(make: Make) -> None:
    machine = Machine()
    function = make(environments=2, meter=machine.meter())
    inner = {"n": 2, "meanwhile": partial(machine.take, 0, 800)}
    function.invoke({"n": 0})  # while one starts cold, no other does

    function.invoke({"n": 1, "meanwhile": lambda: function.invoke(inner)})


def test_memory_is_measured_by_the_kernels_count() -> None:
    meter = Meter()

    with meter.call() as used:
        taken = bytearray(64 << 20)
        taken[:: 1 << 12] = b"x" * len(taken[:: 1 << 12])

    assert 60 < used.megabytes < 200
    assert used.seconds > 0
