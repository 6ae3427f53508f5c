"""Public keys as Snowflake's SQL takes them: the body of a PEM on one line.

https://docs.snowflake.com/en/user-guide/key-pair-auth
"""

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key


def public_body(key: RSAPrivateKey) -> str:
    """The public half of a key."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


def public_body_of(file: Path) -> str:
    """The public half of the key in a PEM file."""
    key = load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return public_body(key)
