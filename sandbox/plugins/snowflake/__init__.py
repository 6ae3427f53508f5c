"""A stand-in for the `snowflake` provider: SQL through snowflake-connector-python on the configured account."""
