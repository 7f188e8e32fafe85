"""The instructions for every source: complete, well formed, and without a credential."""

import re
import subprocess
import tomllib

import pytest
import yaml

from auditwire.senders.paths import EVENT_PATH, FIREHOSE_PATH, GKE_PATH
from auditwire_cli.cluster.sources.clouds import eks_logging
from auditwire_cli.cluster.sources.instructions import INSTRUCTIONS
from auditwire_cli.cluster.sources.source import Sending, Source

FILE = "my clusters/prod.credential"
SENDING = Sending(
    cluster="prod",
    endpoint="https://audit.example.com",
    credential_file=FILE,
    region="eu-central-1",
    stack="auditwire",
    log_group="/aws/eks/prod/cluster",
    function_arn="arn:aws:lambda:eu-central-1:123456789012:function:subscribe",
)
PUSH = Sending(
    cluster="prod",
    endpoint="https://audit.example.com",
    audience="auditwire",
    service_account="push@my-project.iam.gserviceaccount.com",
)
COMMANDS = [Source.EKS, Source.GKE, Source.AKS, Source.FIREHOSE]


def test_every_source_has_instructions() -> None:
    assert set(INSTRUCTIONS) == set(Source)


@pytest.mark.parametrize("source", [one for one in Source if one not in (Source.EKS, Source.S3)])
def test_they_name_the_address_and_the_file_of_the_credential(source: Source) -> None:
    text = INSTRUCTIONS[source](SENDING)

    assert SENDING.endpoint.removeprefix("https://") in text
    assert (FIREHOSE_PATH if source is Source.FIREHOSE else EVENT_PATH) in text
    assert FILE in text


@pytest.mark.parametrize("sending", [SENDING, PUSH], ids=["credential", "token"])
@pytest.mark.parametrize("source", COMMANDS)
def test_commands_are_commands_of_a_shell(source: Source, sending: Sending) -> None:
    text = INSTRUCTIONS[source](sending)
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def words_of(source: Source, sending: Sending, *programs: str) -> list[list[str]]:
    """What a shell would call, by stand-ins for these programs that only print their arguments."""
    functions = "".join(
        f"{name}() {{ printf '%s\\0' {name} \"$@\" >&3; printf '\\1' >&3; echo made-by-{name}; }}\n"
        for name in programs
    )
    script = functions + "cat() { echo the-credential; }\ncd() { :; }\n" + INSTRUCTIONS[source](sending)
    done = subprocess.run(["bash", "-c", f"exec 3>&1\n{script}"], capture_output=True, text=True, check=True)
    calls = [call.split("\0")[:-1] for call in done.stdout.split("\1")]
    return [call for call in calls if call]


def test_the_commands_for_eks_subscribe_every_line_of_the_group() -> None:
    config, put = words_of(Source.EKS, SENDING, "aws")

    assert config[1:3] == ["eks", "update-cluster-config"]
    assert config[-1] == '{"clusterLogging":[{"types":["audit"],"enabled":true}]}'
    assert put[1:3] == ["logs", "put-subscription-filter"]
    assert put[put.index("--filter-pattern") + 1] == ""
    assert put[put.index("--log-group-name") + 1] == SENDING.log_group
    assert put[put.index("--destination-arn") + 1] == SENDING.function_arn
    assert "put-subscription-filter" not in eks_logging(SENDING)


def test_the_commands_for_gke_push_with_a_token_or_with_the_credential() -> None:
    with_token = words_of(Source.GKE, PUSH, "gcloud")
    with_path = words_of(Source.GKE, SENDING, "gcloud")

    assert f"--push-endpoint={PUSH.endpoint}{GKE_PATH}" in with_token[-1]
    assert "--push-auth-service-account=push@my-project.iam.gserviceaccount.com" in with_token[-1]
    assert "--push-auth-token-audience=auditwire" in with_token[-1]
    assert f"--push-endpoint={SENDING.endpoint}{EVENT_PATH}/the-credential" in with_path[-1]
    (sink,) = [call for call in with_path if call[1:4] == ["logging", "sinks", "create"]]
    (log_filter,) = [word for word in sink if word.startswith("--log-filter=")]
    assert 'protoPayload.serviceName="k8s.io"' in log_filter
    assert 'resource.labels.cluster_name="prod"' in log_filter


def test_the_commands_for_aks_export_one_category() -> None:
    calls = words_of(Source.AKS, SENDING, "az", "func")
    (setting,) = [call for call in calls if call[1:4] == ["monitor", "diagnostic-settings", "create"]]

    assert setting[setting.index("--logs") + 1] == '[{"category":"kube-audit","enabled":true}]'
    (settings,) = [call for call in calls if "appsettings" in call]
    assert "AUDITWIRE_CREDENTIAL=the-credential" in settings


def test_firehose_sends_what_a_function_can_take() -> None:
    calls = words_of(Source.FIREHOSE, SENDING, "aws")
    (stream,) = [call for call in calls if "create-delivery-stream" in call]
    (configuration,) = [yaml.safe_load(word) for word in stream if word.startswith("{")]

    assert configuration["EndpointConfiguration"] == {
        "Name": "auditwire", "Url": f"{SENDING.endpoint}{FIREHOSE_PATH}", "AccessKey": "the-credential",
    }  # fmt: skip
    assert configuration["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 60}
    assert configuration["RequestConfiguration"] == {"ContentEncoding": "NONE"}
    assert configuration["S3BackupMode"] == "FailedDataOnly"


@pytest.mark.parametrize("source", [Source.OTEL, Source.OPENSHIFT])
def test_documents_are_yaml(source: Source) -> None:
    assert yaml.safe_load(INSTRUCTIONS[source](SENDING))


def test_the_configuration_of_vector_is_toml() -> None:
    sink = tomllib.loads(INSTRUCTIONS[Source.VECTOR](SENDING))["sinks"]["auditwire"]

    # What API Gateway takes for text must not be compressed; this type it does not take for text.
    assert (sink["encoding"]["codec"], sink["framing"]["method"]) == ("json", "newline_delimited")
    assert sink["compression"] == "gzip"


@pytest.mark.parametrize(
    ("source", "setting"),
    [
        (Source.FLUENT_BIT, r"Buffer_Max_Size +2M"),
        (Source.FLUENT_BIT, r"Format +json_lines"),
        (Source.FLUENTD, r"retryable_response_codes 401,"),
        (Source.LOGSTASH, r"http_compression => false"),
        (Source.LOGSTASH, r"retryable_codes => \[401,"),
        (Source.OPENSHIFT, r"compression: none"),
        (Source.SYSLOG_NG, r"log-msg-size\(2097152\)"),
    ],
)
def test_the_settings_that_matter_are_there(source: Source, setting: str) -> None:
    assert re.search(setting, INSTRUCTIONS[source](SENDING))
