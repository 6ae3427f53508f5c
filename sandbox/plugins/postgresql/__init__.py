"""A stand-in for the `postgresql` provider: SQL through psycopg on the server that its configuration names."""
