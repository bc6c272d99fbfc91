"""Faces and no faces: 200 small grey pictures that come with scikit-image."""

import numpy as np

from cnnlib.data._split import interleaved, needed

TRAIN = 80  # of the 100 pictures of each class


def load_faces():
    """Load 100 faces and 100 pictures of anything else, 25×25 grey pixels each.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: array of shape (N, 1, 25, 25), float32 in [0, 1]. y: array of shape (N,), int64, 1 for a face and 0 for none.
        N is 160 and 40, half of it faces; the classes take turns.

    Raises
    ------
    ImportError
        scikit-image is not installed; the message says how to get it.

    Notes
    -----
    Of either class, the first 80 pictures are for training and the last 20 for the test. They are scikit-image's
    ``lfw_subset``, cut from Labeled Faces in the Wild [1]_; those without a face are pieces of the same photographs'
    background, of which more than half have a black row or column at the edge: a net may tell the classes by that alone
    (lecture 42). Forty test pictures are few: one more right answer is 2.5 % more.

    References
    ----------
    .. [1] Huang, Mattar, Lee, Learned-Miller, Learning to align from scratch, NIPS 2012; data:
       http://vis-www.cs.umass.edu/lfw/

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_faces()
    >>> x_train.shape, y_test[:4]
    ((160, 1, 25, 25), array([1, 0, 1, 0]))
    """
    pictures = needed("skimage.data", "scikit-image", "load_faces").lfw_subset().astype(np.float32)
    x = pictures.reshape(2, -1, 1, *pictures.shape[1:])
    y = np.repeat(np.array([[1], [0]]), x.shape[1], axis=1)
    return interleaved(x[:, :TRAIN], y[:, :TRAIN]), interleaved(x[:, TRAIN:], y[:, TRAIN:])
