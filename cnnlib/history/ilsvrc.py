"""The ImageNet challenge, 2010 to 2017: who won the classification task, with which error. Used in notebooks/10 and 46.

ILSVRC: 1,000 classes, some 1.28 million pictures to learn from, five guesses each; the top-5 error is the share of
pictures whose class is not among the five. The figures are the organisers' [1]_ or the paper's named beside them.

References
----------
.. [1] Russakovsky et al., ImageNet large scale visual recognition challenge, International Journal of Computer Vision
   115(3), 2015. doi:10.1007/s11263-015-0816-y
"""

from dataclasses import dataclass

ORGANISERS = "Russakovsky et al. 2015, doi:10.1007/s11263-015-0816-y"
KRIZHEVSKY = "Krizhevsky, Sutskever & Hinton 2012, doi:10.1145/3065386 (reprint)"
RESULTS_2013 = "image-net.org/challenges/LSVRC/2013/results"
SZEGEDY = "Szegedy et al. 2015, doi:10.1109/CVPR.2015.7298594"
HE = "He, Zhang, Ren & Sun 2016, doi:10.1109/CVPR.2016.90"
HU = "Hu, Shen & Sun 2018, doi:10.1109/CVPR.2018.00745"


@dataclass(frozen=True)
class Result:
    """One published error.

    Parameters
    ----------
    year : int
        Of the challenge.
    system, team : str
        The name that the figure is known by, and who stood behind it.
    top5 : float
        Top-5 error in percent.
    nets : int or None
        How many networks were averaged: 1 is a single net, 0 is features by hand with a linear classifier behind
        them, None is several, their number not published.
    source : str
    on : {"test", "validation"}
        The pictures that it was measured on.
    note : str
    """

    year: int
    system: str
    team: str
    top5: float
    nets: int | None
    source: str
    on: str = "test"
    note: str = ""

    @property
    def ensemble(self) -> bool:
        """Whether several networks were averaged."""
        return self.nets is None or self.nets > 1


WINNERS = (
    Result(2010, "NEC-UIUC", "NEC Labs America, University of Illinois", 28.2, 0, ORGANISERS,
           note="SIFT and local binary patterns, two codings, linear SVMs"),
    Result(2011, "XRCE", "Xerox Research Centre Europe", 25.8, 0, ORGANISERS, note="Fisher vectors, linear SVMs"),
    Result(2012, "AlexNet", "SuperVision, University of Toronto", 16.4, 5, KRIZHEVSKY,
           note="without outside data; entered and won with 15.3, seven nets"),
    Result(2013, "Clarifai", "Clarifai, New York (Zeiler)", 11.7, None, ORGANISERS, note="11.2 with outside data"),
    Result(2014, "GoogLeNet", "Google", 6.67, 7, SZEGEDY, note="144 crops of each picture"),
    Result(2015, "ResNet", "MSRA, Microsoft Research Asia", 3.57, 6, HE, note="of different depths"),
    Result(2016, "Trimps-Soushen", "Third Research Institute of the Ministry of Public Security, China", 2.99, None,
           "image-net.org/challenges/LSVRC/2016/results", note="no paper; nets of several published kinds"),
    Result(2017, "SENet", "WMW: Momenta, University of Oxford", 2.25, None, HU, note="the last challenge"),
)

# The three figures of 2012 that are often taken for one another.
ALEXNET = (
    Result(2012, "one net", "SuperVision", 18.2, 1, KRIZHEVSKY, on="validation"),
    Result(2012, "five nets, averaged", "SuperVision", 16.4, 5, KRIZHEVSKY),
    Result(2012, "seven nets, two with extra data", "SuperVision", 15.3, 7, KRIZHEVSKY,
           note="two were first trained on all of ImageNet's autumn 2011 release, 22,000 classes"),
)

# What one net of the winners' kind reached, where that is published.
SINGLE_NETS = (
    ALEXNET[0],
    Result(2013, "Clarifai", "Clarifai, New York (Zeiler)", 12.5, 1, RESULTS_2013),
    Result(2014, "GoogLeNet", "Google", 7.89, 1, SZEGEDY, on="validation", note="144 crops; 10.07 with one"),
    Result(2015, "ResNet-152", "MSRA, Microsoft Research Asia", 4.49, 1, HE, on="validation"),
    Result(2017, "SENet-154", "Momenta, University of Oxford", 3.79, 1, HU, on="validation",
           note="320×320 pixels; trained after the challenge"),
)

# One person, after 500 pictures of practice, on 1,500 of the test set: a lower limit of what people can do. A second
# person, less practised, had 12.0 % on 258.
HUMAN = 5.1
