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
    sns_million_publishes: float = 0.50
    sqs_million_requests: float = 0.40
    logs_gb: float = 0.50


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
    item_overhead: int = 400
    """Bytes of an item beside its content: keys, index attributes, names, and what DynamoDB adds."""


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
        archive = (writes * prices.dynamodb_million_writes + kept * prices.dynamodb_million_reads) / _MILLION
        storage = kept * (size + setting.indexes * setting.item_overhead) / _GB * prices.dynamodb_gb_month
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
