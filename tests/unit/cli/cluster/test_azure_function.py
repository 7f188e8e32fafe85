"""The recipe for AKS, run as it stands with the real package: a batch of an Event Hub goes to ingest."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func
import pytest

from auditwire.ingest.request import Request
from envelopes import RESOURCE, azure, text_of
from local_road import exec_event
from memory_road import RECEIVED, TOKEN, Road

RECIPE = Path(__file__).parents[4] / "docs" / "recipes" / "azure-function"


@pytest.fixture
def recipe(receiver: Any, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AUDITWIRE_URL", f"{receiver.url}/audit/webhook/event")
    monkeypatch.setenv("AUDITWIRE_CREDENTIAL", TOKEN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    spec = importlib.util.spec_from_file_location("function_app", RECIPE / "function_app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batch(*numbers: int) -> list[func.EventHubEvent]:
    records = [azure(json.dumps(exec_event(number)) + "\n") for number in numbers]
    return [func.EventHubEvent(body=text_of({"records": [record]})) for record in records]


def forward(recipe: ModuleType, messages: list[func.EventHubEvent]) -> None:
    (function,) = recipe.app.get_functions()
    function.get_user_function()(messages)


def test_a_batch_is_posted_and_read(recipe: ModuleType, receiver: Any) -> None:
    forward(recipe, batch(1, 2))

    (request,) = receiver.requests
    road = Road()
    answer = road.ingest.handle(Request("POST", request.path, request.headers, request.body, RECEIVED))
    assert answer.status == 200
    assert [line["auditID"] for line in road.lines()] == [exec_event(1)["auditID"], exec_event(2)["auditID"]]
    assert {line["_auditwire"]["reportedCluster"] for line in road.lines()} == {RESOURCE.lower()}


@pytest.mark.parametrize("status", [401, 413, 500, 503])
def test_what_is_not_taken_comes_again(recipe: ModuleType, receiver: Any, status: int) -> None:
    receiver.answers = [status]

    with pytest.raises(OSError, match=str(status)):
        forward(recipe, batch(1))


def test_the_trigger_is_that_of_the_instructions(recipe: ModuleType) -> None:
    (function,) = recipe.app.get_functions()
    trigger = function.get_trigger().get_dict_repr()

    assert (trigger["eventHubName"], trigger["connection"], trigger["cardinality"].name) == (
        "kube-audit", "EVENT_HUB", "MANY",
    )  # fmt: skip
    assert function.get_setting("retry_policy").max_retry_count == "-1"
