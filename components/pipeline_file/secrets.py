"""Which values of a connector's config are secret, told from their names.

The connector's spec has the last word: the provider refuses to create an object when the spec marks a
value secret that is not marked here, so a miss is an error message and never a plaintext secret in state.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

KeyPath = tuple[str | int, ...]

_SECRET = re.compile(
    r"(^|_)(password|passphrase|secret|token|credentials_json|service_account(_info|_json|_key)?|hmac_key_(access_id|secret)|"
    r"(api|private|ssh|client|access|account|shared_access|encryption|signing|consumer|master)_?key(_id|_password)?|"
    r"certificate|ca_certificate|client_certificate|connection_string|sas|pat|webhook_url)($|_)",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(r"(_url|_uri|_type|_expiry_date|_name|_method|_enabled|_format)$", re.IGNORECASE)


def is_secret_name(path: KeyPath, declared: Collection[str]) -> bool:
    """Whether the leaf at the path holds a secret: by its own name, or because the file says so."""
    names = [part for part in path if isinstance(part, str)]
    if ".".join(names) in declared:
        return True
    leaf = names[-1] if names else ""
    return bool(_SECRET.search(leaf)) and not _NOT_SECRET.search(leaf)


def leaves(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every scalar of a nested config with its path, in order."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path, node
