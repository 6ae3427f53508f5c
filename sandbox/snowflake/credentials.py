"""Passwords and keys: how they are stored and how a login's proof is checked.

Passwords are kept as scrypt hashes only. Key-pair login is a JWT signed with RS256 whose issuer is
ACCOUNT.USER.SHA256:<fingerprint of the public key>
(docs.snowflake.com/en/developer-guide/sql-api/authenticating#using-key-pair-authentication).
"""

import base64
import binascii
import hashlib
import hmac
import secrets

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

_SCRYPT_COST = {"n": 2**14, "r": 8, "p": 1}
_MIN_KEY_BITS = 2048


def hash_password(password: str) -> str:
    """A salted scrypt hash, as `salt$hash` in hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(password, salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether `stored` is a hash of this password."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT_COST)


def public_key(text: str) -> RSAPublicKey:
    """An RSA_PUBLIC_KEY property: base64 DER, with or without the PEM lines.

    Raises:
        ValueError: not an RSA public key of at least 2048 bits.
    """
    try:
        key = load_der_public_key(_der(text))
    except (binascii.Error, UnsupportedAlgorithm) as error:
        raise ValueError("not a public key") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_KEY_BITS:
        raise ValueError("not an RSA key of 2048 bits or more")
    return key


def fingerprint(text: str) -> str:
    """`SHA256:...` of a public key, as in RSA_PUBLIC_KEY_FP."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_der(text)).digest()).decode()


def _der(text: str) -> bytes:
    body = "".join(line.strip() for line in text.splitlines() if "-----" not in line)
    return base64.b64decode(body, validate=True)


def jwt_issuer(token: str) -> tuple[str, str, str]:
    """Account, login name and key fingerprint that a token claims; nothing is verified yet.

    Raises:
        ValueError: not a token of that form.
    """
    try:
        issuer = str(jwt.decode(token, options={"verify_signature": False}).get("iss", ""))
    except jwt.InvalidTokenError as error:
        raise ValueError("not a JWT") from error
    account, login_name, claimed = issuer.split(".", 2)
    return account, login_name, claimed


def jwt_is_valid(token: str, key: str) -> bool:
    """Whether the token is signed with this key's private half and has not expired."""
    try:
        jwt.decode(token, public_key(key), algorithms=["RS256"], options={"require": ["exp", "iat", "iss"]})
    except jwt.InvalidTokenError:
        return False
    return True
