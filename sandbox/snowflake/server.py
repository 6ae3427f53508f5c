"""The HTTP API that Snowflake's drivers speak: login, query, session, stage upload.

Paths and fields are those of snowflake-connector-python (`network.py`, `auth/_auth.py`) and gosnowflake
(`restful.go`, `authkeypair.go`, `query.go`).
"""

import gzip
import hmac
import json
import secrets
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fakesnow.transforms import stage
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.snowflake.account import Account, Query
from sandbox.snowflake.errors import SnowflakeError
from sandbox.snowflake.login import Wish

_UPLOAD = "upload"
_MASTER_VALIDITY_S = 4 * 3600
_VALIDITY_S = 3600
_SERVER_VERSION = "10.0.0"

_PARAMETERS = {
    "AUTOCOMMIT": True,
    "CLIENT_TELEMETRY_ENABLED": False,
    # 0: batches of bound rows come with the statement, never through a stage
    "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
    "TIMEZONE": "Etc/UTC",
}


def build(account: Account) -> Starlette:
    """The application that serves an account."""
    api = _Api(account)
    return Starlette(
        routes=[
            Route("/session/v1/login-request", api.login, methods=["POST"]),
            Route("/queries/v1/query-request", api.query, methods=["POST"]),
            Route("/queries/v1/abort-request", _ok, methods=["POST"]),
            Route("/session", api.session, methods=["POST"]),
            Route("/session/heartbeat", api.session, methods=["POST"]),
            Route("/telemetry/send", _ok, methods=["POST"]),
            Route(f"/{_UPLOAD}/{{path:path}}", api.upload, methods=["PUT"]),
        ]
    )


class _Api:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._upload_key = secrets.token_bytes(32)

    async def login(self, request: Request) -> JSONResponse:
        asked = request.query_params
        wish = Wish(
            asked.get("roleName", ""),
            asked.get("warehouse", ""),
            asked.get("databaseName", ""),
            asked.get("schemaName", ""),
        )
        data = (await _body(request))["data"]
        address = request.client.host if request.client else ""
        try:
            token, session = await run_in_threadpool(self._account.login, data, wish, address)
        except SnowflakeError as error:
            return _failure(error)
        return _success(
            {
                "token": token,
                "masterToken": token,
                "validityInSeconds": _VALIDITY_S,
                "masterValidityInSeconds": _MASTER_VALIDITY_S,
                "displayUserName": session.user,
                "serverVersion": _SERVER_VERSION,
                "sessionId": session.id,
                "healthCheckInterval": 45,
                "parameters": [{"name": name, "value": value} for name, value in _PARAMETERS.items()],
                "sessionInfo": {
                    "databaseName": session.database or None,
                    "schemaName": session.schema or None,
                    "warehouseName": session.warehouse or None,
                    "roleName": session.role,
                },
            }
        )

    async def query(self, request: Request) -> JSONResponse:
        token = _token(request)
        if not self._account.knows(token):
            return _unknown_session()
        body = await _body(request)

        def upload_url(path: str) -> str:
            return f"{request.base_url}{_UPLOAD}/{quote(path)}?signature={self._signature(path)}"

        sql, bindings = body["sqlText"], body.get("bindings") or {}
        query = Query(sql, bindings, bool(body.get("describeOnly")), upload_url)
        try:
            return _success(await run_in_threadpool(self._account.execute, token, query))
        except SnowflakeError as error:
            return _failure(error)

    async def session(self, request: Request) -> JSONResponse:
        token = _token(request)
        if not self._account.knows(token):
            return _unknown_session()
        if request.query_params.get("delete"):
            await run_in_threadpool(self._account.logout, token)
        return _success(None)

    def _signature(self, path: str) -> str:
        return hmac.digest(self._upload_key, path.encode(), "sha256").hex()

    async def upload(self, request: Request) -> Response:
        """Where PUT sends a file: to a URL signed for it, and never out of the stages."""
        path = request.path_params["path"]
        root = Path(stage.LOCAL_BUCKET_PATH).resolve()
        target = (root / path).resolve()
        signed = hmac.compare_digest(request.query_params.get("signature", ""), self._signature(path))
        if not signed or not target.is_relative_to(root):
            return Response(status_code=403)
        content = await request.body()

        def write() -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

        await run_in_threadpool(write)
        return Response()


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    body: dict[str, Any] = json.loads(raw)
    return body


def _token(request: Request) -> str:
    """The token in `Authorization: Snowflake Token="..."`."""
    return request.headers.get("Authorization", "").partition('"')[2].rstrip('"')


async def _ok(_request: Request) -> JSONResponse:
    return _success(None)


def _success(data: object) -> JSONResponse:
    return JSONResponse({"success": True, "code": None, "message": None, "data": data})


def _failure(error: SnowflakeError, status: int = 200) -> JSONResponse:
    code = f"{error.code:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate, "queryId": str(uuid.uuid4())}
    return JSONResponse({"success": False, "code": code, "message": error.message, "data": data}, status_code=status)


def _unknown_session() -> JSONResponse:
    error = SnowflakeError("User must login again to access the service.", 390104, "08001")
    return _failure(error, status=401)
