"""TLS for a PostgreSQL that was built without it.

The server in the wheel has no OpenSSL, so it would answer every ``SSLRequest`` with "no". This front listens on TCP,
answers "yes", does the handshake and hands the plain bytes to the server's Unix socket; ``sslmode=require`` and
``verify-full`` are then as real as they are elsewhere. Only the first message of a connection is looked at
(https://www.postgresql.org/docs/current/protocol-flow.html, "SSL Session Encryption").
"""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import struct
import threading
from collections.abc import Coroutine
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.postgres.errors import PostgresError

SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CHUNK = 256 * 1024


class TlsFront:
    """Listens on ``host:port`` and passes every connection on to the Unix socket ``upstream``.

    A client that asks for TLS gets it, with the certificate and key given (PEM files); one that does not, goes without:
    the same as ``ssl = on`` with ``host`` lines in ``pg_hba.conf``.
    """

    def __init__(self, host: str, port: int, upstream: Path, certificate: Path, key: Path) -> None:
        self.host = host
        self.port = port
        self._upstream = upstream
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres-tls-front", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Listen. ``port`` 0 becomes the port that was free.

        Raises:
            PostgresError: the port is taken.
        """
        self._thread.start()
        try:
            listening = asyncio.start_server(self._serve, self.host, self.port)
            self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        except OSError as error:
            self.stop()
            raise PostgresError(
                f"PostgreSQL cannot listen on {self.host}:{self.port}: {error.strerror or error}. "
                "Choose another port, or 0 for a free one."
            ) from error
        self.port = int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Close the port and every connection. Safe to call twice."""
        if not self._thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        to_server: asyncio.StreamWriter | None = None
        # A peer that goes away, or a handshake that the client breaks off, is the client's news: it has its own error.
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                first = await self._negotiate(client, to_client)
                server, to_server = await asyncio.open_unix_connection(str(self._upstream))
                to_server.write(first)
                await _first_to_end(_pump(client, to_server), _pump(server, to_client))
        finally:
            self._connections.discard(connection)
            for writer in (to_client, to_server):
                if writer:
                    writer.close()

    async def _negotiate(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> bytes:
        """Answer encryption requests until the client says something else; return the start of that."""
        while True:
            start = await client.readexactly(8)
            _, code = struct.unpack("!ii", start)
            if code == SSL_REQUEST:
                to_client.write(b"S")
                await to_client.drain()
                await to_client.start_tls(self._context)
            elif code == GSSENC_REQUEST:
                to_client.write(b"N")
            else:
                return start


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK):
        sink.write(data)
        await sink.drain()


async def _first_to_end(*pumps: Coroutine[None, None, None]) -> None:
    """Run all until the first ends: one side that hangs up ends a PostgreSQL session."""
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def self_signed(certificate: Path, key: Path) -> None:
    """Write a certificate for ``localhost`` and 127.0.0.1 and its key, unless both are there (PEM, ten years)."""
    if certificate.exists() and key.exists():
        return
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    key.touch(mode=0o600)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
