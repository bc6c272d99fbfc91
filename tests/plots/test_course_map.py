"""The map of the course: its words keep inside their boxes."""

from matplotlib.patches import FancyBboxPatch

from cnnlib import course
from cnnlib.plots import plot_course_map


def test_words_keep_off_the_rim_of_their_boxes():
    ax = plot_course_map(course.LECTURES, course.LECTURES)
    boxes = [patch.get_window_extent() for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    texts = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == len(course.LECTURES)
    for box in boxes:
        inside = [text for text in texts if box.x0 < (text.x0 + text.x1) / 2 < box.x1
                  and box.y0 < (text.y0 + text.y1) / 2 < box.y1]
        assert len(inside) == 1
        rim = 0.04 * ax.figure.dpi  # text is measured to a hundredth of an inch
        assert box.x0 + rim <= inside[0].x0 and inside[0].x1 <= box.x1 - rim
        assert box.y0 <= inside[0].y0 and inside[0].y1 <= box.y1
