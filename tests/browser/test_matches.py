"""The match viewer, driven in Chromium: the ratio, a point's rivals, draws of four; by keys alone, by pointer alone."""

import numpy as np
import pytest
from match_cases import quarter

from cnnlib.widgets.match_viewer import MatchViewer

pytestmark = pytest.mark.browser
A, B = quarter(0.1)
TURN = np.array([[0.0, -1, A.shape[1] - 1], [1, 0, 0], [0, 0, 1]])


def made(**state):
    return MatchViewer(A, B, **state)


def told(shown, name, part="match"):
    return shown.root.locator(f'[data-part="{part}"]').get_attribute(f"data-{name}")


def at(shown, point, picture="a"):
    """Return where on the page a point of a picture is drawn."""
    box = shown.root.locator('[data-part="match"]').bounding_box()
    wide = {"a": A.shape, "b": B.shape}
    fit = box["height"] / max(A.shape[0], B.shape[0])
    left = 0 if picture == "a" else box["width"] - fit * wide["b"][1]
    return box["x"] + left + (point[1] + 0.5) * fit, box["y"] + (point[0] + 0.5) * fit


def test_the_lesson_by_keys_alone(show):
    """The ratio, a point, the second step, two draws, a refusal and its mending, undo, predict."""
    shown = show(made()).hear()
    assert told(shown, "count") == str(len(made().matches)) and told(shown, "dashed") == "0"
    shown.tab_to('[aria-label="ratio"]').press(*["ArrowLeft"] * 10)
    state = {"ratio": 0.7}
    assert shown.readout == made(**state).sentence()
    assert told(shown, "count") == str(len(made(**state).matches))
    assert len(made(**state).matches) < len(made().matches)
    page = shown.page
    page.locator(".cw").focus()
    shown.tab_to('[data-part="match"]').press("ArrowRight", "ArrowRight", "ArrowDown").frame()
    state |= {"selected": shown.get("selected")}
    assert shown.readout == made(**state).sentence() and "nearest" in shown.readout
    assert told(shown, "focus") == str(state["selected"])
    shown.tab_to('[data-trait="stage"] [aria-checked=true]').press("ArrowRight", "ArrowRight")
    state |= {"stage": "homography"}
    assert shown.readout == made(**state).sentence() and "agree with the homography of draw" in shown.readout
    shown.tab_to('[data-do="again"]').press("Enter", "Enter").frame()
    state |= {"draws": 3}
    widget = made(**state)
    assert shown.readout == widget.sentence()
    assert told(shown, "solid") == str(widget.drawn().agree.sum())
    assert int(told(shown, "solid")) + int(told(shown, "dashed")) == len(widget.matches)
    page.locator(".cw").focus()
    shown.press("r")
    shown.tab_to('[data-trait="ratio"] .cw-number').press("Control+a", "2", "Enter")
    assert "ratio 2: above 0, and at most 1" in shown.refusal.inner_text() and told(shown, "count") == "0"
    shown.tab_to('[data-do="fix"]').press("Enter")
    assert shown.frame().get("ratio") == 0.8 and not shown.refusal.is_visible()
    page.locator(".cw").focus()
    shown.press("u", "p").frame()
    assert shown.readout.startswith("? matches") or "Refused" in shown.readout


