"""``python -m sandbox.plugins.postgresql``: the plugin process that the engine starts."""

from sandbox.plugins.postgresql.provider import PostgreSQL
from sandbox.plugins.resource_servicer import ResourceServicer
from sandbox.plugins.server import serve

if __name__ == "__main__":
    serve(ResourceServicer(PostgreSQL()))
