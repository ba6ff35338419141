"""nginx as a storage of many manners: each of its locations serves the same files in another one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from tests.kits.interop import Certificate, free_port, listening, program, running

if TYPE_CHECKING:
    from collections.abc import Generator

SECRET = "c4n4ry-s3cret"
SCHEMES = ("http", "https", "https")
CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 256; }
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    default_type application/zip;
    log_format asked "$uri $status $http_range|$http_if_match";
    log_format bare "$http_if_range|$http_authorization|$http_cookie|$http_accept_encoding";
    access_log asked.log asked;
    access_log bare.log bare;
    limit_conn_zone $binary_remote_addr zone=few:1m;
    limit_req_zone $binary_remote_addr zone=calm:1m rate=20r/s;
    server {
        listen 127.0.0.1:PORT;
        listen 127.0.0.1:TLS ssl;
        ssl_certificate right/cert.pem;
        ssl_certificate_key right/key.pem;
        if ($http_authorization) { return 400; }
        location /plain/ { alias FOLDER/; }
        location /none/ { alias FOLDER/; max_ranges 0; }
        location /slow/ { alias FOLDER/; limit_rate 2m; }
        location /crawl/ { alias FOLDER/; limit_rate_after 600k; limit_rate 1k; }
        location /few/ { alias FOLDER/; limit_conn few 2; limit_conn_status 429; limit_rate 100k; }
        location /two/ { alias FOLDER/; limit_conn few 2; limit_conn_status 429; limit_rate 6m; }
        location /calm/ { alias FOLDER/; limit_req zone=calm; limit_req_status 503; }
        location /busy/ { return 503; }
        location /logged { access_log off; return 204; }
        location /closed/ { alias FOLDER/; keepalive_timeout 0; }
        location /reset/ { return 444; }
        location /gzip/ { alias FOLDER/; gzip on; gzip_min_length 1; gzip_types application/zip; }
        location /packed/ { alias FOLDER/; gzip_static always; }
        location /chunked/ { alias FOLDER/; sub_filter_types *; sub_filter SECRET ""; }
        location /unsized/ {
            alias FOLDER/; sub_filter_types *; sub_filter SECRET ""; chunked_transfer_encoding off;
        }
        location /signed/ {
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires$uri SECRET";
            if ($secure_link = "") { return 403; }
            if ($secure_link = "0") { return 410; }
            alias FOLDER/;
        }
    }
    server {
        listen 127.0.0.1:OTHER ssl;
        ssl_certificate wrong/cert.pem;
        ssl_certificate_key wrong/key.pem;
        location /plain/ { alias FOLDER/; }
    }
}
"""


@attrs.frozen
class Nginx:
    """An nginx that runs.

    Attributes:
        folder: what its configuration is relative to; the files that it serves are in ``blobs``.
        http: its origin.
        https: the same over TLS.
        other: over TLS, with a certificate for another name.
        authorities: who signed the certificates: the right one, and the one for another name.
    """

    folder: Path
    http: str
    https: str
    other: str
    authorities: tuple[Path, Path]

    def put(self, name: str, content: bytes) -> None:
        """Serve a file, also packed by gzip."""
        import gzip

        for path, data in ((name, content), (f"{name}.gz", gzip.compress(content, 1))):
            (self.folder / "blobs" / path).write_bytes(data)

    def asked(self) -> list[str]:
        """Return what its log has of each request: path, status, Range and If-Match; the log begins anew."""
        return self._lines("asked.log")

    def bare(self) -> list[str]:
        """Return of each request: If-Range, Authorization, Cookie and Accept-Encoding; the log begins anew."""
        return self._lines("bare.log")

    def _lines(self, name: str) -> list[str]:
        # A request is logged after it was answered, but before nginx, which is one process, answers the next.
        with contextlib.closing(HTTPConnection(urlsplit(self.http).netloc, timeout=5)) as connection:
            connection.request("GET", "/logged")
            assert connection.getresponse().status == HTTPStatus.NO_CONTENT
        log = self.folder / name
        lines = log.read_text().splitlines()
        log.write_text("")
        return lines


def signed(name: str, seconds: float = 600) -> str:
    """Return path and query of a URL that is good for so long."""
    expires = int(time.time() + seconds)
    digest = hashlib.md5(f"{expires}/signed/{name} {SECRET}".encode(), usedforsecurity=False).digest()
    return f"/signed/{name}?md5={base64.urlsafe_b64encode(digest).decode().rstrip('=')}&expires={expires}"


@contextlib.contextmanager
def run_nginx(folder: Path) -> Generator[Nginx]:
    """Run nginx, with everything that it writes in one folder."""
    command = program("nginx")
    for name in ("blobs", "right", "wrong"):
        (folder / name).mkdir()
    right = Certificate.write(folder / "right", "127.0.0.1")
    wrong = Certificate.write(folder / "wrong", "storage.example")
    ports = [free_port() for _ in SCHEMES]
    text = CONFIGURATION.replace("FOLDER", str(folder / "blobs")).replace("SECRET", SECRET)
    for word, port in zip(("PORT", "TLS", "OTHER"), ports, strict=True):
        text = text.replace(f"127.0.0.1:{word}", f"127.0.0.1:{port}")
    (folder / "nginx.conf").write_text(text)
    arguments = ["-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    with running([command, *arguments], folder, folder / "output", lambda: all(map(listening, ports))):
        http, https, other = (f"{scheme}://127.0.0.1:{port}" for scheme, port in zip(SCHEMES, ports, strict=True))
        yield Nginx(folder, http, https, other, (right.authority, wrong.authority))
