"""Bad arguments, one by one: the message names the argument, its value, the shapes, and what would work."""

import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from cnnlib.conv import METHODS, conv2d, conv2d_backward

FFT_AND_FRIENDS = tuple(m for m in METHODS if m not in ("implicit_gemm", "library", "winograd"))


def call(x_shape=(2, 3, 6, 5), weight_shape=(4, 3, 3, 3), bias=None, convert=np.asarray, **kwargs):
    return conv2d(convert(np.zeros(x_shape)), convert(np.zeros(weight_shape)),
                  None if bias is None else convert(np.zeros(bias)), **kwargs)


BAD_SHAPES = {
    "x of rank 2": (dict(x_shape=(6, 5)), "`x` has shape (6, 5); it must be (N, C, H, W), or (C, H, W)"),
    "x of rank 5": (dict(x_shape=(1, 2, 3, 6, 5)), "`x` has shape (1, 2, 3, 6, 5); it must be (N, C, H, W)"),
    "x without channels": (dict(x_shape=(2, 0, 6, 5)), "`x` has shape (2, 0, 6, 5): only the batch may be empty"),
    "x without rows": (dict(x_shape=(2, 3, 0, 5), padding=2), "`x` has shape (2, 3, 0, 5): only the batch"),
    "weight of rank 3": (dict(weight_shape=(3, 3, 3)), "`weight` has shape (3, 3, 3); it must be (F, C // groups"),
    "no filters": (dict(weight_shape=(0, 3, 3, 3)), "`weight` has shape (0, 3, 3, 3): no side of a filter"),
    "filters without rows": (dict(weight_shape=(4, 3, 0, 3)), "`weight` has shape (4, 3, 0, 3): no side"),
    "channels": (dict(x_shape=(2, 5, 6, 5), weight_shape=(4, 3, 3, 3)),
                 "`x` (2, 5, 6, 5) has 5 channels, `weight` (4, 3, 3, 3) with groups=1 needs 3 * 1 = 3"),
    "channels last": (dict(x_shape=(2, 8, 8, 3)), "the last axis of `x` has 3, so `x` may be (N, H, W, C) or "
                                                  "(H, W, C): images.to_chw(x) brings the channels forward"),
    "one image, channels last": (dict(x_shape=(8, 8, 3)), "`x` (8, 8, 3) has 8 channels"),
    "channels of a group": (dict(x_shape=(2, 6, 6, 5), groups=2, weight_shape=(4, 2, 3, 3)),
                            "with groups=2 needs 2 * 2 = 4"),
    "groups and filters": (dict(x_shape=(2, 9, 6, 5), groups=3), "`groups` is 3; it must divide the 4 filters"),
    "bias of another length": (dict(bias=(3,)), "`bias` has shape (3,); it must be (4,), one number for each"),
    "bias that would broadcast": (dict(bias=(1,)), "`bias` has shape (1,); it must be (4,)"),
    "bias of rank 2": (dict(bias=(4, 1)), "`bias` has shape (4, 1); it must be (4,)"),
    "filter too tall": (dict(x_shape=(2, 3, 2, 5)), "`weight` (4, 3, 3, 3) does not fit into `x` (2, 3, 2, 5) along "
                        "the rows: a kernel of 3 with dilation 1 spans 3 pixels, more than the padded input's "
                        "2 + 0 + 0 = 2: `padding` 1 on each side or a `kernel_size` of at most 2"),
    "filter too wide": (dict(x_shape=(2, 3, 6, 2), padding=((0, 0), (0, 0))), "along the columns"),
    "filter too large once dilated": (dict(dilation=3), "with dilation 3 spans 7 pixels, more than the padded input"),
    "filter too large, empty batch": (dict(x_shape=(0, 3, 2, 5)), "does not fit into `x` (0, 3, 2, 5)"),
}
BAD_SETTINGS = {
    "stride 0": (dict(stride=0), ValueError, "`stride` is 0; it must be at least 1"),
    "stride of one axis 0": (dict(stride=(1, 0)), ValueError, "`stride` is 0; it must be at least 1"),
    "stride -1": (dict(stride=-1), ValueError, "`stride` is -1; it must be at least 1"),
    "three strides": (dict(stride=(1, 1, 1)), ValueError, "`stride` is (1, 1, 1); it must be one number or a pair"),
    "stride 1.5": (dict(stride=1.5), TypeError, "`stride` must be a whole number, not 1.5"),
    "stride 2.0": (dict(stride=2.0), TypeError, "`stride` must be a whole number, not 2.0"),
    "stride True": (dict(stride=True), TypeError, "`stride` must be a whole number, not True"),
    "stride None": (dict(stride=None), TypeError, "`stride` must be a whole number, not None"),
    "padding -1": (dict(padding=-1), ValueError, "`padding` is -1; it must be at least 0"),
    "padding of three": (dict(padding=(1, 2, 3)), ValueError, "`padding` is (1, 2, 3); it must be one number or"),
    "padding of a word": (dict(padding="full"), ValueError, "`padding` is 'full'; the words it knows are 'valid' and"),
    "padding 0.5": (dict(padding=0.5), TypeError, "`padding` must be a whole number, not 0.5"),
    "uneven padding of three": (dict(padding=((1, 1), (1, 1), (1, 1))), ValueError, "uneven padding is ((top, bottom)"),
    "uneven padding below 0": (dict(padding=((1, -2), (1, 1))), ValueError, "`padding` is -2; it must be at least 0"),
    "dilation 0": (dict(dilation=0), ValueError, "`dilation` is 0; it must be at least 1"),
    "dilation 1.5": (dict(dilation=1.5), TypeError, "`dilation` must be a whole number, not 1.5"),
    "groups 0": (dict(groups=0), ValueError, "`groups` is 0; it must be at least 1"),
    "groups of a pair": (dict(groups=(1, 1)), TypeError, "`groups` must be a whole number, not (1, 1)"),
    "method": (dict(method="fastest"), ValueError, "`method` is 'fastest'; it must be one of auto, exact, loops"),
}


