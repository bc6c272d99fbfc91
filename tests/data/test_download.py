"""A download from a mirror that is slow, breaks off, lies or redirects: right bytes in the end, or a clear reason."""

import errno
import hashlib
import re
import time

import pytest

from cnnlib import data
from cnnlib.data import _download, _sources
from cnnlib.data.catalogue import File


def got(paths):
    [path] = paths.values()
    return path.read_bytes()


def test_first_mirror_serves(mirror, catalogued, content, kept, half_files, capsys):
    catalogued(content, mirror.serve("/a", content), mirror.serve("/b", content))
    paths = data.fetch("tiny")
    assert paths == {"tiny.bin": kept / "tiny" / "tiny.bin"}
    assert got(paths) == content
    assert mirror.asked == [("/a", None)]
    assert half_files(kept) == []
    assert capsys.readouterr().out == f"tiny/tiny.bin: 0.3 MB from {mirror.url}/a\n"
    assert data.fetch("tiny") == paths
    assert len(mirror.asked) == 1  # not asked again
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("how, reason", [
    (lambda m, c: (c, m.status(404)), "answers 404 Not Found"),
    (lambda m, c: (c, m.status(503)), "answers 503 Service Unavailable"),
    (lambda m, c: (c[:-1] + b"?", m.whole), "sends other bytes: their sha256 is [0-9a-f]{64}, not [0-9a-f]{64}"),
    (lambda m, c: (c[:-1], m.whole), "its file has 299999 bytes, not 300000: another version"),
    (lambda m, c: (c + b"?", m.whole), "its file has 300001 bytes, not 300000: another version"),
    (lambda m, c: (b"<html>sign in</html>" * 100, m.endless), "sends other bytes: their sha256"),
    (lambda m, c: (c, m.redirect("ftp://127.0.0.1/a")), "redirects to ftp://127.0.0.1/a: ftp is refused"),
    (lambda m, c: (c, m.redirect("file:///etc/hosts")), "Redirection to url 'file:///etc/hosts' is not allowed"),
    (lambda m, c: (c, m.redirect(m.url + "/a")), "redirect.*infinite loop"),
    (lambda m, c: (c, m.cut(0)), "breaks off after 0 of 300,000 bytes|the connection breaks off"),
])
def test_a_bad_mirror_is_named_and_the_next_one_serves(mirror, catalogued, content, how, reason, capsys):
    bad, way = how(mirror, content)
    catalogued(content, mirror.serve("/a", bad, way), mirror.serve("/b", content))
    assert got(data.fetch("tiny")) == content
    said = capsys.readouterr().out
    assert re.search(rf"^tiny/tiny.bin: {mirror.url}/a: .*({reason}).*; trying on$", said, re.MULTILINE)
    assert said.endswith(f"0.3 MB from {mirror.url}/b\n")


