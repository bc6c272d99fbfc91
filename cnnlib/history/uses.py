"""Where convolutional nets went: a task, an early paper, and the lecture that builds a small one. Notebooks/10."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """One task that convolutional nets took over.

    Parameters
    ----------
    task : str
    who : str
        Authors and year.
    source : str
        Title, where it appeared, and the DOI where there is one.
    lecture : str
        Number in :data:`cnnlib.course.LECTURES`; "" where no lecture builds it.
    """

    task: str
    who: str
    source: str
    lecture: str = ""


USES = (
    Use("what a photo shows", "Krizhevsky et al. 2012",
        "ImageNet classification with deep convolutional neural networks, NIPS. doi:10.1145/3065386", "41"),
    Use("what is where", "Ren et al. 2015",
        "Faster R-CNN: towards real-time object detection with region proposal networks, NIPS. "
        "doi:10.1109/TPAMI.2016.2577031", "51"),
    Use("a class for every pixel", "Farabet et al. 2012",
        "Learning hierarchical features for scene labeling, IEEE PAMI 35(8), 2013. doi:10.1109/TPAMI.2012.231", "52"),
    Use("the road ahead of a car", "Badrinarayanan et al. 2015",
        "SegNet: a deep convolutional encoder-decoder architecture for image segmentation, IEEE PAMI 39(12), 2017. "
        "doi:10.1109/TPAMI.2016.2644615", "52"),
    Use("roads from the air", "Mnih & Hinton 2010",
        "Learning to detect roads in high-resolution aerial images, ECCV. doi:10.1007/978-3-642-15567-3_16", "57"),
    Use("traffic signs", "Sermanet & LeCun 2011; Cireşan et al. 2012",
        "Traffic sign recognition with multi-scale convolutional networks, IJCNN 2011. doi:10.1109/IJCNN.2011.6033589; "
        "Multi-column deep neural network for traffic sign classification, Neural Networks 32. "
        "doi:10.1016/j.neunet.2012.02.023", "57"),
    Use("similar photos", "Krizhevsky et al. 2012", "as above, figure 4: neighbours in the last hidden layer", "57"),
    Use("whose face", "Taigman et al. 2014",
        "DeepFace: closing the gap to human-level performance in face verification, CVPR. doi:10.1109/CVPR.2014.220",
        "57"),
    Use("how a body stands", "Toshev & Szegedy 2014",
        "DeepPose: human pose estimation via deep neural networks, CVPR. doi:10.1109/CVPR.2014.214", "57"),
    Use("what happens in a video", "Simonyan & Zisserman 2014",
        "Two-stream convolutional networks for action recognition in videos, NIPS. doi:10.48550/arXiv.1406.2199", "57"),
    Use("Atari games", "Guo et al. 2014",
        "Deep learning for real-time Atari game play using offline Monte-Carlo tree search planning, NIPS", "57"),
    Use("kinds of galaxies", "Dieleman et al. 2015",
        "Rotation-invariant convolutional neural networks for galaxy morphology prediction, MNRAS 450(2). "
        "doi:10.1093/mnras/stv632", "57"),
    Use("tumours in mammograms", "Lévy & Jain 2016",
        "Breast mass classification from mammograms using deep convolutional neural networks. "
        "doi:10.48550/arXiv.1612.00542"),
    Use("spoken words", "Abdel-Hamid et al. 2014",
        "Convolutional neural networks for speech recognition, IEEE/ACM TASLP 22(10). doi:10.1109/TASLP.2014.2339736",
        "54"),
    Use("sentences", "Kim 2014",
        "Convolutional neural networks for sentence classification, EMNLP. doi:10.3115/v1/D14-1181", "55"),
    Use("captions", "Vinyals et al. 2015",
        "Show and tell: a neural image caption generator, CVPR. doi:10.1109/CVPR.2015.7298935", "56"),
    Use("what a net dreams of", "Mordvintsev, Olah & Tyka 2015", "Inceptionism, Google Research Blog", "50"),
    Use("a photo, painted", "Gatys et al. 2016",
        "Image style transfer using convolutional neural networks, CVPR. doi:10.1109/CVPR.2016.265", "53"),
)