@pytest.fixture(params=FFT_AND_FRIENDS)
def method(request):
    return request.param


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_shapes(array, method, case):
    kwargs, message = BAD_SHAPES[case]
    with pytest.raises(ValueError, match=re.escape(message)):
        call(**kwargs, convert=array, method=method)


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_settings(array, case):
    kwargs, error, message = BAD_SETTINGS[case]
    call(convert=array)  # problems are kept: the kept one with stride 1 must not answer for stride True
    with pytest.raises(error, match=re.escape(message)):
        call(**kwargs, convert=array)


def test_sizes_that_are_whole_numbers_of_any_kind():
    for two in (2, np.int64(2), [2, 2], (2,), (np.int32(2), 2)):
        assert call(stride=two, padding=two, dilation=1).shape == (2, 4, 4, 4)


@pytest.mark.parametrize("kwargs", [dict(stride=2), dict(dilation=(1, 2)), dict(weight_shape=(4, 3, 2, 3))])
def test_winograd_says_what_it_is_for(array, kwargs):
    with pytest.raises(ValueError, match=r"'winograd' is for 3x3 filters at stride 1 and dilation 1, not for "
                                         r"kernel_size \((2|3), 3\), stride .* use method='auto'"):
        call(**kwargs, convert=array, method="winograd")


@pytest.mark.parametrize("name", ("x", "weight", "bias"))
@pytest.mark.parametrize(("value", "message"), [
    ([[1.0]], r"must be a NumPy array or a torch tensor, not list: np\.asarray\(\w+\) makes one"),
    (1.0, "must be a NumPy array or a torch tensor, not float"),
    ("image.png", "must be a NumPy array or a torch tensor, not str"),
])
def test_no_arrays(name, value, message):
    arguments = dict(x=np.zeros((1, 1, 3, 3)), weight=np.zeros((1, 1, 3, 3)), bias=np.zeros(1))
    with pytest.raises(TypeError, match=f"`{name}` {message}"):
        conv2d(**{**arguments, name: value})


@pytest.mark.parametrize("name", ("x", "weight"))
def test_none(name):
    with pytest.raises(TypeError, match=f"`{name}` is None; it must be an array"):
        conv2d(**{**dict(x=np.zeros((1, 1, 3, 3)), weight=np.zeros((1, 1, 3, 3))), name: None})


