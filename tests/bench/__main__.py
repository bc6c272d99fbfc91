"""``python -m tests.bench``: every benchmark, one after the other; the last one, training, takes minutes."""

from tests.bench import conv, draw, edges, frames, hog, keypoints, sift, training

for bench in (conv, draw, edges, hog, sift, keypoints, frames, training):
    bench.main()
