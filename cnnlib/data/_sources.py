"""Where the bytes of a file can come from: a folder of this machine, or a mirror reached by https.

http without s is taken only where a sha256 guards the file, and never by way of a redirect from https.
"""

import http.client
import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import cnnlib

TIMEOUT = 15  # seconds without a byte
_REST = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def is_url(source):
    """Whether a source is an address rather than a path (``C:\\data`` is a path)."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source) is not None


class Stream:
    """Bytes that come in, from byte `first` of the file on."""

    def __init__(self, raw, first):
        self.raw, self.first = raw, first
        # Whatever has arrived, rather than a full chunk: a mirror that trickles shall not look like one that hangs.
        self.read = getattr(raw, "read1", raw.read)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.raw.close()


def opened(source, file, first):
    """Open a file of the catalogue at one of its sources.

    Parameters
    ----------
    source : str
        A path or an address.
    file : File
    first : int
        The byte to begin with. A mirror that can only begin at the beginning does so: see the stream's `first`.

    Raises
    ------
    OSError, http.client.HTTPException
        The source has no such file, one of another size, or may not be asked.
    """
    return _opened_url(source, file, first) if is_url(source) else _opened_path(Path(source), file, first)


def _opened_path(path, file, first):
    if not path.is_file():
        raise FileNotFoundError("there is no such file")
    _check_size(path.stat().st_size, file)
    raw = open(path, "rb")  # the stream closes it
    raw.seek(first)
    return Stream(raw, first)


def _opened_url(url, file, first):
    if refusal := _refusal(url, file):
        raise OSError(refusal)
    headers = {"User-Agent": f"cnnlib/{cnnlib.__version__}", "Accept-Encoding": "identity"}
    if first:
        headers["Range"] = f"bytes={first}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.build_opener(_Redirects(file)).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    try:
        return Stream(answer, _first_byte(answer, file, first))
    except OSError:
        answer.close()
        raise


def _first_byte(answer, file, first):
    """The byte that an answer begins with, after its size was found right."""
    if answer.status == 206:
        found = _REST.fullmatch(answer.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != first:
            raise OSError(f"asked for the rest from byte {first}, it sends {answer.headers.get('Content-Range')!r}")
        if found[2] != "*":
            _check_size(int(found[2]), file)
        return first
    if (length := answer.headers.get("Content-Length", "")).isdigit():
        _check_size(int(length), file)
    return 0


def _check_size(size, file):
    if size != file.bytes:
        raise OSError(f"its file has {size} bytes, not {file.bytes}: another version")


def _refusal(url, file):
    """Why an address may not be asked for a file, or an empty text."""
    scheme = url.partition(":")[0].lower()
    if scheme == "https" or (scheme == "http" and file.sha256):
        return ""
    if scheme == "http":
        return "http (without s) is refused for a file whose sha256 is not known"
    return f"{scheme} is refused: an address begins with https"


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect only to where the file could have been asked for in the first place."""

    def __init__(self, file):
        self.file = file

    def redirect_request(self, request, answer, code, message, headers, url):
        refused = _refusal(url, self.file)
        if not refused and request.full_url.lower().startswith("https:") and not url.lower().startswith("https:"):
            refused = "from https to http is refused"
        if refused:
            answer.close()
            raise OSError(f"redirects to {url}: {refused}")
        return super().redirect_request(request, answer, code, message, headers, url)


def reason(error):
    """Say in words what went wrong with a source."""
    if isinstance(error, urllib.error.HTTPError):
        return " ".join(f"answers {error.code} {error.reason}".split())
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ("its certificate cannot be verified (on a Mac with python.org's Python, run 'Install "
                "Certificates.command' once; behind a school's or firm's proxy, ask who runs it)")
    if isinstance(cause, TimeoutError):
        return f"no answer for {TIMEOUT} s"
    if isinstance(cause, http.client.HTTPException | ConnectionError):
        return f"the connection breaks off ({type(cause).__name__})"
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)
