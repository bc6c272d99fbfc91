"""Small machines that teach one idea each. Naming one imports anywidget; ``import cnnlib`` does not.

How to add one, in five steps: the docstring of ``_base.py``.
"""

_FILES = {
    "AdalineMachine": "adaline_machine", "ArchitectureExplorer": "architecture_explorer",
    "BackwardMicroscope": "backward_microscope", "ConvolutionMicroscope": "microscope",
    "GraphStepper": "graph_stepper", "HogExplorer": "hog_explorer", "LiveCurves": "live_curves",
    "MaskExplorer": "mask_explorer", "MatchViewer": "match_viewer", "NetworkViewer": "network_viewer",
    "OcclusionViewer": "occlusion_viewer", "OptimiserRace": "optimiser_race", "PoolingStepper": "pooling_stepper",
    "Redraw": "redraw", "ScaleSpaceWalker": "scale_space_walker", "ShapeBuilder": "shape_builder",
}
__all__ = [
    "AdalineMachine", "ArchitectureExplorer", "BackwardMicroscope", "ConvolutionMicroscope", "GraphStepper",
    "HogExplorer", "LiveCurves", "MaskExplorer", "MatchViewer", "NetworkViewer", "OcclusionViewer", "OptimiserRace",
    "PoolingStepper", "Redraw", "ScaleSpaceWalker", "ShapeBuilder",
]


def __getattr__(name):
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    try:
        return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "ipywidgets", "traitlets"):
            raise
        raise ImportError(f"{name} needs the package {error.name}: pip install anywidget") from error


def __dir__():
    return sorted({*globals(), *__all__})
