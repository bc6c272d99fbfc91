"""Each page says what is stored beside it: nobody edits a figure by hand."""

import importlib
import json

import pytest

for needed in ("torch", "cv2", "skimage", "sklearn"):
    pytest.importorskip(needed)


@pytest.mark.parametrize("path", ["conv", "edges", "hog", "keypoints", "sift", "training", "avx2/conv",
                                  "avx2/training"])
def test_the_page_is_made_of_what_is_stored(path):
    bench = importlib.import_module(f"tests.bench.{path.rpartition('/')[2]}")
    made, stored = getattr(bench, "page", None) or bench.tables, bench.HERE / path
    assert stored.with_suffix(".md").read_text() == made(json.loads(stored.with_suffix(".json").read_text()))
