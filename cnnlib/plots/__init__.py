"""Figures of the course: arrays in, matplotlib Axes out. One file per idea; :data:`COLOURS` is the style."""

from cnnlib.plots._style import COLOURS, STYLE
from cnnlib.plots.architecture import plot_architecture
from cnnlib.plots.arrows import plot_arrows
from cnnlib.plots.backward import plot_backward
from cnnlib.plots.bars import plot_bars, plot_timings
from cnnlib.plots.boxes import plot_boxes
from cnnlib.plots.confusion import plot_confusion
from cnnlib.plots.connections import plot_connections
from cnnlib.plots.convolution import plot_convolution
from cnnlib.plots.course_map import plot_course_map
from cnnlib.plots.curves import plot_curves, plot_trials
from cnnlib.plots.descriptor import plot_description, plot_descriptor, plot_directions
from cnnlib.plots.error_chart import plot_error_chart
from cnnlib.plots.field import plot_receptive_field
from cnnlib.plots.graph import plot_graph
from cnnlib.plots.grid import plot_grid
from cnnlib.plots.histogram import plot_histogram
from cnnlib.plots.hog import plot_block, plot_orientations
from cnnlib.plots.image import plot_image, plot_maps
from cnnlib.plots.keypoints import plot_keypoint_kinds, plot_keypoints
from cnnlib.plots.learning import plot_learning
from cnnlib.plots.matches import plot_matches
from cnnlib.plots.network import plot_network
from cnnlib.plots.paths import plot_paths
from cnnlib.plots.pooling import plot_pooling
from cnnlib.plots.pooling_backward import plot_pooling_backward
from cnnlib.plots.residual import plot_residual_blocks
from cnnlib.plots.rivals import plot_rivals
from cnnlib.plots.roofline import plot_roofline
from cnnlib.plots.rose import plot_rose
from cnnlib.plots.rows import plot_rows
from cnnlib.plots.scale_space import plot_scale_space
from cnnlib.plots.scatter import plot_scatter
from cnnlib.plots.separation import plot_separation
from cnnlib.plots.shapes import plot_field_growth, plot_tower, plot_windows
from cnnlib.plots.stack import plot_stack
from cnnlib.plots.tied_matrix import plot_tied_matrix
from cnnlib.plots.timeline import plot_timeline

__all__ = [
    "COLOURS", "STYLE", "plot_architecture", "plot_arrows", "plot_backward", "plot_bars", "plot_block", "plot_boxes",
    "plot_confusion", "plot_connections", "plot_convolution", "plot_course_map", "plot_curves", "plot_description",
    "plot_descriptor", "plot_directions", "plot_error_chart", "plot_field_growth", "plot_graph", "plot_grid",
    "plot_histogram", "plot_image", "plot_keypoint_kinds", "plot_keypoints", "plot_learning", "plot_maps",
    "plot_matches", "plot_network", "plot_orientations", "plot_paths", "plot_pooling", "plot_pooling_backward",
    "plot_receptive_field", "plot_residual_blocks", "plot_rivals", "plot_roofline", "plot_rose", "plot_rows",
    "plot_scale_space", "plot_scatter", "plot_separation", "plot_stack", "plot_tied_matrix", "plot_timeline",
    "plot_timings", "plot_tower", "plot_trials", "plot_windows",
]