def test_the_lesson_by_pointer_alone(show):
    """A glance is no message; a click on a point, on a partner, beside all points; the histogram; draws."""
    widget = made()
    lonely = max(range(len(widget.points_a)), key=lambda k: np.sort(
        np.abs(widget.points_a - widget.points_a[k]).max(1))[1])
    shown = show(widget)
    mouse = shown.page.mouse
    mouse.move(*at(shown, widget.points_a[lonely]))
    assert shown.frame().get("selected") == lonely and shown.messages == 0
    mouse.click(*at(shown, widget.points_a[lonely]))
    assert shown.readout == made(selected=lonely).sentence() and shown.messages == 1
    i, j = max(widget.matches, key=lambda pair: np.sort(
        np.abs(widget.points_b - widget.points_b[pair[1]]).max(1))[1])
    mouse.click(*at(shown, widget.points_b[j], "b"))
    chosen = shown.frame().get("selected")
    assert widget.pairs.rivals[chosen, 0] == j
    box = shown.root.locator('[data-part="ratios"]').bounding_box()
    mouse.click(box["x"] + 0.601 * box["width"], box["y"] + 20)
    assert shown.frame().get("ratio") == 0.6
    assert told(shown, "count") == str(len(made(ratio=0.6).matches))
    shown.root.locator('[data-trait="cross_check"] input').click()
    shown.root.locator('[data-trait="stage"]').get_by_text("draw 4").click()
    shown.do("hundred").do("again")
    state = {"ratio": 0.6, "cross_check": True, "stage": "homography", "draws": 102, "selected": chosen}
    assert shown.readout == made(**state).sentence()
    shown.do("reset")
    assert shown.readout == made().sentence() and shown.root.locator('[data-do="again"]').is_hidden()


def test_four_are_picked_and_a_is_laid_over_b(show):
    """By keys: three; by pointer: the fourth, a fifth for the first, one dropped; then the blend, by slider."""
    widget = made(ratio=0.5, cross_check=True)
    far = np.abs(widget.points_a[:, None] - widget.points_a[None]).max(2) + 1e3 * np.eye(len(widget.points_a))
    spots = sorted(widget.matches[:, 0].tolist(), key=lambda k: -far[k].min())[:5]
    shown = show(made(ratio=0.5, cross_check=True, stage="pick")).hear()
    assert shown.readout.endswith("Pick or place 4 more pairs.")
    assert shown.root.locator('[data-do="pick"], [data-do="none"], [data-do="again"]').all() and not any(
        shown.root.locator(f'[data-do="{act}"]').is_visible() for act in ("pick", "none", "again"))
    for k in spots[:3]:
        shown.set("selected", k)
        shown.tab_to('[data-do="pick"]').press("Enter").frame()
    state = {"ratio": 0.5, "cross_check": True, "stage": "pick", "selected": spots[2]}
    assert shown.get("picked") == spots[:3]
    assert shown.readout == made(picked=spots[:3], **state).sentence()
    for k in spots[3:]:
        shown.page.mouse.click(*at(shown, widget.points_a[k]))
        shown.frame()
    assert shown.get("picked") == spots[1:]
    told_by = made(**{**state, "selected": spots[4], "picked": spots[1:]})
    assert shown.readout == told_by.sentence() and "of your four" in shown.readout
    assert told(shown, "solid") == str(told_by.agreeing().agree.sum())
    shown.page.mouse.click(*at(shown, widget.points_a[spots[1]]))
    assert shown.frame().get("picked") == spots[2:]
    shown.do("undo")
    shown.root.locator('[data-trait="stage"]').get_by_text("blend").click()
    before = shown.root.locator('[data-part="match"]').screenshot()
    shown.tab_to('[aria-label="blend, from A to B"]').press("End").frame()
    state |= {"stage": "warp", "selected": spots[4], "picked": spots[1:], "blend": 1.0}
    assert shown.readout == made(**state).sentence() and "A lies over B by the homography of your four" in shown.readout
    assert shown.root.locator('[data-part="match"]').screenshot() != before
    shown.root.locator('[data-trait="stage"]').get_by_text("pick 4").click()
    shown.do("none")
    assert shown.get("picked") == [] and not shown.root.locator('[data-do="none"]').is_visible()


def test_dragging_the_ratio_sends_nothing_until_it_ends(show):
    shown = show(made())
    box = shown.root.locator('[aria-label="ratio"]').bounding_box()
    mouse, y = shown.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 0.8 * box["width"], y)
    mouse.down()
    counts = []
    for share in (0.75, 0.6, 0.4):
        mouse.move(box["x"] + share * box["width"], y)
        counts.append(int(told(shown.frame(), "count")))
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1] and shown.messages == 0
    mouse.up()
    assert shown.frame().messages == 1
    shown.do("undo")
    assert shown.get("ratio") == 0.8