def test_masks_and_matrices_are_not_dropped():
    image, weight = np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2))
    with pytest.raises(TypeError, match=r"`x` is a masked array, and convolution would drop its mask: x\.filled\(0\)"):
        conv2d(np.ma.masked_less(image, 2), weight)
    with pytest.raises(TypeError, match=r"`weight` is a np\.matrix, which is always 2-d: np\.asarray\(weight\)"):
        conv2d(image, np.ones((2, 2)).view(np.matrix))


@pytest.mark.parametrize("dtype", ("bool", "uint64", "object", "datetime64[s]", "U1"))
def test_dtypes_that_are_not_summed(dtype):
    x, weight = (np.ones(s).astype(dtype) for s in ((1, 1, 3, 3), (1, 1, 2, 2)))
    with pytest.raises(TypeError, match=r"`x` has dtype \w+(\[s\])?; convolution takes float16, .* converts it"):
        conv2d(x, weight)


def test_complex_is_told_to_split():
    with pytest.raises(TypeError, match=r"`x` has dtype complex128; .*: x\.real and x\.imag are real"):
        conv2d(np.ones((1, 1, 3, 3), complex), np.ones((1, 1, 2, 2), complex))


def test_mixed_dtypes(array):
    x, weight = array(np.ones((1, 1, 3, 3))), array(np.ones((1, 1, 2, 2), dtype="float32"))
    with pytest.raises(TypeError, match=r"differ in dtype \(x float64, weight float32\): convert them to one dtype"):
        conv2d(x, weight)
    with pytest.raises(TypeError, match=r"differ in dtype \(x float64, weight float64, bias float32\)"):
        conv2d(x, x, weight[0, 0, 0, :1])


def test_mixed_libraries():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match=r"mix NumPy and torch \(x NumPy, weight torch\)"):
        conv2d(np.ones((1, 1, 3, 3)), torch.ones(1, 1, 2, 2, dtype=torch.float64))


def test_grad_output(array):
    x, weight = array(np.ones((2, 3, 6, 5))), array(np.ones((4, 3, 3, 3)))
    for shape in ((2, 4, 4, 4), (1, 4, 4, 3), (4, 4, 3)):
        with pytest.raises(ValueError, match=rf"`grad_output` has shape {re.escape(str(shape))}; it must be "
                                             r"\(2, 4, 4, 3\), the shape of the output"):
            conv2d_backward(array(np.ones(shape)), x, weight)
    with pytest.raises(TypeError, match=r"differ in dtype \(grad_output float32, x float64, weight float64\)"):
        conv2d_backward(array(np.ones((2, 4, 4, 3), dtype="float32")), x, weight)
    with pytest.raises(ValueError, match=r"`bias` has shape \(3,\); it must be \(4,\)"):
        conv2d_backward(array(np.ones((2, 4, 4, 3))), x, weight, array(np.ones(3)))


def test_without_torch():
    """Everything but `library` and `implicit_gemm` runs where torch cannot be imported, and those say so."""
    script = textwrap.dedent("""
        import sys
        sys.modules["torch"] = None  # `import torch` now fails
        import numpy as np
        from cnnlib import conv
        x, weight = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))
        for method in conv.METHODS:
            try:
                assert (conv.conv2d(x, weight, method=method) == 9).all()
                grads = conv.conv2d_backward(np.ones((1, 1, 3, 3)), x, weight, method=method)
                np.testing.assert_allclose(grads[1], 9)
            except (ImportError, TypeError) as error:
                print(method, type(error).__name__, error)
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 2
    assert said[0].startswith("implicit_gemm TypeError method='implicit_gemm' runs on torch tensors")
    assert said[1].startswith("library ImportError method='library' is torch's own convolution, and torch is not")


@pytest.mark.parametrize("method", ("auto", "loops", "im2col"))
def test_a_stride_that_is_never_taken_may_be_any_number(method):
    x, weight = np.arange(12.0).reshape(1, 1, 3, 4), np.ones((1, 1, 1, 1))
    for dtype in ("float32", "float64"):
        out = conv2d(x.astype(dtype), weight.astype(dtype), stride=2**62, dilation=2**62, method=method)
        np.testing.assert_array_equal(out, [[[[0.0]]]])
