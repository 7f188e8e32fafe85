"""The console of a stack on AWS: from the environment of its function to the application, and an event through it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mangum import Mangum

from auditwire.bundles.rules_bucket import S3RulesBucket
from auditwire.clusters import ClustersTable
from auditwire.evidence.s3 import S3Store
from auditwire.evidence.signing import KmsSigner, Verifier
from auditwire.ledger.reading import Counters
from auditwire.search.athena import Athena
from auditwire.search.athena_engine import AthenaEngine
from auditwire.search.bucket import BucketObjects
from auditwire.search.duckdb_engine import DuckDBEngine
from auditwire_console.app import make_app
from auditwire_console.call import ON_LAMBDA
from auditwire_console.cost import Costs
from auditwire_console.guard import Guard, behind_gateway
from auditwire_console.rights import Rights
from auditwire_console.signin import DynamoSessions, Settings, SignIn, fetch
from auditwire_console.source import Source
from auditwire_console.stack import StackFacts
from auditwire_console.who import ByTokenOrSession

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

    from auditwire.aws.environment import ConsoleConfig
    from auditwire_console.search_log import Write


@dataclass(frozen=True, slots=True)
class Clients:
    """The AWS clients of the console. ``athena`` and ``secretsmanager`` are called only where they are needed."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    cloudwatch: "CloudWatchClient"
    sqs: "SQSClient"
    kms: "KMSClient"
    athena: "Callable[[], AthenaClient]"
    secretsmanager: "Callable[[], SecretsManagerClient]"

    @classmethod
    def of_requests(cls) -> "Clients":
        """Clients with their usual deadlines. Asks AWS for nothing."""
        from auditwire.aws import clients  # noqa: PLC0415 - tests have clients of their own

        return cls(
            s3=clients.s3_client(patient=True),
            dynamodb=clients.dynamodb_client(),
            cloudwatch=clients.cloudwatch_client(),
            sqs=clients.sqs_client(),
            kms=clients.kms_client(),
            athena=clients.athena_client,
            secretsmanager=clients.secretsmanager_client,
        )


def make_console(config: "ConsoleConfig", clients: Clients, log: "Write") -> Guard:
    """The application of the stack that ``config`` names; ``log`` takes what was searched. Asks AWS for nothing yet.

    Raises ValueError for settings of the sign-in that cannot be meant.
    """
    settings = Settings(
        config.issuer, config.client_id, config.scopes, config.groups_claim, session_hours=config.session_hours
    )
    sessions = DynamoSessions(clients.dynamodb, config.sessions_table)

    def secret() -> str:
        if not config.client_secret_arn:
            return ""
        answer = clients.secretsmanager().get_secret_value(SecretId=config.client_secret_arn)
        # Whoever made it of a file has the end of its line in it.
        return answer["SecretString"].strip()

    sign_in = SignIn(settings, fetch, sessions, secret, _now)
    who = ByTokenOrSession(Rights(clients.dynamodb, config.viewers_table), sign_in)
    source = source_of(config, clients)
    return make_app(source, who, behind_gateway(), sign_in=sign_in.routes(), limits=ON_LAMBDA, log=log)


def source_of(config: "ConsoleConfig", clients: Clients) -> Source:
    """The archive of a stack and what is known beside it, for a reader within AWS."""
    place = BucketObjects(clients.s3, config.archive_bucket)
    duckdb = DuckDBEngine(place, within_aws=True)
    engines = (duckdb, *_athena(config, clients, place))
    counters = Counters(
        clients.cloudwatch,
        clients.s3,
        clients.sqs,
        namespace=config.metrics_namespace,
        bucket=config.archive_bucket,
        alerts_queue=config.alerts_queue_url,
        dead_letters=config.dead_letter_queue_url,
    )
    rules = S3RulesBucket(clients.s3, config.rules_bucket)
    facts = StackFacts(rules, ClustersTable(clients.dynamodb, config.clusters_table), counters, _now)
    return Source(
        title=f"stack {config.stack}",
        engine=duckdb,
        costs=Costs(engines, config.search_dollars, config.athena_above_bytes),
        reader=S3Store(clients.s3, config.archive_bucket),
        keys=_KeyOfStack(KmsSigner(clients.kms, config.seal_key_arn)) if config.seal_key_arn else {},
        now=_now,
        live=True,
        rules=facts.rules,
        clusters=facts.clusters,
        rules_of=facts.rules_of,
        ledger=facts.ledger,
    )


def answer(app: Guard, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The answer to an event of an HTTP API (payload format 2.0). An environment answers one event at a time."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return Mangum(app, lifespan="off")(event, context)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def _athena(config: "ConsoleConfig", clients: Clients, place: BucketObjects) -> Iterator[AthenaEngine]:
    if config.athena_workgroup:
        athena = Athena(clients.athena(), config.athena_workgroup, config.search_database)
        yield AthenaEngine(place, athena, within_aws=True)


def _now() -> datetime:
    return datetime.now(UTC)


class _KeyOfStack(Mapping[str, Verifier]):
    """The one key that signs the seals, by its fingerprint, for which KMS is asked when somebody looks.

    Raises EvidenceError where KMS does not say it.
    """

    def __init__(self, key: Verifier) -> None:
        self._key = key

    def __getitem__(self, fingerprint: str) -> Verifier:
        if fingerprint != self._key.fingerprint:
            raise KeyError(fingerprint)
        return self._key

    def __iter__(self) -> Iterator[str]:
        yield self._key.fingerprint

    def __len__(self) -> int:
        return 1