def test_right_and_wrong(show):
    """The truth makes right matches solid and wrong ones dashed, and counts them."""
    widget = made(truth=TURN, ratio=1.0)
    right = widget.pairs.right[widget.matches[:, 0]]
    shown = show(widget)
    assert right.any() and not right.all()
    assert (told(shown, "solid"), told(shown, "dashed")) == (str(right.sum()), str((~right).sum()))
    assert f"{right.sum()} right, {(~right).sum()} wrong" in shown.readout


def test_wrong_only_leaves_the_wrong_ones(show):
    """By keys: the lines, the sentence, the points that arrow keys and pointer come to; none where none is wrong."""
    widget = made(truth=TURN, ratio=1.0)
    kept = widget.matches[:, 0]
    wrong = kept[~widget.pairs.right[kept]].tolist()
    shown = show(widget)
    shown.tab_to('[data-trait="stage"] [aria-checked=true]').press("ArrowRight").frame()
    assert shown.get("stage") == "wrong" and 2 < len(wrong) < len(kept)
    assert [told(shown, name) for name in ("count", "solid", "dashed")] == [str(len(wrong)), "0", str(len(wrong))]
    assert shown.readout == made(truth=TURN, ratio=1.0, stage="wrong").sentence()
    assert shown.readout.endswith("wrong. Only the wrong ones are drawn.")
    shown.page.locator(".cw").focus()
    shown.tab_to('[data-part="match"]')
    found = set()
    for key in ["ArrowRight"] * 4 + ["ArrowDown"] * 4 + ["ArrowLeft"] * 4:
        found.add(shown.press(key).frame().get("selected"))
    assert len(found) > 2 and found <= set(wrong)
    shown.page.mouse.click(*at(shown, widget.points_a[wrong[0]]))
    assert shown.frame().get("selected") in wrong
    shown.set("selected", None)
    right = int(max(set(kept) - set(wrong), key=lambda k: np.linalg.norm(
        widget.points_a[wrong] - widget.points_a[k], axis=1).min()))
    shown.page.mouse.click(*at(shown, widget.points_a[right]))
    assert shown.frame().get("selected") is None
    shown.type("ratio", "0.3")
    assert told(shown, "count") == "0" and shown.line.endswith("0 wrong. None is wrong.")
    shown.set("predict", True)
    assert told(shown, "count") == "0" and shown.line == "? matches at ratio 0.3."


def test_wrong_only_is_offered_where_the_truth_is_known(show):
    shown = show(made())
    assert shown.root.locator('[data-value="wrong"]').count() == 0
    shown.set("stage", "wrong")
    assert "wrong only: which matches are wrong is not known" in shown.refusal.inner_text()
    assert shown.readout == made(stage="wrong").sentence() and told(shown, "count") == "0"
    shown.do("fix")
    assert shown.get("stage") == "match" and not shown.refusal.is_visible()


@pytest.mark.parametrize("width, height", [(1160, 720), (1800, 1080), (848, 800)])
def test_the_photos_are_as_wide_as_the_page(show, width, height):
    """Two of 3:2, side by side; histogram and controls below them, beside each other."""
    wide = np.tile(A, (1, 2))[:160, :240]
    shown = show(MatchViewer(wide, wide[::-1]))
    shown.page.set_viewport_size({"width": width + 40, "height": height})
    shown.page.evaluate("(w) => { document.querySelector('.place').style.width = `${w}px`; }", width)
    shown.frame()
    parts = '[data-part="match"]', '[data-part="ratios"]', '[data-trait="ratio"]', '[data-part="rivals"]'
    photos, bars, ratio, rivals = (shown.root.locator(part).bounding_box() for part in parts)
    assert photos["width"] > 0.96 * width
    assert bars["y"] > photos["y"] + photos["height"] and ratio["y"] > photos["y"] + photos["height"]
    assert ratio["x"] > rivals["x"] + rivals["width"] and ratio["y"] < bars["y"] + bars["height"]


