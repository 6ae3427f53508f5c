"""An Airbyte server for the sandbox: the Config API, and the reads and jobs of the public API, on loopback.

Run it with ``python -m sandbox.airbyte --port 8000``; tests start one in-process with ``server.start``. It keeps
Airbyte's wire conventions and oddities (secret masks, tombstones, version pins, patch semantics) as they are in the
releases 1.0 to 2.0 and in the development head, and runs the connectors it knows for real: ``source-postgres``,
``source-faker`` and ``destination-snowflake``.

Where to look:

- ``app`` answers a request: latency, call log, injected faults, authentication, then the handler;
- ``routes`` has one module a family of endpoints, ``public_api`` the public API;
- ``versions`` is what differs between Airbyte releases, ``errors`` how a failure is told;
- ``masking`` and ``secret_store`` treat secrets, ``definitions`` resolves connector versions and pins;
- ``connectors`` run checks, discovery and syncs; ``jobs`` runs the syncs;
- ``registry`` holds the connectors' facts.

What it does not do: run schedules by itself, pull connector images, and everything of the API that is not routed
(unknown paths answer 404).
"""
