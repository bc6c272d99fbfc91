"""Features by hand: what people looked for in pictures before networks learnt what to look for.

Edges (:mod:`cnnlib.features.edges`), histograms of oriented gradients (:mod:`~cnnlib.features.hog`), key points that
survive scale and rotation (:mod:`~cnnlib.features.sift`, :mod:`~cnnlib.features.surf`), and how points of two pictures
find each other (:mod:`~cnnlib.features.matching`), asked where the answer is known
(:mod:`~cnnlib.features.repeatability`). Pictures are (H, W), rows down and columns right; each part says where it takes
colours, batches and torch tensors too.
"""
