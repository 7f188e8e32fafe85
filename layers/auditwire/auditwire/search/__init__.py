"""Searching archived events: one query, answered alike by every engine."""

from auditwire.search.answer import Bucket, Count, Coverage, Group, Summary
from auditwire.search.engine import Engine, Hit
from auditwire.search.fields import FIELDS, Kind
from auditwire.search.filters import AllOf, AnyOf, Filter, Match, Not, Test
from auditwire.search.histogram import Histogram, Interval
from auditwire.search.query import Facet, Groups, Page, Query, Wanted

__all__ = [
    "FIELDS",
    "AllOf",
    "AnyOf",
    "Bucket",
    "Count",
    "Coverage",
    "Engine",
    "Facet",
    "Filter",
    "Group",
    "Groups",
    "Histogram",
    "Hit",
    "Interval",
    "Kind",
    "Match",
    "Not",
    "Page",
    "Query",
    "Summary",
    "Test",
    "Wanted",
]
