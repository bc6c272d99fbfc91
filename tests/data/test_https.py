"""https for real, with a certificate made for the test: taken if it is trusted, never left for http."""

import shutil
import ssl
import subprocess

import pytest
from serving import serving

from cnnlib import data


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def safe_mirror(mirror, certificate):
    """A mirror that speaks https, beside the one that speaks http."""
    server = type(mirror)()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    with serving(server):
        yield server


@pytest.fixture
def trusted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


def test_https(safe_mirror, catalogued, content, trusted):
    catalogued(content, safe_mirror.serve("/a", content))
    [path] = data.fetch("tiny").values()
    assert path.read_bytes() == content


def test_a_certificate_that_nobody_signed_is_refused(safe_mirror, catalogued, content):
    catalogued(content, safe_mirror.serve("/a", content))
    with pytest.raises(data.DownloadError, match="its certificate cannot be verified"):
        data.fetch("tiny")
    assert safe_mirror.asked == []


def test_https_is_not_left_for_http(safe_mirror, mirror, catalogued, content, trusted):
    catalogued(content, safe_mirror.serve("/a", content, mirror.redirect(mirror.serve("/b", content))))
    with pytest.raises(data.DownloadError, match="redirects to http://127.*: from https to http is refused"):
        data.fetch("tiny")
    assert mirror.asked == []
