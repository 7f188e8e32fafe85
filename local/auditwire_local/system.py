"""The whole system on one machine: the deployed template, its endpoint, its queues and its alerts."""

import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import boto3
import orjson
from botocore.config import Config

from auditwire_local import gateway
from auditwire_local.api import Api, has_host, hosts_of
from auditwire_local.archive import archive_lines, table_lines
from auditwire_local.assembly import asynchronous, configurations, event_rules, mappings
from auditwire_local.authorizer import Issuer
from auditwire_local.buckets import object_events
from auditwire_local.certificate import server_context
from auditwire_local.deploy import Stack, deploy
from auditwire_local.embedded_metrics import EmbeddedMetrics
from auditwire_local.errors import DeployError, FunctionError
from auditwire_local.event_bridge import EventBridge
from auditwire_local.front import Front
from auditwire_local.invocations import answered_invocations
from auditwire_local.kept import Kept
from auditwire_local.options import REPOSITORY, ClusterCredential, Options
from auditwire_local.poller import EventSourceMapping, Poller
from auditwire_local.receiver import AlertReceiver
from auditwire_local.resources import Deployed
from auditwire_local.runtime import Function, forget_variables
from auditwire_local.sandbox import ACCOUNT, sandbox
from auditwire_local.seed import await_verdict, register_clusters, upload_rules
from auditwire_local.state import env_vars, env_vars_path, issuer_path, write_private
from auditwire_local.status import ArchivePlace, Logbook, Status, alert_in
from auditwire_local.subscriptions import delivered_logs

Observer = Callable[["LocalSystem"], AbstractContextManager[object]]

# No put takes any time here, and nobody at a terminal waits ten minutes. Tokens are for this audience.
_PARAMETERS = {"SealGraceSeconds": "0", "PubSubAudience": "auditwire-dev"}
# Compiling takes well under a second; a busy machine may need longer.
_COMPILE_SECONDS = 300.0
# How long the end waits for orders to seal.
_ORDERS_SECONDS = 2.0


