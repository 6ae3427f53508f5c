"""The certificates of the cluster: who everybody is, and by what they know each other.

Two authorities, as in any cluster (https://kubernetes.io/docs/setup/best-practices/certificates/): what etcd trusts is
not what the API server trusts, so that no user of the one can read the other past it. The authorities and the key that
signs service account tokens are made once; certificates are issued anew at every start and so never expire.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.processes import write_private

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> None:
        """Write `name.crt` and `name.key`."""
        write_private(folder / f"{name}.key", self.key.decode())
        write_private(folder / f"{name}.crt", self.certificate.decode())


@dataclass(frozen=True)
class Authority:
    """An authority that issues certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, folder: Path, name: str) -> Self:
        """Read the authority `name` from `folder`, or make it."""
        certificate_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
        if not certificate_file.exists():  # written last
            made = cls._made(name)
            Pair(_certificate_pem(made.certificate), _key_pem(made.key)).write(folder, name)
            return made
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return cls(x509.load_pem_x509_certificate(certificate_file.read_bytes()), key)

    @property
    def pem(self) -> bytes:
        """The authority's own certificate."""
        return _certificate_pem(self.certificate)

    def issue(self, common_name: str, organizations: Sequence[str] = (), names: Sequence[str] = ()) -> Pair:
        """Issue a certificate for a client and, on 127.0.0.1, a server.

        To the API server, a client's common name is its user and its organizations are its groups. `names` are further
        names under which a server is known.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        known_as: list[x509.GeneralName] = [x509.IPAddress(ipaddress.IPv4Address(LOOPBACK)), x509.DNSName("localhost")]
        known_as += [x509.DNSName(name) for name in names]
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
        subject += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization) for organization in organizations]
        certificate = (
            _builder(x509.Name(subject), self.certificate.subject, key, CERTIFICATE_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(known_as), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Pair(_certificate_pem(certificate), _key_pem(key))

    @classmethod
    def _made(cls, name: str) -> Self:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"airbyte-as-code sandbox {name}")])
        certificate = (
            _builder(subject, subject, key, AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)


def token_key(folder: Path) -> None:
    """Make the key that signs service account tokens, `sa.key`, and its public half `sa.pub`, unless they are there."""
    private, public = folder / "sa.key", folder / "sa.pub"
    if public.exists():  # written last
        return
    key = ec.generate_private_key(ec.SECP256R1())
    write_private(private, _key_pem(key).decode())
    public_pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    write_private(public, public_pem.decode())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
