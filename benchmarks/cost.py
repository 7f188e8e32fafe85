"""What a million events cost: a model of the bill, with prices, measured work and assumptions as inputs. Pure.

Prices are AWS's list prices without free tiers; look up your region's and put them in. What is measured comes from the
machine that runs the benchmark, not from Lambda.
"""

from dataclasses import dataclass
from typing import Literal

_MILLION = 1e6
_GB = 1e9
_HTTP_API_METER = 512 * 1024
_WHOLE_PROCESSOR_MB = 1769
"""Memory at which Lambda gives a function one whole processor (AWS Lambda documentation, "Memory")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Dollars, us-east-1, on demand, as listed in November 2026 or before."""

    http_api_million_requests: float = 1.00
    lambda_million_requests: float = 0.20
    lambda_gb_second_arm: float = 0.0000133334
    s3_thousand_puts: float = 0.005
    s3_gb_month: float = 0.023
    dynamodb_million_writes: float = 0.625
    dynamodb_million_reads: float = 0.125
    dynamodb_gb_month: float = 0.25
    dynamodb_recovery_gb_month: float = 0.20
    """Point-in-time recovery, on top."""
    dynamodb_infrequent_million_writes: float = 0.78
    dynamodb_infrequent_million_reads: float = 0.155
    dynamodb_infrequent_gb_month: float = 0.10
    sns_million_publishes: float = 0.50
    sqs_million_requests: float = 0.40
    logs_gb: float = 0.50
    metric_month: float = 0.30
    alarm_month: float = 0.10
    dashboard_month: float = 3.00
    kms_key_month: float = 1.00
    s3_million_gets: float = 0.40
    kms_million_signatures: float = 15.0
    athena_tb: float = 5.00
    secret_month: float = 0.40


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What comes in. ``batch`` is events a request, ``body`` bytes of an event as sent, ``line`` bytes of an archived
    event compressed with its batch, ``item`` compressed alone."""

    batch: int
    body: float
    line: float
    item: float
    archived: float
    """Share of the events that is archived."""
    alerts: float
    """Alerts an event, after folding."""
    cpu: float
    """Seconds of one processor for one batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How the stack is set up, and what is assumed of AWS."""

    memory_mb: int = 1769
    wait: float = 0.05
    """Seconds a batch waits for S3 or DynamoDB; assumed."""
    log_bytes: int = 2_500
    """Of log lines and metrics a batch: the batch line, its metrics, Lambda's own three lines, the access log."""
    indexes: int = 3
    """Indexes of the DynamoDB archive: each is written with each item."""
    item_overhead: int = 430
    """Bytes of an item beside its content: keys, index attributes, names, and what DynamoDB adds."""
    is_infrequent: bool = False
    """Whether the table has the class STANDARD_INFREQUENT_ACCESS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Dollars for a million events, by what they go to, and a month's storage of them."""

    api: float
    functions: float
    archive: float
    alerts: float
    logs: float
    storage_month: float

    @property
    def total(self) -> float:
        """Everything but the storage, which depends on how long events are kept."""
        return self.api + self.functions + self.archive + self.alerts + self.logs


def duration(traffic: Traffic, setting: Setting) -> float:
    """Billed seconds of one batch: its work on the share of a processor the memory buys, and its waiting."""
    share = min(1.0, setting.memory_mb / _WHOLE_PROCESSOR_MB)
    return traffic.cpu / share + setting.wait


def cost_of_a_million(
    traffic: Traffic, store: Literal["s3", "dynamodb"], prices: Prices | None = None, setting: Setting | None = None
) -> Cost:
    """The bill for a million events that come in like this."""
    prices, setting = prices or Prices(), setting or Setting()
    batches = _MILLION / traffic.batch
    metered = max(1.0, traffic.batch * traffic.body / _HTTP_API_METER)
    gb_seconds = duration(traffic, setting) * setting.memory_mb / 1024
    kept = _MILLION * traffic.archived
    if store == "s3":
        # A batch of which nothing is kept writes nothing; with more than a few events some are.
        objects = batches * (1 - (1 - traffic.archived) ** traffic.batch)
        archive = objects / 1000 * prices.s3_thousand_puts
        storage = kept * traffic.line / _GB * prices.s3_gb_month
    else:
        size = traffic.item + setting.item_overhead
        # A write counts by the started kB; an index entry is smaller. What is there already is looked for first.
        writes = kept * (-(-size // 1024) + setting.indexes)
        rare = setting.is_infrequent
        write = prices.dynamodb_infrequent_million_writes if rare else prices.dynamodb_million_writes
        read = prices.dynamodb_infrequent_million_reads if rare else prices.dynamodb_million_reads
        gb_month = prices.dynamodb_infrequent_gb_month if rare else prices.dynamodb_gb_month
        archive = (writes * write + kept * read) / _MILLION
        # Recovery is for the table, not for its indexes.
        entries = kept * setting.indexes * setting.item_overhead / _GB
        storage = kept * size / _GB * (gb_month + prices.dynamodb_recovery_gb_month) + entries * gb_month
    sent = _MILLION * traffic.alerts
    # Published, received, deleted; SNS delivers to SQS for nothing.
    alerts = sent / _MILLION * (prices.sns_million_publishes + 2 * prices.sqs_million_requests)
    return Cost(
        api=batches * metered / _MILLION * prices.http_api_million_requests,
        functions=batches * (prices.lambda_million_requests / _MILLION + gb_seconds * prices.lambda_gb_second_arm),
        archive=archive,
        alerts=alerts,
        logs=batches * setting.log_bytes / _GB * prices.logs_gb,
        storage_month=storage,
    )


def month(cost: Cost, millions: float, months_kept: int) -> float:
    """Dollars of a month in which so many million events come, once as many months are stored as are kept."""
    return millions * (cost.total + cost.storage_month * months_kept)


def fixed_month(metrics: int, alarms: int, prices: Prices | None = None) -> float:
    """Dollars a month whatever the traffic: metrics of no cluster, alarms, the dashboard, the seal key."""
    prices = prices or Prices()
    return metrics * prices.metric_month + alarms * prices.alarm_month + prices.dashboard_month + prices.kms_key_month


def flood_day(
    requests_a_second: int, prices: Prices | None = None, setting: Setting | None = None, seconds: float = 0.02
) -> float:
    """Dollars of a day in which strangers send as much as the throttle lets through, each request with another wrong
    credential, which costs a read of the table. ``seconds`` is what one is billed; assumed."""
    prices, setting = prices or Prices(), setting or Setting()
    requests = requests_a_second * 86_400 / _MILLION
    gb_seconds = seconds * setting.memory_mb / 1024
    each = (
        prices.http_api_million_requests
        + prices.lambda_million_requests
        + gb_seconds * prices.lambda_gb_second_arm * _MILLION
        # A consistent read of a small row is one unit.
        + prices.dynamodb_million_reads
        + 1_000 * prices.logs_gb / _GB * _MILLION
    )
    return requests * each
