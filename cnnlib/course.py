"""The lectures of the course and what each builds on: the one list from which maps, menus and tests are made.

Pure data. A lecture that is listed but not in `WRITTEN` is planned: it is drawn on the map, without a link.

Examples
--------
>>> lecture("20").name, lecture("20").needs
('20_convolution', ('12',))
>>> [item.title for item in LECTURES if item.part == 2][:2]
['Convolution', 'Shapes and receptive fields']
"""

from collections.abc import Callable
from dataclasses import dataclass

PARTS = (
    "Start",
    "Seeing: from pixels to features",
    "The layers",
    "Learning",
    "Architectures",
    "Looking inside, and applications",
)


@dataclass(frozen=True)
class Lecture:
    """One notebook of the course.

    Parameters
    ----------
    number : str
        Two digits; the first is the part.
    name : str
        The notebook's file name without its suffix.
    title : str
    part : int
        Index into `PARTS`.
    about : str
        What it answers, in one line.
    needs : tuple of str
        Numbers of the lectures it builds on directly.
    """

    number: str
    name: str
    title: str
    part: int
    about: str
    needs: tuple[str, ...] = ()


def _lecture(name: str, title: str, about: str, *needs: str) -> Lecture:
    return Lecture(name[:2], name, title, int(name[0]), about, needs)


LECTURES = (
    _lecture("00_start_here", "Start here", "How the course works; one photo, one filter, one feature map"),
    _lecture("10_history", "A history that runs", "From Adaline to AlexNet, each step a small experiment", "00"),
    _lecture("11_why_images_are_hard", "Why images are hard", "What changes in a picture whose meaning stays", "00"),
    _lecture("12_edges", "Edges", "Image gradients, Sobel and compass masks, Canny", "11"),
    _lecture("13_hog", "Histograms of oriented gradients", "From gradients to a detector of people", "12"),
    _lecture("14_sift", "SIFT and SURF", "Key points that survive scale, rotation and light", "12"),
    _lecture("15_handcrafted_vs_learned", "Hand-crafted against learned", "Who designs the filters?", "13", "14"),
    _lecture("20_convolution", "Convolution", "One small filter, slid over a picture, then over channels", "12"),
    _lecture("21_shapes_and_receptive_fields", "Shapes and receptive fields",
             "Stride, padding, dilation, and what a unit can see", "20"),
    _lecture("22_pooling", "Pooling", "Fewer numbers, some tolerance to shifts, and what is lost", "21"),
    _lecture("23_fully_connected_and_the_whole_net", "Fully connected layers and the whole net",
             "From feature maps to a decision, map by map", "22"),
    _lecture("24_fast_convolution", "Fast convolution", "The same sum seven ways, and where the time goes", "21"),
    _lecture("30_backprop", "Back-propagation", "How the error reaches every weight", "23"),
    _lecture("31_backprop_convolution", "Back-propagation through convolution",
             "Its gradients are convolutions too", "20", "30"),
    _lecture("32_backprop_pooling_and_friends", "Back-propagation through the other layers",
             "Pooling, activations, softmax, norms", "22", "31"),
    _lecture("33_losses_and_optimisers", "Losses and optimisers", "What to minimise, and how to walk downhill", "30"),
    _lecture("34_train_a_cnn_in_numpy", "Train a CNN in NumPy", "A whole net, trained with the layers so far",
             "32", "33"),
    _lecture("40_lenet5", "LeNet-5", "1998, with its partial connections and radial outputs", "34"),
    _lecture("41_alexnet", "AlexNet", "2012: data, GPUs, rectifiers", "40"),
    _lecture("42_zfnet", "ZFNet", "Look inside, then improve", "41"),
    _lecture("43_vgg", "VGG", "Depth from small filters", "41"),
    _lecture("44_googlenet", "GoogLeNet", "Inception: several filter sizes at a bearable cost", "43"),
    _lecture("45_resnet", "ResNet", "Why deeper was worse, and the shortcut that mends it", "43", "44"),
    _lecture("46_ten_years_of_imagenet", "Ten years of ImageNet", "Error, size and cost, side by side", "44", "45"),
    _lecture("50_visualising", "Visualising", "What a unit responds to, measured", "42"),
    _lecture("51_detection", "Detection", "What is where: anchors, overlap, proposals", "45"),
    _lecture("52_segmentation", "Segmentation", "A class for every pixel", "45"),
    _lecture("53_style_transfer", "Style transfer", "Content and style as two losses", "43", "50"),
    _lecture("54_speech", "Speech", "Convolution along frequency", "34"),
    _lecture("55_text", "Text", "Filters over words and characters", "34"),
    _lecture("56_captioning", "Captioning", "From a picture to a sentence", "45", "55"),
    _lecture("57_everywhere", "Everywhere", "Faces, video, games, galaxies: small working models", "51", "52"),
)

# The lectures whose notebooks are there: a test compares it with notebooks/, which an installed package lacks.
WRITTEN = ("00", "10", "11", "12", "13", "14", "15", "20", "21", "22", "23", "24", "30", "31", "32", "33", "34",
           "40", "41", "42", "43", "44", "45", "46")


def lecture(number: str) -> Lecture:
    """The lecture of that number.

    Raises
    ------
    ValueError
        No lecture has the number.
    """
    for item in LECTURES:
        if item.number == number:
            return item
    raise ValueError(f"no lecture {number!r}; the numbers are {', '.join(item.number for item in LECTURES)}")


def exists(item: Lecture) -> bool:
    """Whether the lecture's notebook is written."""
    return item.number in WRITTEN


def existing() -> tuple[Lecture, ...]:
    """The lectures whose notebooks are written, in course order."""
    return tuple(item for item in LECTURES if exists(item))


def link(number: str, written: Callable[[Lecture], bool] = exists) -> str:
    """A lecture as a page of this course names it: a link to it, or its title, where it is only planned.

    Examples
    --------
    >>> link("20")
    '[20 Convolution](20_convolution.ipynb)'
    >>> link("20", written=lambda item: False)
    '20 Convolution (planned)'
    """
    item = lecture(number)
    title = f"{item.number} {item.title}"
    return f"[{title}]({item.name}.ipynb)" if written(item) else f"{title} (planned)"


def before(item: Lecture, written: Callable[[Lecture], bool] = exists) -> str:
    """What to read before a lecture, as its title says it: links to what is there, planned ones named as such.

    In place of a planned one stand, until it is written, the nearest lectures that it builds on in turn.

    Examples
    --------
    >>> before(lecture("00"))
    'nothing but a little Python'
    >>> before(lecture("20"), written=lambda item: item.number == "00")
    '[00 Start here](00_start_here.ipynb) (12 Edges will help, once it is written)'
    """
    needs = [lecture(number) for number in item.needs]
    there = [found for need in needs for found in ([need] if written(need) else _nearest(need, written))]
    links = ", ".join(link(found.number, written) for found in dict.fromkeys(there))
    planned = [f"{need.number} {need.title}" for need in needs if not written(need)]
    if planned:
        they_are = "it is" if len(planned) == 1 else "they are"
        return f"{links} ({' and '.join(planned)} will help, once {they_are} written)".lstrip()
    return links or "nothing but a little Python"


def _nearest(item: Lecture, written: Callable[[Lecture], bool]) -> list[Lecture]:
    """The written lectures that a planned one builds on, through other planned ones if need be."""
    needs = map(lecture, item.needs)
    return [found for need in needs for found in ([need] if written(need) else _nearest(need, written))]
