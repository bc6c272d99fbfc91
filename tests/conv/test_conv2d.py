"""conv2d by hand-computed values and by its laws, for every method that runs on a CPU and both libraries."""

import numpy as np
import pytest
from helpers import assert_close

from cnnlib import _array
from cnnlib.conv import conv2d, conv2d_backward, fft, im2col, loops, shifted, winograd
from cnnlib.conv._planes import crop
from cnnlib.conv._problem import make_problem

PLAIN = ("loops", "im2col", "shifted", "fft", "winograd")
BODIES = {"loops": loops, "im2col": im2col, "shifted": shifted, "fft": fft, "winograd": winograd}
ANY = ("auto", "exact", *PLAIN, "library")


@pytest.fixture(autouse=True)
def torch_for_its_own_method(request):
    if getattr(request.node, "callspec", None) and request.node.callspec.params.get("method") == "library":
        pytest.importorskip("torch")


# A diagonal stroke, and the two filters of the lecture.
IMAGE = [[1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 1, 0], [0, 1, 1, 1, 0, 0],
         [0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
FILTER_1 = [[1, 1, 1], [-1, 1, -1], [1, -1, -1]]
FILTER_2 = [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
MAP_1 = [[1, 2, 2, 5], [-1, -2, 2, 0], [0, 5, 1, 1], [3, 0, 1, 0]]
MAP_2 = [[-1, -2, -4, -1], [1, -2, -2, -2], [-4, -1, -1, 1], [-1, -2, 1, 0]]


def draw(rng, *shapes):
    return [rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize("method", ANY)
def test_known_values(array, method):
    x = array(np.array([[IMAGE]], dtype=float))
    weight = array(np.array([[FILTER_1], [FILTER_2]], dtype=float))
    assert_close(conv2d(x, weight, method=method), np.array([[MAP_1, MAP_2]], dtype=float))


@pytest.mark.parametrize("method", [m for m in ANY if m != "winograd"])
def test_known_values_with_stride(array, method):
    x, weight = (array(np.array([[a]], dtype=float)) for a in (IMAGE, FILTER_1))
    assert_close(conv2d(x, weight, stride=3, method=method), np.array([[[[1.0, 5], [3, 0]]]]))
    same = conv2d(x, weight, stride=2, padding="same", method=method)  # one row below, one column to the right
    uneven = conv2d(x, weight, stride=2, padding=((0, 1), (0, 1)), method=method)
    assert_close(same, np.array([[[[1.0, 2, 1], [0, 1, 0], [0, 0, 0]]]]))
    assert_close(uneven, same)


@pytest.mark.parametrize("method", ("auto", "exact", "loops", "im2col", "shifted"))
@pytest.mark.parametrize("dtype", ("int8", "int16", "int32", "int64"))
def test_known_values_in_integers(array, method, dtype):
    x, weight = (array(np.array([[a]], dtype=dtype)) for a in (IMAGE, FILTER_1))
    out = conv2d(x, weight, method=method)
    assert _array.dtype_name(out) == dtype
    np.testing.assert_array_equal(_array.to_numpy(out), [[MAP_1]])


@pytest.mark.parametrize("method", [m for m in ANY if m != "winograd"])
def test_one_by_one_filter_mixes_channels(array, rng, method):
    x, weight, bias = draw(rng, (2, 3, 4, 5), (6, 3, 1, 1), (6,))
    expected = np.tensordot(weight[:, :, 0, 0], x, axes=(1, 1)).swapaxes(0, 1) + bias[:, None, None]
    assert_close(conv2d(array(x), array(weight), array(bias), method=method), expected)


@pytest.mark.parametrize("method", ANY)
def test_delta_gives_the_kernel_back_turned(array, rng, method):
    """Correlation lays the filter turned by 180 degrees around a single bright pixel."""
    weight = rng.standard_normal((2, 1, 3, 3))
    delta = np.zeros((1, 1, 5, 5))
    delta[0, 0, 2, 2] = 1
    out = conv2d(array(delta), array(weight), method=method)
    assert_close(out[0], weight[:, 0, ::-1, ::-1])


@pytest.mark.parametrize("method", ANY)
def test_no_flip(array, method):
    """A filter with its one at the top left looks at the pixel at the top left."""
    x = np.arange(36.0).reshape(1, 1, 6, 6)
    weight = np.zeros((1, 1, 3, 3))
    weight[0, 0, 0, 1] = 1
    assert_close(conv2d(array(x), array(weight), method=method), x[:, :, :4, 1:5])


@pytest.mark.parametrize("method", ANY)
def test_linear_in_both_arguments(array, rng, method):
    x, y, v, w = (array(a) for a in draw(rng, (2, 3, 8, 7), (2, 3, 8, 7), (4, 3, 3, 3), (4, 3, 3, 3)))
    both = conv2d(2 * x - 3 * y, v, method=method)
    assert_close(both, 2 * conv2d(x, v, method=method) - 3 * conv2d(y, v, method=method))
    both = conv2d(x, 2 * v - 3 * w, method=method)
    assert_close(both, 2 * conv2d(x, v, method=method) - 3 * conv2d(x, w, method=method))


@pytest.mark.parametrize("method", ANY)
def test_shifting_the_image_shifts_the_map(array, rng, method):
    image, weight = draw(rng, (1, 2, 12, 11), (3, 2, 3, 3))
    out = conv2d(array(image[:, :, :-2, :-1]), array(weight), method=method)
    shifted_out = conv2d(array(image[:, :, 2:, 1:]), array(weight), method=method)
    assert_close(out[:, :, 2:, 1:], shifted_out[:, :, :-2, :-1])


@pytest.mark.parametrize("method", ANY)
def test_images_and_groups_do_not_meet(array, rng, method):
    x, weight = draw(rng, (3, 4, 7, 6), (6, 2, 3, 3))
    whole = conv2d(array(x), array(weight), groups=2, padding=1, method=method)
    for n in range(3):
        for g in range(2):
            part = conv2d(array(x[n, 2 * g:2 * g + 2]), array(weight[3 * g:3 * g + 3]), padding=1, method=method)
            assert_close(whole[n, 3 * g:3 * g + 3], _array.to_numpy(part))


GEOMETRIES = {
    "plain": dict(),
    "padded": dict(padding=1),
    "uneven": dict(padding=((2, 0), (1, 3))),
    "strided": dict(stride=(2, 3), padding=1),
    "dilated": dict(dilation=(2, 1), padding=(2, 0)),
    "grouped": dict(groups=2, padding=1),
    "left over": dict(stride=2),
}


def geometries(method):
    return [g for g in GEOMETRIES if not (method == "winograd" and g in ("strided", "dilated", "left over"))]


ADJOINT_CASES = [(method, g) for method in ANY for g in geometries(method)]


@pytest.mark.parametrize(("method", "geometry"), ADJOINT_CASES)
def test_backward_is_the_adjoint(array, rng, method, geometry):
    """<conv(x), g> = <x, grad_x(g)> = <w, grad_weight(g)>: needs no oracle, and a flipped filter fails it."""
    kwargs = GEOMETRIES[geometry]
    x, weight, bias = draw(rng, (2, 4, 9, 8), (6, 4 // kwargs.get("groups", 1), 3, 3), (6,))
    out = conv2d(array(x), array(weight), method=method, **kwargs)
    grad_output = rng.standard_normal(tuple(out.shape))
    grads = conv2d_backward(array(grad_output), array(x), array(weight), array(bias), method=method, **kwargs)
    grad_x, grad_weight, grad_bias = (_array.to_numpy(g) for g in grads)
    inner = (_array.to_numpy(out) * grad_output).sum()
    scale = np.linalg.norm(out) * np.linalg.norm(grad_output)
    assert abs(inner - (x * grad_x).sum()) < 1e-13 * scale
    assert abs(inner - (weight * grad_weight).sum()) < 1e-13 * scale
    assert_close(grad_bias, grad_output.sum((0, 2, 3)))


@pytest.mark.parametrize(("method", "geometry"), ADJOINT_CASES)
def test_the_gradient_of_x_may_be_left_out(array, rng, method, geometry):
    kwargs = GEOMETRIES[geometry]
    arrays = [array(a) for a in draw(rng, (2, 4, 9, 8), (6, 4 // kwargs.get("groups", 1), 3, 3), (6,))]
    grad_output = conv2d(*arrays, method=method, **kwargs)
    expected = conv2d_backward(grad_output, *arrays, method=method, **kwargs)[1:]
    grad_x, *others = conv2d_backward(grad_output, *arrays, method=method, **kwargs, need_grad_x=False)
    assert grad_x is None
    for found, value in zip(others, expected):
        assert_close(found, _array.to_numpy(value))


@pytest.mark.parametrize(("method", "geometry"), ADJOINT_CASES)
def test_gradient_by_central_differences(rng, method, geometry):
    kwargs = GEOMETRIES[geometry]
    args = draw(rng, (1, 2, 6, 7), (2, 2 // kwargs.get("groups", 1), 3, 3), (2,))
    grad_output = rng.standard_normal(conv2d(*args, **kwargs).shape)

    def loss():
        return (conv2d(*args, method=method, **kwargs) * grad_output).sum()

    grads = conv2d_backward(grad_output, *args, method=method, **kwargs)
    for argument, grad in zip(args, grads):
        numerical = np.zeros_like(argument)
        for index in np.ndindex(argument.shape):
            middle, eps = argument[index], 1e-3  # the loss is linear in each number: only rounding is left
            argument[index] = middle + eps
            above = loss()
            argument[index] = middle - eps
            numerical[index] = (above - loss()) / (2 * eps)
            argument[index] = middle
        assert_close(grad, numerical)


@pytest.mark.parametrize("method", PLAIN)
def test_bodies_take_and_give_what_the_protocol_says(rng, method):
    """Each file can be called by itself, as a lecture does."""
    x, weight = draw(rng, (2, 4, 7, 6), (6, 2, 3, 3))
    problem = make_problem(x.shape, weight.shape, padding=1, groups=2)
    body = BODIES[method]
    grad_output = rng.standard_normal(problem.out_shape)
    assert_close(body.forward(x, weight, problem), conv2d(x, weight, padding=1, groups=2))
    grad_x, grad_weight, _ = conv2d_backward(grad_output, x, weight, padding=1, groups=2)
    assert_close(body.backward_x(grad_output, weight, problem), grad_x)
    assert_close(body.backward_weight(grad_output, x, problem), grad_weight)
    assert body.workspace(problem) > 0


def test_im2col_and_col2im(rng):
    x = np.arange(9.0).reshape(1, 1, 3, 3)
    problem = make_problem(x.shape, (1, 1, 2, 2))
    columns = im2col.im2col(x, problem)
    np.testing.assert_array_equal(columns, [[[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]])
    np.testing.assert_array_equal(im2col.col2im(np.ones_like(columns), problem),
                                  [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]])  # how many windows each pixel lies in


def test_crop_undoes_padding(rng):
    x = rng.standard_normal((1, 2, 3, 4))
    problem = make_problem(x.shape, (1, 2, 1, 1), padding=((1, 0), (2, 3)))
    np.testing.assert_array_equal(crop(_array.pad(x, problem.padding), problem), x)
