"""What the tests of `cnnlib.data` share: an environment of their own, and a mirror on this machine that misbehaves."""

import hashlib
import http.server
import os
import time
from pathlib import Path

import pytest
from serving import serving

from cnnlib.data import _download, _turns, catalogue

MIRROR = os.environ.get("CNNLIB_MIRROR")  # where real files lie, before `alone` hides it


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No setting of the user's reaches a test, and no test writes where the user's data lie."""
    for name in ("CNNLIB_MIRROR", "CNNLIB_OFFLINE", "CNNLIB_DATA", "XDG_CACHE_HOME", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CNNLIB_DATA", str(tmp_path / "kept"))


@pytest.fixture
def kept(tmp_path):
    """The folder that fetched data are kept in."""
    return tmp_path / "kept"


@pytest.fixture
def real_mirror():
    """The folder or address with real files, where there is one."""
    if not MIRROR:
        pytest.skip("CNNLIB_MIRROR is not set: no real files to load")
    return MIRROR


@pytest.fixture
def put(monkeypatch, tmp_path):
    """Return a function that puts files of a data set on a stick, and into the catalogue with their checksums."""
    monkeypatch.setenv("CNNLIB_MIRROR", str(tmp_path / "stick"))
    monkeypatch.setenv("CNNLIB_OFFLINE", "1")

    def put_files(name, contents):
        (tmp_path / "stick" / name).mkdir(parents=True, exist_ok=True)
        for file_name, content in contents.items():
            (tmp_path / "stick" / name / file_name).write_bytes(content)
        files = tuple(catalogue.File(file_name, len(content), (), hashlib.sha256(content).hexdigest())
                      for file_name, content in contents.items())
        monkeypatch.setitem(catalogue.registry, name, catalogue.DataSet(name, "", "", "", files))

    return put_files


@pytest.fixture
def hurried(monkeypatch):
    """The limits of a download in tenths of a second instead of tens of seconds."""
    monkeypatch.setattr(_download, "WINDOW", 0.2)
    monkeypatch.setattr(_turns, "PATIENCE", 0.5)


@pytest.fixture
def catalogued(monkeypatch):
    """Return a function that lists a data set called "tiny", of one file with the given content."""

    def add(content, *urls, name="tiny", file_name="tiny.bin", **checksum):
        checksum = checksum or {"sha256": hashlib.sha256(content).hexdigest()}
        file = catalogue.File(file_name, len(content), urls, **checksum)
        monkeypatch.setitem(catalogue.registry, name,
                            catalogue.DataSet(name, "a made-up set", "none needed", "nobody", (file,)))
        return file

    return add


# ---- ways in which a mirror answers


def whole(request, content):
    """As a mirror should, the rest of a file included."""
    first = request.first_byte()
    request.begin(206 if first else 200, {
        "Content-Length": len(content) - first,
        **({"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"} if first else {})})
    request.wfile.write(content[first:])


def without_ranges(request, content):
    request.begin(200, {"Content-Length": len(content)})
    request.wfile.write(content)


def other_range(request, content):
    """The right file, but never from where it was asked for."""
    request.begin(206, {"Content-Length": 5, "Content-Range": f"bytes 0-4/{len(content)}"})
    request.wfile.write(content[:5])


def cut(at):
    """Promise all, and break off after `at` bytes of what is asked for."""

    def answer(request, content):
        first = request.first_byte()
        request.begin(206 if first else 200, {
            "Content-Length": len(content) - first,
            "Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"})
        request.wfile.write(content[first:first + at])

    return answer


def slow(bytes_per_second):
    def answer(request, content):
        first = request.first_byte()
        request.begin(206 if first else 200, {
            "Content-Length": len(content) - first,
            "Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"})
        step = max(1, bytes_per_second // 100)
        for start in range(first, len(content), step):
            request.wfile.write(content[start:start + step])
            request.wfile.flush()
            time.sleep(0.01)

    return answer


def endless(request, content):
    """No length, and bytes for as long as anybody listens."""
    request.begin(200, {})
    while True:
        request.wfile.write(content)
        request.server.sent += len(content)


def status(code):
    return lambda request, content: request.begin(code, {"Content-Length": 0})


def redirect(url):
    return lambda request, content: request.begin(302, {"Location": url, "Content-Length": 0})


def silent(seconds):
    """Take the question and say nothing."""
    return lambda request, content: time.sleep(seconds)


class Request(http.server.BaseHTTPRequestHandler):
    """One question to the mirror, answered in the way that is set for its path."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Range")))
        how, content = self.server.answers.get(self.path, (status(404), b""))
        try:
            how(self, content)
        except ConnectionError:  # the client has gone: what most of these tests are about
            pass

    def first_byte(self):
        asked = self.headers.get("Range")
        return int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0

    def begin(self, code, headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def log_message(self, *_):
        pass


class Mirror(http.server.ThreadingHTTPServer):
    """A mirror on 127.0.0.1. `asked` lists the (path, Range) of each question."""

    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.answers, self.asked, self.sent = {}, [], 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def serve(self, path, content, how=whole):
        """Answer questions for a path in this way; returns its address."""
        self.answers[path] = (how, content)
        return self.url + path

    def handle_error(self, request, client_address):
        pass


@pytest.fixture
def mirror():
    """A running mirror, and as attributes the ways in which it can answer."""
    server = Mirror()
    with serving(server):
        yield server


for _way in (whole, without_ranges, other_range, cut, slow, endless, status, redirect, silent):
    setattr(Mirror, _way.__name__, staticmethod(_way))


@pytest.fixture
def content(rng):
    """A file of 300 kB that no two runs of bytes in it are alike."""
    return rng.bytes(300_000)


def parts(folder):
    """Half files below a folder."""
    return [path for path in Path(folder).rglob("*") if path.name.endswith(".part")]


@pytest.fixture
def half_files():
    return parts
