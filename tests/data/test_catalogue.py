"""The catalogue is complete: every file has its size, a full checksum, mirrors in order and a licence."""

import re
from urllib.parse import urlsplit

import pytest

from cnnlib import data
from cnnlib.data import _sources
from cnnlib.data.catalogue import File, registry
from cnnlib.recipes import doctor

FILES = [pytest.param(item, file, id=f"{item.name}/{file.name}") for item in registry.values() for file in item.files]


ONE_HOME = {"imagenette"}  # sets of which no second host of the same bytes is known


@pytest.mark.parametrize("item, file", FILES)
def test_every_file_can_be_checked_and_found(item, file):
    assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.bytes > 0
    hosts = {urlsplit(url).hostname for url in file.urls}
    assert len(hosts) >= 3 if item.name not in ONE_HOME else len(file.urls) == 1
    assert all(url.endswith("/" + file.name) for url in file.urls)
    assert urlsplit(file.urls[0]).scheme == "https"
    assert [_sources._refusal(url, file) for url in file.urls] == [""] * len(file.urls)
    assert item.licence and item.cite and item.about


def test_names_and_sizes():
    assert list(registry) == ["mnist", "fashion_mnist", "cifar10", "imagenette"]
    assert data.registry is registry
    assert {name: item.name for name, item in registry.items()} == {name: name for name in registry}
    sizes = {name: f"{item.bytes / 1e6:.1f} MB" for name, item in registry.items()}
    assert sizes == {"mnist": "11.6 MB", "fashion_mnist": "30.9 MB", "cifar10": "170.1 MB",
                     "imagenette": "99.0 MB"}
    for name, size in sizes.items():  # what the pages say
        assert size.replace(".1 MB", "") in getattr(data, f"load_{name}").__doc__
        assert re.search(rf"load_{name}``.*{size}", data.__doc__)


@pytest.mark.parametrize("checksum, digits", [
    ({}, "0 and 0"), ({"sha256": "ab" * 31}, "62 and 0"), ({"md5": "ab" * 15}, "0 and 30"),
    ({"sha256": "ab" * 32, "md5": "ab" * 16}, "64 and 32"),
])
def test_a_file_without_a_full_checksum_is_refused(checksum, digits):
    with pytest.raises(ValueError, match=f"`a.gz` needs one full checksum.* it has {digits} digits"):
        File("a.gz", 10, ("https://example.org/a.gz",), **checksum)


def test_checksum_names_its_method():
    assert File("a", 1, (), md5="ab" * 16).checksum == ("md5", "ab" * 16)
    assert File("a", 1, (), sha256="ab" * 32).checksum == ("sha256", "ab" * 32)


def test_is_at(tmp_path):
    file = File("a", 3, (), md5="900150983cd24fb0d6963f7d28e17f72")  # of "abc", RFC 1321
    path = tmp_path / "a"
    assert not file.is_at(path)
    for content, right in ((b"abc", True), (b"abd", False), (b"abcd", False)):
        path.write_bytes(content)
        assert file.is_at(path) is right
    assert not file.is_at(tmp_path)


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("item, file", FILES)
def test_mirrors_are_alive(item, file):
    """Most mirrors still serve a file of the right size (one may be down for a day)."""
    if doctor.check_network().state != "ok":
        pytest.skip("no network")
    faults = []
    for url in file.urls:
        try:
            with _sources.opened(url, file, 0) as stream:
                assert stream.read(1000)
        except OSError as error:
            faults.append(f"{url}: {_sources.reason(error)}")
    print("\n".join(faults))
    assert len(file.urls) - len(faults) >= 2, faults
