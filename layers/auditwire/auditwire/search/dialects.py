"""What DuckDB and Athena write differently."""


class DuckDBDialect:
    """The Dialect of DuckDB."""

    def any_text(self, texts: str, test: str) -> str:
        """See Dialect.any_text."""
        return f"len(list_filter({texts}, lambda x: {test})) > 0"

    def different(self, texts: str) -> str:
        """See Dialect.different."""
        return f"CASE WHEN len({texts}) = 0 THEN [''] ELSE list_distinct({texts}) END"

    def calendar(self, unit: str, time: str) -> str:
        """See Dialect.calendar."""
        return f"epoch_us(date_trunc('{unit}', make_timestamp({time})))"


class AthenaDialect:
    """The Dialect of Athena."""

    def any_text(self, texts: str, test: str) -> str:
        """See Dialect.any_text."""
        return f"cardinality(filter({texts}, x -> {test})) > 0"

    def different(self, texts: str) -> str:
        """See Dialect.different."""
        return f"CASE WHEN cardinality({texts}) = 0 THEN ARRAY[''] ELSE array_distinct({texts}) END"

    def calendar(self, unit: str, time: str) -> str:
        """See Dialect.calendar."""
        return f"CAST(to_unixtime(date_trunc('{unit}', from_unixtime({time} / 1000000))) AS bigint) * 1000000"
