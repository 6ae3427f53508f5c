"""The embedded environment: everything the project talks to, on loopback, without an account or a cluster.

``python -m sandbox up`` starts it, ``python -m sandbox down`` stops it. Each server is usable alone too:
``python -m sandbox.postgres``, ``python -m sandbox.snowflake``, ``python -m sandbox.airbyte``.
"""
