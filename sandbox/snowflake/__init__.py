"""An emulated Snowflake account on loopback.

The account layer (users, roles, grants, warehouses, databases, schemas, resource monitors, network policies,
key-pair login) is ours and is enforced on every statement; the data layer is `fakesnow` on DuckDB files.

Start it::

    python -m sandbox.snowflake --port 0 --data DIR --admin-public-key FILE [--admin-user ADMIN] [--log FILE]

Point a real driver at it with ``host``, ``port`` and ``protocol``. The account is `OFFLINE-SANDBOX`; the
administrator logs in with the private half of ``--admin-public-key`` and holds the role ACCOUNTADMIN::

    snowflake.connector.connect(
        account="OFFLINE-SANDBOX", user="ADMIN", role="ACCOUNTADMIN",
        authenticator="SNOWFLAKE_JWT", private_key_file="admin.p8",   # or private_key=<DER bytes>
        host="127.0.0.1", port=PORT, protocol="http",
    )

The Pulumi and Terraform providers read the same things from `SNOWFLAKE_ORGANIZATION_NAME=OFFLINE`,
`SNOWFLAKE_ACCOUNT_NAME=SANDBOX`, `SNOWFLAKE_HOST`, `SNOWFLAKE_PORT`, `SNOWFLAKE_PROTOCOL=http`,
`SNOWFLAKE_AUTHENTICATOR=SNOWFLAKE_JWT` and `SNOWFLAKE_PRIVATE_KEY`.

The fast way to load rows is `executemany("INSERT INTO t VALUES (?, ?)", rows)` with `paramstyle="qmark"`; with
`pyformat` the rows come as one long VALUES, which takes about ten times as long to read.

A statement's way through the package: `server` (HTTP) -> `account` -> either `statements` (tokens to an
account-level statement) -> `control` (carried out on the `catalog`), or `guard` (privileges of a data statement)
-> `data` (fakesnow). `access` decides what a role may do; it asks the catalog each time, so a grant works at once.

What is not emulated: metering (resource monitors never suspend anything), database roles, shares, tags, masking,
replication, external stages, and the network policy of the account as a whole.
"""
