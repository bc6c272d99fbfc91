"""The occlusion viewer in Python: its map is the library's, its units are the deconvnet's, and it can be stopped."""

import time

import numpy as np
import pytest

pytest.importorskip("anywidget")

from network_cases import small_net
from occlusion_cases import SIDE, looked_at, looking_net, picture, watching

from cnnlib import inspection, layers
from cnnlib.inspection.occluded import FILLS
from cnnlib.widgets import _occlusion
from cnnlib.widgets.occlusion_viewer import OcclusionViewer

SCAN = (np.arange(64).reshape(1, 8, 8) * 7 % 13 / 13).astype(np.float32)


class Slow(layers.Module):
    """Takes its time for each picture, and prefers what is bright."""

    seconds = 0.02

    def forward(self, x):
        time.sleep(self.seconds * len(x))
        mean = x.mean((1, 2, 3))
        return np.stack([mean, 1 - mean], 1)


def library_map(net, image, target, patch, stride, fill):
    x = image if image.ndim == 3 else image[None]
    return inspection.occlusion(net, x, target, patch, stride, fill, rng=np.random.default_rng(0))


@pytest.mark.parametrize("fill", FILLS)
def test_the_map_is_the_librarys(fill):
    """Probabilities and winners, for the answer and for another class, odd and unequal sizes, colour."""
    net, image = looked_at()
    widget = OcclusionViewer(net, image, patch=7, stride=3, fill=fill, scanned=True)
    for target in (None, 2):
        widget.target = target
        heat, winner = library_map(net, image, 1 if target is None else target, 7, 3, fill)
        assert heat.shape == (12, 14) and widget.progress == 1
        np.testing.assert_allclose(widget.heat, heat, atol=1e-6)
        np.testing.assert_array_equal(widget.winner, winner)
    colour = np.stack([image, image[:, ::-1], image[::-1]])
    net = looking_net((40, 48), 3, 30, side=9, channels=3)
    widget = OcclusionViewer(net, colour, target=1, patch=5, stride=4, fill=fill, scanned=True)
    np.testing.assert_allclose(widget.heat, library_map(net, colour, 1, 5, 4, fill)[0], atol=1e-6)


