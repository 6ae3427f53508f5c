"""``airbyte-cli pipelines check``: what `pulumi up` would ask of Airbyte before it writes, asked without writing.

The stack's own program says what is declared (`program`, with the stack's configuration and state from `stack`), the
provider's rehearsal asks, `run` leads through it in order, and `report` tells.
"""
