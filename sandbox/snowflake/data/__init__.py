"""The data layer: DuckDB files behind fakesnow. The only package that knows either."""
