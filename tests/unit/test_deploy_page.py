"""The page about deploying: SAM's own questions, and a policy for every resource type of the template."""

import json
from typing import Any

import pytest

from pages import ROOT
from template import of_type, source, translated

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
POLICY = json.loads((ROOT / "docs/deployer-policy.json").read_text(encoding="utf-8"))
# The IAM prefix of each service of a resource type.
PREFIX = {"ApiGatewayV2": "apigateway", "Events": "events"}


def questions() -> list[str]:
    """What ``sam deploy --guided`` asks about authentication, by the rule of its code (auth_utils.auth_per_resource):
    one question, with No as the default, for each event of an API that has no Auth, and whose API has none either."""
    apis = of_type(source(), "AWS::Serverless::HttpApi")
    asked = []
    for name, function in of_type(source(), "AWS::Serverless::Function").items():
        for event in function.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                api = apis[event["Properties"]["ApiId"]["Ref"]]
                if not event["Properties"].get("Auth") and not api.get("Auth"):
                    asked.append(name)
    return asked


def test_sam_asks_no_question_whose_default_ends_the_deployment() -> None:
    assert questions() == []
    assert "asks no\nquestion about missing authentication" in PAGE


@pytest.mark.parametrize("page", [README, PAGE], ids=["README", "deploy"])
def test_the_pages_deploy_without_being_asked(page: str) -> None:
    commands = [line for line in page.splitlines() if line.startswith("$ ") and "sam deploy" in line]
    assert commands
    assert not [command for command in commands if "--guided" in command]


def test_the_parameters_that_the_pages_set_are_there() -> None:
    parameters = source()["Parameters"]
    for page in (README, PAGE):
        for line in page.splitlines():
            if "--parameter-overrides" in line and line.startswith("$ "):
                named = [word.partition("=")[0] for word in line.split("--parameter-overrides ")[1].split()]
                assert set(named) <= set(parameters)


def actions(statement: Any) -> list[str]:
    found: str | list[str] = statement["Action"]
    return [found] if isinstance(found, str) else found


@pytest.fixture(scope="module")
def types() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield sorted({resource["Type"] for resource in translated({})["Resources"].values()})


def test_whoever_deploys_may_use_every_service_of_the_template(types: list[str]) -> None:
    prefixes = {PREFIX.get(kind.split("::")[1], kind.split("::")[1].lower()) for kind in types}
    allowed = {action for one in POLICY["Statement"] for action in actions(one)}
    assert {"lambda", "apigateway", "kms", "iam"} <= prefixes
    assert prefixes <= {action.partition(":")[0] for action in allowed}


def test_whoever_deploys_may_do_so_to_this_stack_alone() -> None:
    for statement in POLICY["Statement"]:
        if statement["Resource"] == "*":
            # What IAM has no narrower resource for, or what is made with a name that AWS chooses.
            assert statement["Sid"] in {"LookAtStacks", "EventSourceMappings", "AlarmsAndLogs", "SealKey"}
            assert all("*" not in action for action in actions(statement))