def test_endless_body_is_bounded(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", b"x" * 1000, mirror.endless))
    with pytest.raises(data.DownloadError, match="sends other bytes"):
        data.fetch("tiny")
    # What is not read waits in the two sockets' buffers, a few megabytes on any system.
    assert mirror.sent < 20e6


def test_nobody_there(catalogued, content, kept, half_files):
    catalogued(content, "http://127.0.0.1:9/a", "https://127.0.0.1:9/b")
    with pytest.raises(data.DownloadError) as caught:
        data.fetch("tiny")
    message = str(caught.value)
    assert f"tiny/tiny.bin is not in {kept / 'tiny'}, and no source has it:" in message
    assert "  http://127.0.0.1:9/a: " in message and "  https://127.0.0.1:9/b: " in message
    assert "python -m cnnlib fetch tiny --to FOLDER" in message
    assert 'os.environ["CNNLIB_MIRROR"] = "FOLDER"' in message
    assert "load_digits()" in message and "need no download" in message
    assert half_files(kept) == []
    assert not (kept / "tiny" / "tiny.bin").exists()


def test_the_rest_is_asked_for_where_a_mirror_breaks_off(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", content, mirror.cut(100_000)), mirror.serve("/b", content))
    assert got(data.fetch("tiny")) == content
    assert mirror.asked == [("/a", None), ("/b", "bytes=100000-")]


def test_one_mirror_that_breaks_off_is_asked_again(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", content, mirror.cut(100_000)))
    assert got(data.fetch("tiny")) == content
    assert [rest for _, rest in mirror.asked] == [None, "bytes=100000-", "bytes=200000-"]


def test_a_mirror_that_always_breaks_off_is_given_up(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", content, mirror.cut(1000)))
    with pytest.raises(data.DownloadError, match="breaks off after 4,000 of 300,000 bytes|connection breaks off"):
        data.fetch("tiny")
    assert len(mirror.asked) == _download.TRIES


@pytest.mark.parametrize("way", ["without_ranges", "whole"])
def test_a_mirror_without_ranges_is_asked_once(mirror, catalogued, content, way):
    catalogued(content, mirror.serve("/a", content, mirror.cut(100_000)),
               mirror.serve("/b", content, getattr(mirror, way)))
    assert got(data.fetch("tiny")) == content
    assert mirror.asked == [("/a", None), ("/b", "bytes=100000-")]


def test_a_wrong_range_is_not_trusted(mirror, catalogued, content, capsys):
    catalogued(content, mirror.serve("/a", content, mirror.cut(100_000)),
               mirror.serve("/b", content, mirror.other_range), mirror.serve("/c", content))
    assert got(data.fetch("tiny")) == content
    assert "asked for the rest from byte 100000, it sends 'bytes 0-4/300000'" in capsys.readouterr().out


def test_pieces_that_do_not_match_cost_no_good_mirror(mirror, catalogued, content):
    wrong = bytes(len(content))
    catalogued(content, mirror.serve("/a", wrong, mirror.cut(100_000)), mirror.serve("/b", content))
    assert got(data.fetch("tiny")) == content
    assert mirror.asked == [("/a", None), ("/b", "bytes=100000-"), ("/b", None)]


def test_a_slow_mirror_is_left_for_a_faster_one(mirror, catalogued, content, hurried, capsys):
    catalogued(content, mirror.serve("/a", content, mirror.slow(30_000)), mirror.serve("/b", content))
    begun = time.monotonic()
    assert got(data.fetch("tiny")) == content
    assert time.monotonic() - begun < 5  # all of it at this speed takes 10 s
    assert mirror.asked[1][0] == "/b" and mirror.asked[1][1] is not None  # what was there is kept
    assert "/a: sends only" in capsys.readouterr().out


def test_if_all_are_slow_the_fastest_goes_on(mirror, catalogued, hurried, monkeypatch, rng):
    content = rng.bytes(60_000)
    catalogued(content, mirror.serve("/a", content, mirror.slow(10_000)),
               mirror.serve("/b", content, mirror.slow(40_000)), mirror.serve("/c", content, mirror.status(404)))
    assert got(data.fetch("tiny")) == content
    assert [path for path, _ in mirror.asked] == ["/a", "/b", "/c", "/b"]


def test_a_single_slow_mirror_is_not_cut_off(mirror, catalogued, hurried, rng):
    content = rng.bytes(40_000)
    catalogued(content, mirror.serve("/a", content, mirror.slow(40_000)))
    assert got(data.fetch("tiny")) == content
    assert len(mirror.asked) == 1


def test_a_crawl_is_given_up(mirror, catalogued, hurried, content):
    catalogued(content, mirror.serve("/a", content, mirror.slow(100)), )  # a byte each 10 ms is 100 bytes/s
    with pytest.raises(data.DownloadError, match=r"sends only 0\.[01] kB/s"):
        data.fetch("tiny")


def test_silence_has_an_end(mirror, catalogued, content, monkeypatch):
    monkeypatch.setattr(_sources, "TIMEOUT", 0.3)
    catalogued(content, mirror.serve("/a", content, mirror.silent(1)), mirror.serve("/b", content))
    begun = time.monotonic()
    assert got(data.fetch("tiny")) == content
    assert time.monotonic() - begun < 3


def test_redirect_is_followed_where_sha256_guards(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", content, mirror.redirect(mirror.serve("/b", content))))
    assert got(data.fetch("tiny")) == content
    assert [path for path, _ in mirror.asked] == ["/a", "/b"]


def test_http_is_refused_without_sha256(mirror, catalogued, content):
    catalogued(content, mirror.serve("/a", content), md5=hashlib.md5(content).hexdigest())
    with pytest.raises(data.DownloadError, match=r"/a: http \(without s\) is refused for a file whose sha256 is not"):
        data.fetch("tiny")
    assert mirror.asked == []


def test_md5_and_size_guard_what_comes_from_a_folder(catalogued, content, tmp_path, monkeypatch):
    catalogued(content, md5=hashlib.md5(content).hexdigest())
    monkeypatch.setenv("CNNLIB_MIRROR", str(tmp_path / "stick"))
    (tmp_path / "stick" / "tiny").mkdir(parents=True)
    (tmp_path / "stick" / "tiny" / "tiny.bin").write_bytes(content[:-1] + b"?")
    with pytest.raises(data.DownloadError, match="sends other bytes: their md5"):
        data.fetch("tiny")
    (tmp_path / "stick" / "tiny" / "tiny.bin").write_bytes(content)
    assert got(data.fetch("tiny")) == content


@pytest.mark.parametrize("start, to, refused", [
    ("https://a.org/x", "http://b.org/x", "from https to http is refused"),
    ("https://a.org/x", "https://b.org/x", None),
    ("http://a.org/x", "https://b.org/x", None),
    ("http://a.org/x", "http://b.org/x", None),
    ("https://a.org/x", "ftp://b.org/x", "ftp is refused"),
])
def test_redirects(start, to, refused):
    file = File("x", 1, (), sha256="ab" * 32)

    class Answer:
        closed = False

        def close(self):
            self.closed = True

    answer = Answer()
    follow = _sources._Redirects(file).redirect_request
    request = _sources.urllib.request.Request(start)
    if refused is None:
        assert follow(request, answer, 302, "Found", {}, to).full_url == to
    else:
        with pytest.raises(OSError, match=refused):
            follow(request, answer, 302, "Found", {}, to)
        assert answer.closed


def test_no_room_is_said_before_anything_is_asked(mirror, catalogued, content, monkeypatch):
    catalogued(content, mirror.serve("/a", content))
    monkeypatch.setattr(_download.shutil, "disk_usage", lambda path: type("", (), {"free": 200_000}))
    with pytest.raises(data.DownloadError, match=r"needs 0\.3 MB, and only 0\.2 MB are free in .*\n.*CNNLIB_DATA"):
        data.fetch("tiny")
    assert mirror.asked == []


def test_a_disk_that_fills_up_leaves_nothing_behind(mirror, catalogued, content, kept, half_files, monkeypatch):
    class Full:
        """A file on a disk with room for 100 kB."""

        def __init__(self, path, mode):
            self.file, self.room = open(path, mode), 100_000

        def write(self, chunk):
            self.room -= len(chunk)
            if self.room < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(chunk)

        def __getattr__(self, name):
            return getattr(self.file, name)

    catalogued(content, mirror.serve("/a", content), mirror.serve("/b", content))
    monkeypatch.setattr(_download, "open", Full, raising=False)
    with pytest.raises(data.DownloadError, match=r"tiny.bin \(0\.3 MB\) cannot be written: No space left on device\n"):
        data.fetch("tiny")
    assert half_files(kept) == []
    assert not (kept / "tiny" / "tiny.bin").exists()
    assert len(mirror.asked) == 1  # no other mirror can mend it
    monkeypatch.delattr(_download, "open")
    assert got(data.fetch("tiny")) == content


def test_a_system_that_refuses_a_write_leaves_nothing_behind(mirror, catalogued, content, kept, half_files):
    resource = pytest.importorskip("resource")
    catalogued(content, mirror.serve("/a", content))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # the largest file that this process may write
    try:
        with pytest.raises(data.DownloadError, match="cannot be written: File too large"):
            data.fetch("tiny")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert half_files(kept) == []


def test_an_interrupt_leaves_nothing_behind(mirror, catalogued, content, kept, half_files, monkeypatch):
    def interrupt(bar, done):
        raise KeyboardInterrupt

    catalogued(content, mirror.serve("/a", content))
    monkeypatch.setattr(_download.Bar, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        data.fetch("tiny")
    assert half_files(kept) == []


def test_bar(monkeypatch, capsys, mirror, catalogued, content, hurried):
    bar = _download.Bar("mnist/a.gz", 10_000_000)
    assert bar.line(2_500_000, 1.0) == ("mnist/a.gz [######..................]  25 % of 10.0 MB, 2.5 MB/s, 3 s left"
                                        .ljust(100))
    assert bar.line(0, 1.0).rstrip().endswith("waiting")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    catalogued(content, mirror.serve("/a", content, mirror.slow(400_000)))
    data.fetch("tiny")
    said = capsys.readouterr().out
    assert said.count("\rtiny/tiny.bin [") >= 2 and "% of 0.3 MB" in said
    assert said.encode("ascii")