def test_the_histogram_holds_every_point(show):
    widget = made()
    shown = show(widget)
    bins, _ = np.histogram(np.minimum(widget.pairs.ratios, 1), 25, (0, 1))
    drawn = [int(n) for n in told(shown, "all", "ratios").split(",")]
    assert sum(drawn) == len(widget.points_a) and np.abs(np.subtract(drawn, bins)).sum() <= 2  # a ratio on a border
    assert sum(int(n) for n in told(shown, "value", "ratios").split(",")) == len(widget.matches)


def test_nothing_tells_the_answer_before_a_prediction(show):
    shown = show(made(predict=True, stage="homography"))
    assert told(shown, "count") == "0" and not told(shown, "value", "ratios")
    assert shown.readout == "? matches at ratio 0.8."
    shown.root.locator('[data-part="question"] input').fill("50")
    shown.do("commit")
    count = len(made().matches)
    assert shown.root.locator('[data-part="verdict"]').inner_text() == f"yours 50 · computed {count}"
    assert told(shown, "count") == str(count)


def test_too_few_matches_offer_no_draw(show):
    shown = show(MatchViewer(np.zeros((40, 40)), B, stage="homography"))
    assert shown.readout.startswith("Nothing to match: A has 0 points")
    assert told(shown, "count") == "0" and shown.root.locator('[data-do="again"]').is_hidden()


def test_hidden_controls_are_not_there(show):
    shown = show(made(hide=["stage", "draws", "cross_check"]))
    assert shown.root.locator('[data-trait="stage"], [data-trait="draws"], [data-trait="cross_check"]').count() == 0


def drag(shown, start, end):
    mouse = shown.page.mouse
    mouse.move(*start)
    mouse.down()
    mouse.move(*(np.add(start, end) / 2).tolist())
    mouse.move(*end)
    return mouse


