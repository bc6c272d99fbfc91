"""Data that the course runs on: photographs that ship with it, small data sets, and larger ones that are fetched.

Every loader returns the same thing, a training and a test split, each of pictures and labels:

    (x_train, y_train), (x_test, y_test) = data.load_digits()

x is a float32 array of shape (N, C, H, W) with values in [0, 1], y an int64 array of shape (N,) with the number of the
class; ``data.CLASSES["digits"]`` has the classes in words. The arrays are fresh copies, and the same in every call.

========================  ==============  ==================================================
loader                    pictures        where they come from
========================  ==============  ==================================================
``load_digits``           1,797           scikit-learn, no download
``load_numbers``          as many as one  those scans, two side by side: 100 classes
                          asks for
``load_faces``            200             scikit-image, no download
``load_textures``         768 at 32×32    scikit-image, no download
``load_patches``          2,400 at 64×64  scikit-image and this course's photographs, no download
``load_shapes``           as many as one  drawn
                          asks for
``load_mnist``            70,000          fetched once, 11.6 MB
``load_fashion_mnist``    70,000          fetched once, 30.9 MB
``load_cifar10``          60,000          fetched once, 170.1 MB
``load_imagenette``       13,394          fetched once, 99.0 MB
========================  ==============  ==================================================

What is fetched is kept and checked, and can be carried to a machine without network: see :func:`fetch`, and
``python -m cnnlib fetch``.

>>> from cnnlib import data
>>> data.photo("camera").shape
(512, 512)
"""

from cnnlib.data._fetch import DownloadError, fetch, is_offline
from cnnlib.data._warp import warp
from cnnlib.data.archives import unpack
from cnnlib.data.catalogue import registry
from cnnlib.data.cifar import load_cifar10
from cnnlib.data.classes import CLASSES
from cnnlib.data.digits import load_digits
from cnnlib.data.faces import load_faces
from cnnlib.data.imagenette import load_imagenette
from cnnlib.data.mnist import load_fashion_mnist, load_mnist
from cnnlib.data.numbers import load_numbers
from cnnlib.data.patches import load_patches
from cnnlib.data.photos import PHOTOS, assets, photo
from cnnlib.data.shapes import load_shapes
from cnnlib.data.textures import load_textures

__all__ = [
    "CLASSES", "PHOTOS", "DownloadError", "assets", "fetch", "is_offline", "load_cifar10", "load_digits", "load_faces",
    "load_fashion_mnist", "load_imagenette", "load_mnist", "load_numbers", "load_patches", "load_shapes",
    "load_textures", "photo", "registry", "unpack", "warp",
]
