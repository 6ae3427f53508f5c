"""The data layer: DuckDB files behind fakesnow. The only package that knows either.

Where it differs from Snowflake: names that differ only in case are one name; NUMBER without scale holds 64 bits;
TIMESTAMP_TZ comes back in UTC; a failed statement ends its transaction; INFORMATION_SCHEMA lists what the role may
not see; time travel, RESULT_SCAN, multi-statement requests, procedures, tasks and streams are missing.
"""
