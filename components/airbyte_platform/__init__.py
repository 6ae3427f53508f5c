"""A hardened, self-hosted Airbyte on Kubernetes: the official chart, and what the chart leaves out around it."""
