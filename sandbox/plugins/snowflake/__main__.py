"""``python -m sandbox.plugins.snowflake``: the plugin process that the engine starts."""

from sandbox.plugins.resource_servicer import ResourceServicer
from sandbox.plugins.server import serve
from sandbox.plugins.snowflake.provider import Snowflake

if __name__ == "__main__":
    serve(ResourceServicer(Snowflake()))
