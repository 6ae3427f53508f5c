"""What all providers' errors have in common."""


class ReadableError(Exception):
    """Its text is one paragraph for a user, which needs no traceback."""
