"""A certificate for a fake that serves HTTPS, by an authority that exists for nothing else."""

from __future__ import annotations

import ipaddress
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

_DAYS = "7"
_CONFIGURATION = """
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = fake GitHub
[extensions]
basicConstraints = critical, CA:FALSE
subjectKeyIdentifier = hash
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {names}
"""


def server_context(host: str, ca_file: Path) -> ssl.SSLContext:
    """Return a context to serve TLS with at ``host`` and ``localhost``, and write what clients are to trust.

    The certificate is made by trustme if that is installed, or else by the program ``openssl``.

    Args:
        host: the address or name that clients connect to.
        ca_file: where the certificate to trust is written, as PEM.

    Raises:
        OSError: there is neither trustme nor openssl, openssl failed, or the file cannot be written.
    """
    try:
        import trustme
    except ImportError:
        return _with_openssl(host, ca_file)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, "localhost").configure_cert(context)
    ca_file.write_bytes(authority.cert_pem.bytes())
    return context


def _with_openssl(host: str, ca_file: Path) -> ssl.SSLContext:
    program = shutil.which("openssl")
    if program is None:
        msg = "to make a certificate, install trustme or the program openssl; or bring one with --tls-cert"
        raise OSError(msg)
    with tempfile.TemporaryDirectory() as folder:
        configuration, key, certificate = (Path(folder) / name for name in ("openssl.cnf", "key.pem", "cert.pem"))
        configuration.write_text(_CONFIGURATION.format(names=f"{_kind(host)}:{host}, DNS:localhost"), encoding="utf-8")
        command = [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", _DAYS]
        command += ["-config", str(configuration), "-keyout", str(key), "-out", str(certificate)]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own command
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            msg = f"openssl made no certificate: {last}"
            raise OSError(msg)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        ca_file.write_bytes(certificate.read_bytes())
    return context


def _kind(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "DNS"
    return "IP"
