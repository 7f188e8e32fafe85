"""Real shippers against a running system, configured as `auditwire cluster add --from` says."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from auditwire.senders.kind import SenderKind
from auditwire_cli.cluster.sources.instructions import INSTRUCTIONS
from auditwire_cli.cluster.sources.source import Sending, Source
from auditwire_local import ClusterCredential, LocalSystem, Options
from local_road import EVENT_PATH, exec_event
from waiting import until

SYSLOG_NG = shutil.which("syslog-ng")
CREDENTIALS = {
    name: ClusterCredential(f"credential-of-{name}", SenderKind.ANY) for name in ("syslog-ng", "otel", "otel-plain")
}
NUMBERS = range(1, 26)


@pytest.fixture(scope="module")
def system() -> Iterator[LocalSystem]:
    with LocalSystem.start(options=Options(schedules=False, clusters=CREDENTIALS)) as system:
        yield system


def lines(start: int = 0) -> list[str]:
    # Longer than what shippers cut unless they are told not to.
    return [json.dumps(exec_event(start + number, annotations={"padding": "x" * 100_000})) for number in NUMBERS]


def archived(system: LocalSystem, cluster: str) -> set[str]:
    found = map(json.loads, system.archive_lines())
    return {line["auditID"] for line in found if line["cluster"] == cluster}


def expected(start: int = 0) -> set[str]:
    return {exec_event(start + number)["auditID"] for number in NUMBERS}


@pytest.mark.skipif(SYSLOG_NG is None, reason="syslog-ng is missing: apt-get install syslog-ng-mod-http")
def test_syslog_ng_sends_the_log_as_it_grows(system: LocalSystem, tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    log.write_text("".join(f"{line}\n" for line in lines()))
    text = INSTRUCTIONS[Source.SYSLOG_NG](
        Sending(cluster="syslog-ng", endpoint=system.url, credential_file="syslog-ng.credential")
    )
    for there, here in (
        (r"/var/log/kubernetes/audit/audit\.log", str(log)),
        (r"disk-buffer\(", f'disk-buffer(dir("{tmp_path}") '),
        (r"batch-timeout\(5000\)", "batch-timeout(100)"),
    ):
        text, count = re.subn(there, here, text)
        assert count == 1
    (tmp_path / "syslog-ng.conf").write_text(f"@version: 3.35\n{text}")
    command = [
        SYSLOG_NG or "", "--foreground", "--stderr", "--no-caps", f"--cfgfile={tmp_path / 'syslog-ng.conf'}",
        f"--persist-file={tmp_path / 'persist'}", f"--pidfile={tmp_path / 'pid'}", f"--control={tmp_path / 'control'}",
    ]  # fmt: skip
    environment = {**os.environ, "AUDITWIRE_CREDENTIAL": CREDENTIALS["syslog-ng"].credential}
    with (tmp_path / "out").open("wb") as out, subprocess.Popen(command, env=environment, stderr=out) as process:
        try:
            until(lambda: archived(system, "syslog-ng") == expected())
            with log.open("a") as more:
                more.writelines(f"{line}\n" for line in lines(100))
            until(lambda: archived(system, "syslog-ng") == expected() | expected(100))
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("cluster", "compression"),
    [("otel", Compression.Gzip), ("otel-plain", Compression.NoCompression)],
    ids=["gzip", "plain"],
)
def test_opentelemetry_sends_lines_as_bodies(system: LocalSystem, cluster: str, compression: Compression) -> None:
    exporter = OTLPLogExporter(
        endpoint=system.url + EVENT_PATH,
        headers={"Authorization": f"Bearer {CREDENTIALS[cluster].credential}"},
        compression=compression,
    )
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("filelog")
    for line in lines()[:5]:
        logger.emit(
            LogRecord(
                timestamp=1795298700104000000,
                severity_number=SeverityNumber.INFO,
                body=line,
                attributes={"log.file.name": "audit.log"},
            )
        )
    provider.shutdown()

    assert archived(system, cluster) == {exec_event(number)["auditID"] for number in NUMBERS[:5]}
