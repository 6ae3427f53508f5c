"""Component resources: what a stack provisions, from the pipeline files and the stack's settings."""
