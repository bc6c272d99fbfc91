"""Each page says what is stored beside it: nobody edits a figure by hand."""

import importlib
import json

import pytest

for needed in ("torch", "cv2", "skimage", "sklearn"):
    pytest.importorskip(needed)


@pytest.mark.parametrize("name", ["conv", "edges", "hog", "keypoints", "sift", "training"])
def test_the_page_is_made_of_what_is_stored(name):
    bench = importlib.import_module(f"tests.bench.{name}")
    made = getattr(bench, "page", None) or bench.tables
    assert (bench.HERE / f"{name}.md").read_text() == made(json.loads((bench.HERE / f"{name}.json").read_text()))
