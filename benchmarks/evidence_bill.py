"""What sealing, the index and the console cost in a month, by how many GB of lines come in a day.

    .venv/bin/python benchmarks/evidence_bill.py

Prices are in cost.py. What was measured is below: by benchmarks/search.py, with 4,000 events an hour; of the deployed
console by benchmarks/console.py, with a day of a million events, of which its function reads the index itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cost import Prices

DAYS: Final = 30
MONTHS_KEPT: Final = 12
EVENT_BYTES: Final = 245
"""Of an archived event, compressed with 399 others."""
INDEX_SHARE: Final = 0.14
"""Bytes of the index for a byte of compressed lines."""
SEAL_SECONDS: Final = 28e-6
"""Reading, hashing and indexing an event."""
WAIT_SECONDS: Final = 0.02
"""For an object of S3; assumed. Objects are read eight at a time."""
AHEAD: Final = 8
LISTED_DAYS: Final = 24 * 1.5 + 7 + 365 / 7
"""Days of objects that are listed in a day: today and yesterday each hour, a week daily, a year weekly."""
FUNCTION_GB: Final = 1769 / 1024
SEALS_A_MONTH: Final = 24 * DAYS

STATEMENTS: Final = 3
"""Of one search in the console: the rows, their number, the histogram."""
SEARCHES_OF_A_DAY, SEARCHES_OF_A_MONTH = 20 * DAYS, 5 * DAYS
WORKDAYS: Final = 22
CALLS_OF_A_SEARCH: Final = 3
"""Its price, its rows, its counts; each maybe in an environment that has read nothing of the day yet."""
GETS_OF_A_SEARCH, LISTS_OF_A_SEARCH = 125, 30
SEARCH_CPU_SECONDS: Final = 0.08
READ_AT_ONCE: Final = 2
FILES_OF_THE_PAGE: Final = 21
"""A browser asks for each of them once; then for the page alone, once for ten searches."""
READS_OF_A_CALL: Final = 4
"""Of the tables: the session, and a row for the subject, the email and two groups."""
LOG_BYTES_OF_A_CALL: Final = 1_500
LIVE_SECONDS: Final = 30
_KEYS_A_LIST: Final = 1000
_LEAST_SCANNED: Final = 10e6


@dataclass(frozen=True, slots=True)
class Evidence:
    """Dollars a month: requests to S3, the function, notices and signatures, and storing a year of index."""

    requests: float
    function: float
    notices: float
    storage: float

    @property
    def total(self) -> float:
        """All of it, without the key, which is paid for whatever comes."""
        return self.requests + self.function + self.notices + self.storage


def evidence(gb_a_day: float, events_an_object: int, prices: Prices) -> Evidence:
    """What sealing and indexing so much costs, for one cluster."""
    events = gb_a_day * 1e9 / EVENT_BYTES
    objects = events / events_an_object
    lists = objects * LISTED_DAYS / _KEYS_A_LIST
    seconds = events * SEAL_SECONDS + objects * WAIT_SECONDS / AHEAD
    return Evidence(
        requests=DAYS * (objects * prices.s3_million_gets / 1e6 + lists * prices.s3_thousand_puts / 1e3),
        function=DAYS * seconds * FUNCTION_GB * prices.lambda_gb_second_arm,
        # A notice is sent, received and deleted, the last two in batches of ten.
        notices=DAYS * objects * 1.2 * prices.sqs_million_requests / 1e6
        + SEALS_A_MONTH * prices.kms_million_signatures / 1e6,
        storage=gb_a_day * DAYS * MONTHS_KEPT * INDEX_SHARE * prices.s3_gb_month,
    )


def athena(gb: float, statements: int, prices: Prices) -> float:
    """Dollars of statements of which each scans all of so many GB, which is the most that it can."""
    return statements * max(gb * 1e9, _LEAST_SCANNED) / 1e12 * prices.athena_tb


@dataclass(frozen=True, slots=True)
class Deployed:
    """Dollars a month of the deployed console: its function, requests to API and S3, tables and logs, and what stands
    there for nobody (a secret and an alarm)."""

    function: float
    requests: float
    tables: float
    standing: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.function + self.requests + self.tables + self.standing


def deployed(people: int, searches: float, prices: Prices) -> Deployed:
    """What so many people cost who make so many searches of a day in a month, each read by the function."""
    calls = searches * (CALLS_OF_A_SEARCH + 0.1) + people * FILES_OF_THE_PAGE
    waited = (GETS_OF_A_SEARCH / READ_AT_ONCE + LISTS_OF_A_SEARCH) * WAIT_SECONDS
    # The tables are asked before anything else.
    seconds = searches * (waited + SEARCH_CPU_SECONDS) + calls * WAIT_SECONDS
    return Deployed(
        function=seconds * FUNCTION_GB * prices.lambda_gb_second_arm,
        requests=calls * (prices.http_api_million_requests + prices.lambda_million_requests) / 1e6
        + searches
        * (GETS_OF_A_SEARCH * prices.s3_million_gets / 1e6 + LISTS_OF_A_SEARCH * prices.s3_thousand_puts / 1e3),
        tables=calls * READS_OF_A_CALL * prices.dynamodb_million_reads / 1e6
        + calls * LOG_BYTES_OF_A_CALL / 1e9 * prices.logs_gb,
        standing=prices.secret_month + prices.alarm_month,
    )


def evidence_rows(prices: Prices) -> Iterator[str]:
    """The table of sealing and the index."""
    heads = "GB a day | events an object | requests | function | notices, signatures | index | together | lines"
    yield f"| {heads} |"
    yield "| ---: |" + " ---: |" * 7
    for gb, size in ((0.1, 400), (1, 400), (1, 25), (10, 400), (100, 400)):
        found = evidence(gb, size, prices)
        parts = (found.requests, found.function, found.notices, found.storage, found.total)
        lines = gb * DAYS * MONTHS_KEPT * prices.s3_gb_month
        yield f"| {gb:g} | {size} | " + " | ".join(f"{part:,.2f}" for part in (*parts, lines)) + " |"


def console_rows(prices: Prices) -> Iterator[str]:
    """The table of searches by Athena."""
    yield "| GB a day | a search of a day | of 30 days | a text in 30 days | a month of the console |"
    yield "| ---: |" + " ---: |" * 4
    for gb in (0.1, 1, 10, 100):
        day, month = (athena(gb * days * INDEX_SHARE, STATEMENTS, prices) for days in (1, DAYS))
        text = athena(gb * DAYS, 1, prices)
        whole = SEARCHES_OF_A_DAY * day + SEARCHES_OF_A_MONTH * month
        yield f"| {gb:g} | {day:,.4f} | {month:,.4f} | {text:,.3f} | {whole:,.2f} |"


def deployed_rows(prices: Prices) -> Iterator[str]:
    """The table of the deployed console."""
    yield "| who | searches | function | requests | tables, logs | secret, alarm | together |"
    yield "| --- |" + " ---: |" * 6
    live = DAYS * 86_400 / LIVE_SECONDS
    for who, people, searches in (
        ("nobody", 0, 0.0),
        ("5 people, 20 searches a day each", 5, 5 * 20 * WORKDAYS),
        ("20 people, 50 searches a day each", 20, 20 * 50 * WORKDAYS),
        ("a screen that is live all day", 1, live),
    ):
        found = deployed(people, searches, prices)
        parts = (found.function, found.requests, found.tables, found.standing, found.total)
        yield f"| {who} | {searches:,.0f} | " + " | ".join(f"{part:,.2f}" for part in parts) + " |"


def main() -> None:
    """Print all tables."""
    print("\n".join(evidence_rows(Prices())), "\n")
    print("\n".join(console_rows(Prices())), "\n")
    print("\n".join(deployed_rows(Prices())))


if __name__ == "__main__":
    main()
