"""RSA key pairs of Snowflake users, which log in by key only.

https://docs.snowflake.com/en/user-guide/key-pair-auth: at least 2048 bits, PKCS8; the account is given the
public key's base64 body without the PEM lines.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from components.errors import ConfigurationError, Problem
from components.settings import key_of, place

_MAKE = "Make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`."


@dataclass(frozen=True, repr=False)
class KeyPair:
    """A private key and what is derived from it."""

    private_pem: str
    public_body: str

    @classmethod
    def load(cls, group: str, field: str, text: str, file: str) -> "KeyPair":
        """Parse a key given as PEM text, or as the name of a file that holds it.

        Raises ConfigurationError naming the setting; never quotes the key.
        """
        if not text and not file:
            key = key_of(group, field)
            fix = f"Set {key} (with --secret) or {key}File."
            raise ConfigurationError([Problem(place(group, field), "is not set.", fix)])
        return cls._parse(_read(group, f"{field}_file", text, file), place(group, field))

    @classmethod
    def _parse(cls, pem: bytes, where: str) -> "KeyPair":
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError):  # not PEM, or encrypted; the library's message may quote the input
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ConfigurationError([Problem(where, "is not an unencrypted RSA private key in PEM form.", _MAKE)])
        if key.key_size < 2048:
            raise ConfigurationError(
                [Problem(where, f"has {key.key_size} bits, and Snowflake wants 2048 or more.", _MAKE)]
            )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cls(private.decode(), base64.b64encode(public).decode())


def _read(group: str, file_field: str, text: str, file: str) -> bytes:
    if text:
        return text.replace("\\n", "\n").encode()
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        problem = Problem(place(group, file_field), f"{file} can't be read ({error.strerror}).", "Correct the path.")
        raise ConfigurationError([problem]) from None
