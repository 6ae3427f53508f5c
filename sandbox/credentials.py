"""The secrets of one sandbox: invented on its first start, kept in files that only their owner can read."""

import secrets
import uuid
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import BaseModel, Field, ValidationError

from sandbox.errors import SandboxError
from sandbox.processes import write_private

KEY_BITS = 2048
"""The least that Snowflake takes (https://docs.snowflake.com/en/user-guide/key-pair-auth)."""


def _invented() -> str:
    return secrets.token_urlsafe(24)


class Secrets(BaseModel):
    """Passwords and the like, as they are in ``secrets.json``."""

    airbyte_client_id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    airbyte_client_secret: str = Field(default_factory=_invented)
    postgres_admin_password: str = Field(default_factory=_invented)
    postgres_password: str = Field(default_factory=_invented)

    @classmethod
    def of(cls, root: Path) -> Self:
        """Read the secrets of the sandbox in ``root``, or invent them.

        Raises:
            SandboxError: the file is not what we wrote.
        """
        file = root / "secrets.json"
        if file.exists():
            try:
                return cls.model_validate_json(file.read_bytes())
            except ValidationError as error:
                raise SandboxError(
                    f"The sandbox's secrets in {file} cannot be read ({error.error_count()} errors). "
                    "Start anew: `python -m sandbox down --purge`, which deletes its data too."
                ) from None
        made = cls()
        write_private(file, made.model_dump_json(indent=2))
        return made


def private_key(root: Path, name: str) -> Path:
    """Return the file of an RSA private key (PKCS#8, PEM, unencrypted), made now if there is none.

    Its public key is beside it with the ending ``.pub`` (SubjectPublicKeyInfo, PEM).
    """
    file = root / "keys" / f"{name}.pem"
    public = file.with_suffix(".pub")
    if file.exists() and public.exists():
        return file
    file.parent.mkdir(mode=0o700, exist_ok=True)
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(file, pem.decode())
    # Written second: a key without its public half is half made, and made again.
    write_private(
        public,
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )
    return file
