"""What the labels of each data set mean: ``CLASSES[name][y]`` is the class of label ``y`` in words."""

_DIGITS = tuple("0123456789")

CLASSES = {
    "digits": _DIGITS,
    "numbers": tuple(f"{number:02d}" for number in range(100)),
    "mnist": _DIGITS,
    "fashion_mnist": ("T-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
                      "ankle boot"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    "imagenette": ("tench", "English springer", "cassette player", "chain saw", "church", "French horn",
                   "garbage truck", "gas pump", "golf ball", "parachute"),
    "faces": ("no face", "face"),
    "textures": ("brick", "grass", "gravel"),
    "patches": ("brick", "grass", "gravel", "thing"),
    "shapes": ("disc", "ring", "square", "triangle", "cross"),
}