def test_four_pairs_are_placed_by_hand(show):
    """By click in A, then in B; by arrow keys; an end dragged away and back by undo; a pair dropped."""
    shown = show(made(stage="pick")).hear()
    corners = [(20, 20), (20, 108), (140, 20), (138, 110)]
    for here in corners[:3]:
        shown.do("place")
        shown.page.mouse.click(*at(shown, here))
        shown.frame().page.mouse.click(*at(shown, (TURN @ [*here, 1])[:2], "b"))
        shown.frame()
    there = [(TURN @ [*here, 1])[:2].tolist() for here in corners]
    np.testing.assert_allclose(shown.get("picked"), [[*a, *b] for a, b in zip(corners[:3], there)], atol=0.6)
    assert shown.get("end") is None and "Pick or place 1 more pair." in shown.readout
    shown.do("place")
    assert told(shown, "held") == "6" and "Pair IV by hand: row 120" in shown.readout
    goal = [*corners[3], *there[3]]
    shown.page.locator(".cw").focus()
    for end, places in ((0, goal[:2]), (1, goal[2:])):
        shown.tab_to('[data-trait="end"] select')
        shown.page.locator('[data-trait="end"] select').select_option(f"IV in {'AB'[end]}")
        shown.page.locator(".cw").focus()
        shown.tab_to('[data-part="match"]')
        for axis, (less, more) in enumerate((("ArrowUp", "ArrowDown"), ("ArrowLeft", "ArrowRight"))):
            way = round(places[axis] - shown.frame().get("picked")[3][2 * end + axis])
            key = more if way > 0 else less
            shown.press(*[f"Shift+{key}"] * (abs(way) // 10), *[key] * (abs(way) % 10))
    np.testing.assert_allclose(shown.frame().get("picked")[3], goal, atol=0.51)
    placed = [tuple(map(float, pair)) for pair in shown.get("picked")]
    widget = made(stage="pick", picked=placed, end=7, selected=shown.get("selected"))
    assert shown.readout == widget.sentence() and told(shown, "solid") == str(widget.agreeing().agree.sum())
    assert widget.agreeing().agree.mean() > 0.8  # by hand, and to a pixel
    shown.set("end", None)
    before = shown.messages
    mouse = drag(shown, at(shown, placed[0][:2]), at(shown, (60, 60)))
    assert int(told(shown.frame(), "solid")) < widget.agreeing().agree.sum() and shown.messages == before
    mouse.up()
    assert shown.frame().messages == before + 1 and len(shown.get("picked")) == 4
    np.testing.assert_allclose(shown.get("picked")[0], [60, 60, *placed[0][2:]], atol=0.6)
    shown.do("undo")
    assert shown.get("picked") == [list(pair) for pair in placed]
    shown.page.mouse.click(*at(shown, placed[2][2:], "b"))  # a click holds an end, and the list drops its pair
    assert told(shown.frame(), "held") == "5"
    shown.do("drop")
    assert len(shown.get("picked")) == 3 and told(shown, "held") == ""
    shown.do("none").check()


def test_an_end_of_a_picked_match_is_dragged(show):
    widget = made(stage="pick", ratio=0.5)
    far = np.abs(widget.points_a[:, None] - widget.points_a[None]).max(2) + 1e3 * np.eye(len(widget.points_a))
    k, partner = max(widget.matches.tolist(), key=lambda pair: far[pair[0]].min())
    shown = show(made(stage="pick", ratio=0.5, picked=[k]))
    there = widget.points_b[partner]
    drag(shown, at(shown, there, "b"), at(shown, there * 0 + (64, 80), "b")).up()
    (pair,) = shown.frame().get("picked")
    np.testing.assert_allclose(pair, [*widget.points_a[k], 64, 80], atol=0.6)
    shown.do("undo")
    assert shown.get("picked") == [k]


def test_where_pairs_are_picked_a_click_takes_the_nearest_match(show):
    """Not the rejected point that it meets; where that is alone, the line says that there is nothing to pick."""
    state = dict(stage="pick", ratio=0.6)
    widget = made(**state)
    matched = set(widget.matches[:, 0].tolist())
    shown = show(widget)
    fit = shown.root.locator('[data-part="match"]').bounding_box()["height"] / max(A.shape[0], B.shape[0])
    away = np.linalg.norm(widget.points_a[:, None] - widget.points_a[None], axis=2) * fit
    rejected = [k for k in range(len(widget.points_a)) if k not in matched]
    least = {k: min((away[k, j], j) for j in matched) for k in rejected}
    near, alone = min(rejected, key=lambda k: abs(least[k][0] - 9)), max(rejected, key=lambda k: least[k])
    assert 4 < least[near][0] < 20 and least[alone][0] > 23
    shown.page.mouse.click(*at(shown, widget.points_a[near]))
    assert shown.frame().get("picked") == [shown.get("selected")] == [least[near][1]]
    shown.do("none")
    shown.page.mouse.click(*at(shown, widget.points_a[alone]))
    chosen = shown.frame().get("selected")
    assert chosen in rejected and shown.get("picked") == []
    assert shown.readout == made(**state, selected=chosen).sentence() and "; no match to pick." in shown.readout


def test_enter_on_the_pictures_picks_and_drops(show):
    widget = made(stage="pick", ratio=0.6)
    k = int(widget.matches[3, 0])
    shown = show(made(stage="pick", ratio=0.6, selected=k))
    shown.tab_to('[data-part="match"]').press("Enter")
    assert shown.frame().get("picked") == [k]
    shown.press("Space")
    assert shown.frame().get("picked") == []
    shown.do("place")
    shown.page.locator(".cw").focus()
    shown.tab_to('[data-part="match"]').press("Enter")
    assert shown.frame().get("end") is None and len(shown.get("picked")) == 1  # the end is let go


def test_either_end_of_a_pair_may_be_placed_first(show):
    shown = show(made(stage="pick"))
    here = (20, 20)
    there = (TURN @ [*here, 1])[:2]
    shown.do("place")
    shown.page.mouse.click(*at(shown, there, "b"))
    assert told(shown.frame(), "held") == "0" and len(shown.get("picked")) == 1
    shown.page.mouse.click(*at(shown, here))
    assert shown.frame().get("end") is None
    np.testing.assert_allclose(shown.get("picked"), [[*here, *there]], atol=0.6)