@pytest.mark.parametrize("row, col", [(0, 0), (12, 20), (24, 32), (8, 4)])
def test_a_net_that_looks_at_one_square_has_its_minimum_there(row, col):
    net, image = looking_net((40, 48), row, col), picture(bright=(row, col, SIDE))
    widget = OcclusionViewer(net, image, patch=SIDE, stride=4, scanned=True)
    assert np.argwhere(widget.heat == widget.heat.min()).tolist() == [[row // 4, col // 4]]
    assert f"at row {row}, column {col}. Another class than class 1 wins at " in widget.sentence()
    far = abs(4 * np.arange(7) - row)[:, None] >= SIDE
    far = far | (abs(4 * np.arange(9) - col)[None] >= SIDE)
    np.testing.assert_allclose(widget.heat[far], widget._known.whole[1], atol=1e-6)  # beside it nothing changes


def test_sentences():
    widget = OcclusionViewer(*looked_at(), patch=16, stride=4, labels=("nothing", "bright", "dark"))
    assert widget.sentence() == "bright, 99 percent. 0 of 63 places scanned."
    widget.row, widget.col = 13, 19
    assert widget.sentence() == ("Patch at row 12, column 20: bright falls from 99 to 31 percent, and dark wins with "
                                 "51. 0 of 63 places scanned.")
    assert widget.probability == pytest.approx(0.31, abs=0.005)
    widget.scanned = True
    assert widget.sentence().endswith(
        "wins with 51. Lowest of 63 places: 31 percent at row 12, column 20. Another class than bright wins at 1 "
        "place, most often dark.")
    widget.target = 2
    assert widget.sentence().startswith("Patch at row 12, column 20: dark rises from 1 to 51 percent, and wins. Lowest")
    widget.row = None
    assert widget.sentence().startswith("dark, 1 percent; the answer is bright, 99 percent. Lowest of 63 places: ")
    widget.predict = True
    assert widget.sentence() == ("dark, 1 percent; the answer is bright, 99 percent. Where does a patch hurt dark "
                                 "most?")
    assert widget.code() == ('OcclusionViewer(model, image, target=2, patch=16, stride=4, col=19, scanned=True, '
                             'labels=("nothing", "bright", "dark"), predict=True)')
    widget.fill = "blur"  # a question that cannot be answered yet says what is missing
    assert widget.sentence() == ("dark, 1 percent; the answer is bright, 99 percent. Where does a patch hurt dark "
                                 "most? 0 of 63 places scanned with these settings: press Scan.")


def test_a_new_patch_has_a_map_of_its_own_and_the_old_one_is_kept():
    widget = OcclusionViewer(*looked_at(), patch=16, stride=8, scanned=True)
    first = widget.heat
    widget.patch = 8
    assert not widget.scanned and np.isnan(widget.heat).all() and widget.heat.shape == (5, 6)
    assert "0 of 30 places scanned" in widget.sentence()
    widget.scanned = True
    assert widget.progress == 1 and widget._map["patch"] == 8
    widget.patch = 16
    assert widget.scanned and widget._map["patch"] == 16
    np.testing.assert_array_equal(widget.heat, first)
    widget.reset()
    assert widget.scanned and widget.patch == 16


def test_a_scan_in_the_background_stops_within_a_second_and_goes_on():
    widget = OcclusionViewer(Slow(), np.full((24, 24), 0.8), patch=4, stride=2)
    heard = []
    widget.observe(lambda change: heard.append(widget.progress), "_map")
    widget.scan()
    assert widget._scanning
    while not heard or heard[-1] < 0.2:
        time.sleep(0.02)
    start = time.perf_counter()
    widget.stop()
    assert time.perf_counter() - start < 1 and not widget._scanning and not widget.scanned
    done = widget.progress
    assert 0.2 <= done < 1 and f"{round(121 * done)} of 121 places scanned." in widget.sentence()
    coarse = np.argwhere(~np.isnan(widget.heat))
    assert {(0, 0), (0, 8), (8, 0), (8, 8)} <= set(map(tuple, coarse.tolist()))
    assert len(heard) > 1 and heard == sorted(heard)
    Slow.seconds = 0
    try:
        widget.scan()
        widget._worker.join(30)
    finally:
        Slow.seconds = 0.02
    assert widget.scanned and widget.progress == 1 and not widget._scanning
    np.testing.assert_allclose(widget.heat, library_map(Slow(), np.full((24, 24), 0.8), 0, 4, 2, "grey")[0], atol=1e-6)


def test_a_scan_that_fails_says_so(monkeypatch):
    widget = OcclusionViewer(*looked_at(), patch=16, stride=8)
    monkeypatch.setattr(_occlusion, "covered_logits", lambda *args: np.full((1, 3), np.nan))
    widget.scan()
    widget._worker.join(30)
    assert widget._trouble == ("The scan failed: ValueError: `model` gives scores that are NaN or infinite for this "
                               "picture") and not widget._scanning and widget.progress == 0


def test_places_are_looked_at_coarse_to_fine_and_each_once():
    for rows, cols in ((1, 1), (9, 14), (17, 3)):
        order = _occlusion.coarse_to_fine(rows, cols)
        assert sorted(order) == [(i, j) for i in range(rows) for j in range(cols)]
        steps = [max(step for step in (1, 2, 4, 8) if i % step == 0 and j % step == 0) for i, j in order]
        assert steps == sorted(steps, reverse=True)


def test_what_the_page_asks_is_answered():
    """A place under the pointer, a unit, a scan, a stop; what is known is not computed again."""
    widget = OcclusionViewer(small_net(), SCAN, patch=3, stride=1)
    widget._ask = {"what": "place", "patch": 3, "fill": "mean", "row": 2, "col": 4, "number": 1}
    expected = library_map(small_net(), SCAN, 4, 3, 1, "mean")[0][2, 4]
    assert widget._place["answer"][4] == pytest.approx(expected, abs=1e-6) and widget.row is None
    widget._subject.covered = None  # would fail
    widget._ask = {"what": "place", "patch": 3, "fill": "mean", "row": 2, "col": 4, "number": 2}
    widget._ask = {"what": "unit", "layer": "conv", "channel": 1, "unit": [0, 3], "number": 3}
    assert widget._unit["at"] == [0, 3] and widget._unit["size"] == [3, 3] and widget._unit["first"] == [-1, 2]
    fresh = OcclusionViewer(small_net(), SCAN, patch=3, stride=1)
    fresh._ask = {"what": "scan", "number": 4}
    fresh._worker.join(30)
    assert fresh.scanned
    fresh._ask = {"what": "stop", "number": 5}


@pytest.mark.parametrize("unit", [None, (1, 0)])
@pytest.mark.parametrize("layer, channel", [("relu2", 3), ("pool", 0), ("conv", 2)])
def test_units_are_the_deconvnets(layer, channel, unit):
    """Its pattern, nothing of which lies outside of the field that is told."""
    net = small_net()
    widget = OcclusionViewer(net, SCAN, view="deconvnet", layer=layer, channel=channel, unit=unit)
    found = widget._known.units[layer, channel, unit]
    np.testing.assert_allclose(found["pattern"], inspection.deconvnet(net, SCAN, layer, channel, unit), atol=1e-6)
    maps = inspection.activations(net, SCAN[None], [layer])[layer][0, channel]
    assert found["value"] == maps[tuple(found["at"])] and (unit is not None or found["value"] == maps.max())
    (top, left), (tall, wide) = found["first"], found["size"]
    outside = np.ones((8, 8), bool)
    outside[max(top, 0):top + tall, max(left, 0):left + wide] = False
    assert not found["pattern"][0][outside].any()
    for p, q in ((top, left), (top + tall - 1, left + wide - 1)):  # its corners are seen, where they are pixels
        if 0 <= p < 8 and 0 <= q < 8 and layer == "conv":
            other = SCAN.copy()
            other[0, p, q] += 1
            moved = inspection.activations(net, other[None], [layer])[layer][0, channel]
            assert moved[tuple(found["at"])] != found["value"]


def test_units_say_what_they_see():
    widget = OcclusionViewer(small_net(), SCAN, view="deconvnet", layer="conv", channel=1, unit=(0, 3))
    value = inspection.activations(small_net(), SCAN[None], ["conv"])["conv"][0, 1, 0, 3]
    told = _occlusion._two(float(value))
    silent = "" if value > 0 else "; it does not fire, so nothing goes back"
    assert widget.sentence() == f"conv, map 1, row 0, column 3: {told}{silent}; it sees rows 0 to 1, columns 2 to 4."
    widget.unit = None
    assert widget.sentence().startswith("conv, map 1: its strongest unit is row ")
    widget.channel, widget.unit = 99, (50, -3)
    assert widget.sentence().startswith("conv, map 3, row 7, column 0: ")


def test_torch_nets_give_the_same():
    torch = pytest.importorskip("torch")
    from cnnlib import torch_layers

    net = small_net(torch_layers)
    ours = small_net()
    net.load_state_dict({name: torch.tensor(np.asarray(value)) for name, value in ours.state_dict().items()})
    state = dict(patch=3, stride=2, scanned=True, view="deconvnet", layer="relu2", channel=3)
    one, other = (OcclusionViewer(model, SCAN, **state) for model in (net, ours))
    np.testing.assert_allclose(one.heat, other.heat, atol=1e-6)
    np.testing.assert_allclose(*(w._known.units["relu2", 3, None]["pattern"] for w in (one, other)), atol=1e-5)
    assert one.sentence() == other.sentence()
    assert next(net.parameters()).grad is None and net.training  # a copy was asked, not the model


def test_the_model_is_copied_and_left_as_it_is():
    net, image = looked_at()
    widget = OcclusionViewer(net, image, patch=16, stride=8, scanned=True)
    before = widget.heat
    net.fc.weight.data[...] = 0
    widget.fill = "mean"
    widget.fill = "grey"
    np.testing.assert_array_equal(widget.heat, before)
    assert widget.model is net and widget.probability == pytest.approx(0.99, abs=0.005)


def test_impossible_patches_are_refused_aloud():
    widget = OcclusionViewer(*looked_at(), patch=41, stride=4)
    assert widget.sentence() == "Refused: patch 41×41: larger than the picture, 40×48."
    assert widget.heat is None and widget.progress == 0 and widget.winner is None
    widget.scan(wait=True)
    widget.patch, widget.stride = 4, 0
    assert widget.sentence() == "Refused: step 0: at least 1 pixel."
    widget.patch = -2
    assert widget.sentence() == "Refused: patch −2: at least 1 pixel."
    widget.patch, widget.stride = 40, 1
    assert widget.heat.shape == (1, 9)


def test_what_it_is_given_is_checked():
    net, image = looked_at()
    with pytest.raises(ValueError, match=r"`image` has shape \(3,\); it must be one picture"):
        OcclusionViewer(net, np.ones(3))
    with pytest.raises(ValueError, match=r"`model` does not take an `image` of shape \(5, 5\)"):
        OcclusionViewer(net, np.ones((5, 5)))
    with pytest.raises(TypeError, match="give a network, Slow"):
        OcclusionViewer(Slow, image)
    with pytest.raises(ValueError, match="`target` is 3; the classes are 0 to 2"):
        OcclusionViewer(net, image, target=3)
    with pytest.raises(ValueError, match="`labels` are 2; there are 3 classes"):
        OcclusionViewer(net, image, labels=("a", "b"))
    with pytest.raises(ValueError, match="no layer with a way back to the pixels"):
        OcclusionViewer(net, image, view="deconvnet")
    with pytest.raises(ValueError, match="`layer` is 'fc'; .* are conv, relu, pool, deep, relu2"):
        OcclusionViewer(small_net(), SCAN, layer="fc")
    with pytest.raises(ValueError, match=r"`model` gives shape \(1, 4, 8, 8\) for one picture"):
        OcclusionViewer(layers.Sequential(layers.Conv2d(1, 4, 1)), SCAN)
    with pytest.raises(TypeError, match="image"):
        OcclusionViewer(net)
    net.fc.weight.data[0, 0] = np.nan
    with pytest.raises(ValueError, match="`model` gives scores that are NaN or infinite"):
        OcclusionViewer(net, image)


def test_the_map_of_a_unit_is_what_it_says():
    """Counted again place by place: nothing of the picture matters but the 5×5 pixels that the unit sees."""
    net, image = watching()
    widget = OcclusionViewer(net, image, watch=("relu2", 1, (6, 8)), patch=3, stride=1, fill="mean", scanned=True)
    whole = inspection.activations(net, image[None], ["relu2"])["relu2"][0, 1, 6, 8]
    heat = np.empty((16, 16))
    for i in range(16):
        for j in range(16):
            covered = image.copy()
            covered[:, i:i + 3, j:j + 3] = image.mean()
            heat[i, j] = inspection.activations(net, covered[None], ["relu2"])["relu2"][0, 1, 6, 8] / whole
    np.testing.assert_allclose(widget.heat, heat, rtol=2e-5)
    changed = np.argwhere(abs(widget.heat - 1) > 1e-6)
    assert changed.min(0).tolist() == [4, 6] and changed.max(0).tolist() == [10, 12]
    assert widget.target == -1 and widget.probability == 1
    assert widget.sentence().startswith(f"relu2, map 1, row 6, column 8: {whole:.2f}, here 100 percent; the answer is ")
    i, j = np.unravel_index(heat.argmin(), heat.shape)
    widget.row, widget.col = int(i), int(j)
    fallen = f"relu2, map 1, row 6, column 8 falls from 100 to {100 * heat.min():.0f} percent"
    assert widget.sentence().startswith(f"Patch at row {i}, column {j}: {fallen}")
    widget.view = "deconvnet"
    assert widget.sentence() == f"relu2, map 1, row 6, column 8: {whole:.2f}; it sees rows 6 to 10, columns 8 to 12."
    widget.view, widget.target = "occlusion", 2  # a class, of the same scan
    np.testing.assert_allclose(widget.heat, library_map(net, image, 2, 3, 1, "mean")[0], atol=1e-6)


def test_the_unit_that_is_watched_is_the_strongest_of_its_map_without_a_place():
    net, image = watching()
    widget = OcclusionViewer(net, image, watch=("relu1", 0), patch=3)
    maps = inspection.activations(net, image[None], ["relu1"])["relu1"][0, 0]
    assert widget.watch == ["relu1", 0, *map(int, np.unravel_index(maps.argmax(), maps.shape))]
    again = eval(widget.code(), {"OcclusionViewer": OcclusionViewer, "model": net, "image": image})
    assert again.watch == widget.watch and again.sentence() == widget.sentence()


def test_a_unit_of_a_torch_net():
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(512, 4))
    with torch.no_grad():
        net[0].weight.fill_(0.1)
    widget = OcclusionViewer(net, watching()[1], watch=("1", 0), patch=3, stride=1, fill=FILLS[0], scanned=True)
    assert 0 < widget.heat.min() < 0.95 and (widget.heat > 0.9999).mean() > 0.8 and "1, map 0, row" in widget.sentence()


@pytest.mark.parametrize("watch, told", [
    (("relu3", 0), "`watch` is .'relu3', 0.; the layers are conv1, relu1, conv2, relu2"),
    (("relu2", 3), "`watch` is .'relu2', 3.; relu2 has 3 maps of 14×14 units"),
    (("relu2", 0, (14, 0)), "`watch` is .'relu2', 0, .14, 0..; relu2 has 3 maps of 14×14 units")])
def test_a_unit_that_is_not_there(watch, told):
    with pytest.raises(ValueError, match=told):
        OcclusionViewer(*watching(), watch=watch)


def test_a_unit_that_does_not_fire_and_one_that_nobody_watches():
    net, image = watching()
    with pytest.raises(ValueError, match="`target` is -1; the classes are 0 to 3, and no unit is watched"):
        OcclusionViewer(net, image, target=-1)
    with pytest.raises(Exception, match="`watch` is .*; a viewer watches one unit, None: make another"):
        OcclusionViewer(net, image).watch = ["relu1", 0, 0, 0]
    net.conv2.bias.set(np.full(3, -99.0))
    with pytest.raises(ValueError, match="that unit says 0 of the whole picture: one that does not fire cannot fall"):
        OcclusionViewer(net, image, watch=("relu2", 0))


def test_of_many_classes_the_likeliest_are_listed():
    rng = np.random.default_rng(0)
    net = layers.Sequential(layers.Flatten(), layers.Linear(64, 50, rng=rng))
    widget = OcclusionViewer(net, SCAN, patch=3, stride=1, target=7)
    shares = widget._subject.shares
    assert set(np.argsort(-shares)[:20]) | {7} == set(widget._known.classes) and 20 <= len(widget._known.classes) <= 21
    other = next(k for k in range(50) if k not in widget._known.classes)
    with pytest.raises(Exception, match=f"`target` is {other}; of 50 classes this viewer lists the likeliest"):
        widget.target = other


def test_notes_say_which_weights_and_how_the_picture_is_shown():
    net, image = looked_at()
    assert OcclusionViewer(net, image)._note == "Weights: those of the model when the viewer was made."
    assert OcclusionViewer(net, image, weights="drawn by hand")._note == "Weights: drawn by hand."
    fresh = layers.Sequential(layers.Flatten(), layers.Linear(64, 3, rng=np.random.default_rng(0)))
    fresh[1].bias.set(np.zeros(3))
    assert "all its biases are 0, as before training" in OcclusionViewer(fresh, SCAN)._note
    shifted = OcclusionViewer(net, 3 * image - 1)._note
    low, high = (_occlusion.full(float(end(3 * image - 1))) for end in (np.min, np.max))
    assert low.startswith("−0.9") and shifted.endswith(f"shown from {low}, black, to {high}, white.")
    pair = looking_net((40, 48), 0, 0, channels=2)
    assert "the mean of 2 channels is shown" in OcclusionViewer(pair, np.stack([image, image]))._note
