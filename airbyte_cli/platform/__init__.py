"""``airbyte-cli platform``: what concerns the Helm chart that Airbyte is installed from."""
