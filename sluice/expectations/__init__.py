"""Data-set level quality in the vocabulary of Great Expectations, judged by DuckDB where it can be."""