class LocalSystem:
    """A running system. ``start`` makes it; ``stop``, or leaving its ``with`` block, ends it."""

    observers: ClassVar["list[Observer]"] = []
    """What observes every system of this process. Each is entered after the deployment, before a function has run,
    and left when no function runs any more and the AWS still exists."""
    url: str
    """The endpoint, without a path."""
    ca_file: Path | None
    """The certificate authority that clients must trust; None without TLS."""
    console_url: str | None = None
    """The console, without a path, always with TLS; None where the template has not deployed it."""
    console_ca_file: Path | None = None
    """The certificate authority that a browser of the console must trust."""
    aws_endpoint_url: str
    """Where other processes find the in-process AWS."""
    deployed: Stack
    """The deployed stack: outputs, resources, folders of code."""
    issuer: Issuer
    """Signs the tokens that routes with an authorizer accept."""
    clusters: Mapping[str, ClusterCredential]
    alert_receiver: AlertReceiver | None
    """The built-in receiver; None where an Alertmanager is given."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.region = options.region
        self.stack = options.stack
        self.issuer = Issuer()
        self.logbook = Logbook(options.log_file)
        self._undelivered = 0
        self._open = ExitStack()
        self._clients: dict[str, Any] = {}

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        tls: bool = False,
        alertmanagers: Sequence[str] = (),
        rules: Path | None = None,
        options: Options | None = None,
    ) -> Self:
        """Deploy the template and serve it on loopback; ``port`` 0 takes a free port.

        Alerts go to each of ``alertmanagers`` (base addresses), or to the built-in receiver when there is none. The
        documents in the folder ``rules`` (default: that of the repository) are uploaded. Raises LocalError with a
        sentence for the user; then nothing is left running.
        """
        system = cls(options or Options())
        try:
            system._begin(port, tls, alertmanagers, rules)
        except BaseException:
            system._open.close()
            raise
        return system

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack."""
        return dict(self.deployed.outputs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()

    def stop(self) -> int:
        """Answer requests in flight, deliver the alerts, and end everything. Returns the number of alerts that are not
        delivered.

        Takes at most ``options.drain_seconds`` and a second or two. It may be called again.
        """
        self._open.close()
        return self._undelivered

    def status(self) -> Status:
        """The counters as they are now, the newest alerts, and where the archive is."""
        bucket, table = self.outputs["ArchiveBucket"], self.outputs.get("ArchiveTable")
        # Unsigned, so that it asks for no credentials.
        there = f"--no-sign-request --endpoint-url {self.aws_endpoint_url}"
        if table:
            place = ArchivePlace(f"DynamoDB table {table}", f"aws dynamodb scan {there} --table-name {table}")
        else:
            place = ArchivePlace(f"s3://{bucket}", f"aws s3 ls --recursive {there} s3://{bucket}/")
        return self.logbook.status(place)

    def logs(self, function: str | None = None) -> list[str]:
        """The newest log lines of one function (``ingest``, ``relay``), or of all."""
        return self.logbook.lines(function)

    def archive_lines(self) -> Iterator[bytes]:
        """Every archived event as a line of JSON."""
        s3, bucket, table = self.client("s3"), self.outputs["ArchiveBucket"], self.outputs.get("ArchiveTable")
        return table_lines(self.client("dynamodb"), table, s3, bucket) if table else archive_lines(s3, bucket)

    def resource(self, logical_id: str) -> Deployed:
        """A deployed resource with its resolved properties, also those that moto does not keep."""
        return self.deployed.resources[logical_id]

    def function(self, name: str) -> Function:
        """A function by the name of its folder."""
        return self._functions[name]

    def client(self, service: str) -> Any:
        """A shared client of the in-process AWS."""
        if service not in self._clients:
            # Retries would only hide errors in this process.
            config = Config(retries={"total_max_attempts": 1})
            self._clients[service] = boto3.client(service, region_name=self.region, config=config)  # type: ignore[call-overload]
        return self._clients[service]

    def write_state(self, path: Path) -> None:
        """Write the state file and, beside it, the env-vars file for ``sam local invoke`` and the file with the key of
        the issuer of tokens; all with mode 0600."""
        (authorizer,) = self._api.authorizers.values()
        write_private(
            issuer_path(path),
            {
                "issuer": authorizer.issuer,
                "audience": authorizer.audiences[0],
                "private_key": self.issuer.private_key,
            },
        )
        variables = {
            function.configuration.logical_id: function.configuration.variables for function in self._functions.values()
        }
        write_private(env_vars_path(path), env_vars(variables, self.aws_endpoint_url))
        shown = {"console_url": self.console_url, "console_ca_file": str(self.console_ca_file)}
        write_private(
            path,
            {
                "url": self.url,
                "ca_file": str(self.ca_file) if self.ca_file else None,
                "aws_endpoint_url": self.aws_endpoint_url,
                "region": self.region,
                "stack": self.stack,
                "outputs": self.outputs,
                "clusters": {
                    name: {"credential": cluster.credential, "sender": cluster.sender}
                    for name, cluster in self.clusters.items()
                },
                **(shown if self.console_url else {}),
            },
        )

    def _begin(self, port: int, tls: bool, alertmanagers: Sequence[str], rules: Path | None) -> None:
        options, opened = self.options, self._open
        opened.callback(self.logbook.close)
        opened.callback(forget_variables)
        self.aws_endpoint_url = opened.enter_context(sandbox(options.region, options.aws_host, options.aws_port))
        trouble = partial(self._trouble, "metrics")
        self._metrics = opened.enter_context(EmbeddedMetrics(self.client("cloudwatch"), trouble))
        relays = options.parameters.get("Alertmanager") != "off"
        self.alert_receiver = AlertReceiver() if relays and not alertmanagers else None
        if self.alert_receiver:
            self.alert_receiver.start()
            opened.callback(self.alert_receiver.stop)
            alertmanagers = [self.alert_receiver.url]
        self.deployed = deploy(
            options.template,
            stack=options.stack,
            region=options.region,
            parameters={"AlertmanagerUrls": ",".join(alertmanagers), **_PARAMETERS, **options.parameters},
        )
        kept = Kept.read(options.kept) if options.kept else Kept()
        self.clusters = register_clusters(
            self.client("dynamodb"), self.outputs["ClustersTable"], options.clusters, kept.credentials
        )
        self._functions = {
            configuration.name: Function(
                # The console of AWS knows nothing of what is archived here.
                replace(configuration, variables={**configuration.variables, "HAS_CONSOLE": "false"}),
                environments=options.environments,
                log=self._printed,
            )
            for configuration in configurations(self.deployed, self.client("lambda"))
        }
        for observer in self.observers:
            opened.enter_context(observer(self))
        opened.enter_context(answered_invocations(self._invocation_of))
        self._bring_rules(rules or REPOSITORY / "rules")
        polled = mappings(self.deployed, options.visibility_timeout, options.batching_window)
        self._pollers = [self._make_poller(mapping) for mapping in polled]
        self._alerts = [one for one in self._pollers if one.queue_url == self.outputs.get("AlertsQueueUrl")]
        self._api = Api.of(self.resource("HttpApi"))
        console = self.deployed.resources.get("ConsoleApi")
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="auditwire-")))
        context, authority = server_context(folder, kept.authority) if tls or console else (None, None)
        if options.kept:
            authority = self._keep(options.kept, kept, authority)
        trouble = partial(self._trouble, "front")
        self._fronts = [Front(port, self._respond, tls=context if tls else None, trouble=trouble)]
        self.url, self.ca_file = self._fronts[0].url, authority if tls else None
        if console:
            opened.callback(self._fronts[0].server_close)
            self._console = Api.of(console)
            self._fronts.append(Front(options.console_port, self._show, tls=context, trouble=trouble))
            self.console_url, self.console_ca_file = self._fronts[1].url, authority
        opened.callback(self._drain)
        for poller in self._pollers:
            poller.start()
        for front in self._fronts:
            front.start()

    def _keep(self, path: Path, kept: Kept, authority: Path | None) -> Path | None:
        """Keep credentials and authority for the next run; beside them the certificate, under a name that stays, which
        is returned.

        Where that cannot be written, the state file beside it cannot either, and whoever writes that says so.
        """
        with suppress(OSError):
            Kept({name: cluster.credential for name, cluster in self.clusters.items()}, kept.authority).write(path)
            if authority:
                stays = path.with_name(f"{path.name.partition('.')[0]}.ca.pem")
                stays.write_bytes(authority.read_bytes())
                return stays.resolve()
        return authority

    def _drain(self) -> None:
        deadline = time.monotonic() + self.options.drain_seconds
        for front in self._fronts:
            front.drain(deadline)
        # Before the pollers, because what it delivers may publish alerts.
        self._bridge.drain(deadline)
        for poller in self._pollers:
            if poller not in self._alerts:
                # What it still delivers may publish alerts; what it leaves is not an alert.
                poller.drain(min(deadline, time.monotonic() + _ORDERS_SECONDS))
        self._undelivered = sum(poller.drain(deadline) for poller in self._alerts)

    def _bring_rules(self, folder: Path) -> None:
        """Start EventBridge, upload the rules, and wait until they are compiled."""
        rules = event_rules(self.deployed, self.client("events"))
        self._bridge = EventBridge(
            [rule for rule in rules if rule.every is None or self.options.schedules],
            self._deliver,
            failed=self._to_destination,
            trouble=partial(self._trouble, "event bridge"),
            account=ACCOUNT,
            region=self.region,
        )
        self._bridge.start()
        self._open.callback(lambda: self._bridge.drain(time.monotonic() + self.options.drain_seconds))
        self._open.enter_context(object_events(self._bridge.publish))
        permissions = [one.properties for one in self.deployed.of_type("AWS::Lambda::Permission")]
        self._open.enter_context(delivered_logs(permissions, self._call))
        if upload_rules(self.client("s3"), self.outputs["RulesBucket"], folder):
            await_verdict(self.client("s3"), self.outputs["RulesBucket"], _COMPILE_SECONDS)

    def _deliver(self, reference: str, event: Mapping[str, Any]) -> None:
        """Give an event to the target of a rule, which is a function or a queue."""
        for queue in self.deployed.of_type("AWS::SQS::Queue"):
            if queue.attributes["Arn"] == reference:
                self.client("sqs").send_message(QueueUrl=queue.physical_id, MessageBody=orjson.dumps(event).decode())
                return
        self._invoke(self._function_of(reference), event)

    def _call(self, reference: str, event: Mapping[str, Any]) -> None:
        """Have a function called for whoever does not wait for its answer."""
        arn = self._function_of(reference).configuration.arn
        self._bridge.call(arn, event, retries=asynchronous(self.deployed, arn)[0])

    def _to_destination(self, reference: str, event: Mapping[str, Any]) -> None:
        """Give an event to the destination of a function that has failed as often as it is tried."""
        function = self._function_of(reference).configuration
        retries, queue = asynchronous(self.deployed, function.arn)
        if queue is not None:
            about = {
                "functionArn": function.arn,
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 1 + retries,
            }
            body = orjson.dumps({"version": "1.0", "requestContext": about, "requestPayload": event}).decode()
            self.client("sqs").send_message(QueueUrl=queue, MessageBody=body)

    def _make_poller(self, mapping: EventSourceMapping) -> Poller:
        function = self._function_of(mapping.function)
        is_of_alerts = mapping.queue_url == self.outputs.get("AlertsQueueUrl")
        return Poller(
            self.client("sqs"),
            mapping,
            partial(self._invoke, function),
            seen=self._remember if is_of_alerts else lambda records: None,
            trouble=partial(self._trouble, "poller"),
        )

    def _function_of(self, reference: str) -> Function:
        """The function with this name or ARN, with or without a qualifier."""
        for function in self._functions.values():
            configuration = function.configuration
            if any(f"{reference}:".startswith(f"{own}:") for own in (configuration.arn, configuration.function_name)):
                return function
        msg = f"the template calls {reference}, which is not one of its functions"
        raise DeployError(msg)

    def _invocation_of(self, reference: str) -> Callable[[Mapping[str, Any]], Any] | None:
        """Calls the function with this name or ARN; None where the stack has none."""
        with suppress(DeployError):
            return partial(self._invoke, self._function_of(reference))
        return None

    def _invoke(self, function: Function, event: Mapping[str, Any]) -> Any:
        try:
            return function.invoke(event)
        except FunctionError:
            self.logbook.add_failure(function.configuration.name)
            raise

    def _printed(self, function: str, lines: Sequence[str]) -> None:
        """Take what one call of a function printed."""
        outboxed = self.logbook.add(function, lines)
        self._metrics.add(lines)
        if outboxed:
            # A machine that is busy is often too slow for SNS. Nobody who watches should wait a minute then.
            self._bridge.run_schedules_of(self._functions["publish_outbox"].configuration.arn)

    def _trouble(self, where: str) -> None:
        """Write the exception that is being handled into the log, and count it."""
        self.logbook.add(where, traceback.format_exc().splitlines())
        self.logbook.add_failure(where)

    def _remember(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Keep alerts for the summary when they are seen for the first time."""
        for record in records:
            if record["attributes"].get("ApproximateReceiveCount") == "1":
                alert = alert_in(record["body"])
                if alert is not None:
                    self.logbook.add_alert(alert)

    def _respond(self, request: gateway.Request) -> gateway.HttpAnswer:
        answer = self._api.respond(request, self.issuer, self._answer)
        for poller in self._pollers:
            poller.wake()
        return answer

    def _show(self, request: gateway.Request) -> gateway.HttpAnswer:
        [_, front] = self._fronts
        if not has_host(request, hosts_of(front.server_address[1])):
            return gateway.FORBIDDEN
        return self._console.respond(request, self.issuer, self._answer)

    def _answer(self, function: str, event: Mapping[str, Any]) -> Any:
        return self._invoke(self._function_of(function), event)
