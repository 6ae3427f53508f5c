"""A large program's wait for its resources, in time that grows with their number and not with its square.

The SDK waits in two stages (``pulumi.runtime.stack.wait_for_rpcs``): for each call that registers a resource, one after
the other; then for all outputs together, going through all that are left whenever one is ready. A program that has not
waited for anything itself has not begun a single call by then, so that the first stage finds nothing to wait for and
everything falls to the second: with a thousand connections, a minute of nothing but that.
"""

import asyncio


async def begin() -> None:
    """Let every call begin that the program has prepared; to be given to ``pulumi.run`` at the program's end."""
    await asyncio.sleep(0)
