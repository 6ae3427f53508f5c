"""What is shown of a secret: enough to see that it changed."""

import hashlib
import hmac
import json
from typing import Any


def fingerprint(key: str, value: Any) -> str:
    """Twelve hex digits that change with the secret and tell nothing about it without the key."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)  # an object's fields have no order
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:12]
