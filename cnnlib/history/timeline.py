"""The milestones from the first model neuron to the last ImageNet challenge, each with its source. Notebooks/10."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Milestone:
    """One step of the history.

    Parameters
    ----------
    year : int
        When it was done or first shown; the source may be of a later year.
    who : str
    what : str
        In a few words.
    source : str
        Title, where it appeared, and the DOI where there is one.
    runs : bool
        Whether notebooks/10 rebuilds it as a small experiment.
    """

    year: int
    who: str
    what: str
    source: str
    runs: bool = False


MILESTONES = (
    Milestone(1943, "McCulloch & Pitts", "neurons as logic, nothing learnt",
              "A logical calculus of the ideas immanent in nervous activity, Bulletin of Mathematical Biophysics 5. "
              "doi:10.1007/BF02478259"),
    Milestone(1958, "Rosenblatt", "perceptron: a unit that learns, behind random ones",
              "The perceptron: a probabilistic model for information storage and organization in the brain, "
              "Psychological Review 65(6). doi:10.1037/h0042519", runs=True),
    Milestone(1960, "Widrow & Hoff", "Adaline: least mean squares",
              "Adaptive switching circuits, IRE WESCON Convention Record, part 4", runs=True),
    Milestone(1962, "Widrow, Ridgway, Hoff", "Madaline: many, behind fixed logic",
              "told in Widrow & Lehr, 30 years of adaptive neural networks, Proceedings of the IEEE 78(9), 1990. "
              "doi:10.1109/5.58323", runs=True),
    Milestone(1969, "Minsky & Papert", "proofs of what one layer cannot do", "Perceptrons, MIT Press", runs=True),
    Milestone(1970, "Linnainmaa", "derivatives backwards through any program",
              "Master's thesis, University of Helsinki; in English: Taylor expansion of the accumulated rounding "
              "error, BIT 16(2), 1976. doi:10.1007/BF01931367"),
    Milestone(1974, "Werbos", "derivatives backwards, for models that learn",
              "Beyond regression, PhD thesis, Harvard University"),
    Milestone(1980, "Fukushima", "Neocognitron: local features, pooled, in layers",
              "Neocognitron: a self-organizing neural network model for a mechanism of pattern recognition unaffected "
              "by shift in position, Biological Cybernetics 36. doi:10.1007/BF00344251"),
    Milestone(1986, "Rumelhart, Hinton & Williams", "back-propagation makes hidden units useful",
              "Learning representations by back-propagating errors, Nature 323. doi:10.1038/323533a0", runs=True),
    Milestone(1989, "LeCun et al.", "a convolutional net learns to read postcodes",
              "Backpropagation applied to handwritten zip code recognition, Neural Computation 1(4). "
              "doi:10.1162/neco.1989.1.4.541"),
    Milestone(1998, "LeCun, Bottou, Bengio & Haffner", "LeNet-5 reads bank cheques",
              "Gradient-based learning applied to document recognition, Proceedings of the IEEE 86(11). "
              "doi:10.1109/5.726791", runs=True),
    Milestone(2006, "Hinton & Salakhutdinov", "deep nets, pre-trained layer by layer",
              "Reducing the dimensionality of data with neural networks, Science 313. doi:10.1126/science.1127647",
              runs=True),
    Milestone(2009, "Deng et al.", "ImageNet: millions of labelled photographs",
              "ImageNet: a large-scale hierarchical image database, CVPR. doi:10.1109/CVPR.2009.5206848"),
    Milestone(2012, "Krizhevsky, Sutskever & Hinton", "AlexNet wins the challenge",
              "ImageNet classification with deep convolutional neural networks, NIPS; reprinted in Communications of "
              "the ACM 60(6), 2017. doi:10.1145/3065386", runs=True),
    Milestone(2014, "Szegedy et al.; Simonyan & Zisserman", "GoogLeNet and VGG: deeper",
              "Going deeper with convolutions, CVPR 2015. doi:10.1109/CVPR.2015.7298594; Very deep convolutional "
              "networks for large-scale image recognition, ICLR 2015. doi:10.48550/arXiv.1409.1556"),
    Milestone(2015, "He, Zhang, Ren & Sun", "ResNet: 152 layers, with shortcuts",
              "Deep residual learning for image recognition, CVPR 2016. doi:10.1109/CVPR.2016.90"),
    Milestone(2017, "Hu, Shen & Sun", "SENet wins the last challenge",
              "Squeeze-and-excitation networks, CVPR 2018. doi:10.1109/CVPR.2018.00745"),
)
