"""The interactives' Python: scripts joined, bytes packed, pictures drawn, the numbers the browser repeats."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ipywidgets.widgets.widget import _remove_buffers

from aelib.data import digits, examples_to_show
from aelib.models import Autoencoder
from aelib.widgets import base
from aelib.widgets.drawing_pad import (
    BOX_WIDTH,
    LEAST_INK,
    SIDE,
    DrawingPad,
    fit_to_frame,
    to_bitmap,
    to_eight_by_eight,
)
from aelib.widgets.latent_explorer import (
    BIT_DEPTHS,
    FLOAT32,
    PICTURED,
    LatentExplorer,
    zlib_bits,
)
from aelib.widgets.networks import network_layers, run_layers

KS = [1, 2, 8, 64]
DRAWINGS = arrays(np.uint8, (SIDE, SIDE), elements=st.integers(0, 1))


@pytest.fixture(scope="module")
def dataset():
    return digits()


@pytest.fixture(scope="module")
def autoencoders():
    return {k: Autoencoder(64, k, (16,), seed=k) for k in KS}


@pytest.fixture(scope="module")
def explorer(dataset, autoencoders):
    return LatentExplorer.from_models(dataset, autoencoders)


@pytest.fixture
def pad(dataset):
    return DrawingPad.from_models(
        dataset, {k: Autoencoder(64, k, (64,), seed=k) for k in (1, 2, 4, 8, 16, 32)}
    )


# ---- the base --------------------------------------------------------------------------------------------

SCRIPTS = sorted(path.stem for path in base.FOLDER.glob("*.js") if path.stem not in base.SHARED)


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_is_one_module_when_joined(name):
    joined = base.read_script(name)
    assert not re.search(r"^import ", joined, re.MULTILINE)
    assert len(re.findall(r"^export ", joined, re.MULTILINE)) == 1


NO_SCRIPTS = [
    "export default 1;\n",
    'import { h } from "./base.js";\n\nh("p");\n',
    'import { h } from "./base.js";\nimport { best } from "./beta_slider.js";\n\nexport default best;\n',
]


@pytest.mark.parametrize("own", NO_SCRIPTS)
def test_a_script_that_cannot_be_joined_is_told_in_a_sentence(tmp_path, own):
    (tmp_path / "odd.js").write_text(own)
    with pytest.raises(ValueError, match=r"odd\.js should begin with one import"):
        base.read_script("odd", tmp_path)


def test_each_selector_of_a_style_is_for_one_interactive_alone():
    style = (
        "/* a, b { } */ .a, .b:is(i, b) { top: 0 } @container (max-width: 4em) { .c > p { left: 0; } .d {} }"
    )
    kept = " ".join(base.prefixed(style, ".x").split())
    assert kept == (
        ".x .a, .x .b:is(i, b) { top: 0 } @container (max-width: 4em) {.x .c > p { left: 0; } .x .d {} }"
    )
    assert base.prefixed("@font-face { a: b }", ".x").startswith("@font-face")


@pytest.mark.parametrize("bits", [1, 3, 4, 5, 8, 11, 16])
@given(data=st.data())
def test_levels_and_counts_come_back(bits, data):
    raw = data.draw(arrays(np.int64, (3, 5), elements=st.integers(0, 2**bits - 1)))
    packed = base.pack(base.counts(raw, bits))
    assert len(packed["data"]) == -(-15 * bits // 8)
    np.testing.assert_array_equal(base.unpack(packed), raw)
    shares = raw / (2**bits - 1)
    np.testing.assert_allclose(base.unpack(base.pack(base.levels(shares, bits))), shares, rtol=1e-15)


def test_levels_with_a_top_of_their_own_are_clipped_and_rounded():
    packed = base.pack(base.levels([[-1, 0.1, 0.5], [1, 2, 0.99]], bits=5, top=16))
    np.testing.assert_array_equal(base.unpack(packed) * 16, [[0, 2, 8], [16, 16, 16]])


@pytest.mark.parametrize(("bits", "exact"), [(64, 1e-16), (32, 1e-7), (16, 1e-3)])
def test_floats_and_whole_numbers_come_back(bits, exact):
    x = np.linspace(-3, 700, 12).reshape(3, 4)
    np.testing.assert_allclose(base.unpack(base.pack(base.numbers(x, bits))), x, rtol=exact)
    np.testing.assert_array_equal(base.unpack(base.pack(base.whole(x.round(), 16))), x.round())


class Table(base.Interactive):
    """A table that is shown nowhere."""

    ks = base.traitlets.List()
    shapes = {"table": ("ks", "rows", 2), "more": ("rows",)}


GOOD = {"table": base.numbers(np.zeros((3, 4, 2))), "more": base.levels(np.zeros(4))}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"table": base.numbers(np.zeros((2, 4, 2)))}, r"shape \(ks=3, rows, 2\), but has \(2, 4, 2\)\.$"),
        ({"table": base.numbers(np.zeros((3, 4)))}, r"shape \(ks=3, rows, 2\), but has \(3, 4\)\.$"),
        ({"more": base.levels(np.zeros(5))}, r"'more' should have the shape \(rows=4\), but has \(5,\)\.$"),
        ({"table": base.numbers(np.full((3, 4, 2), np.nan))}, "'table' should hold finite numbers only"),
        ({"more": base.counts([0, 1, 2, 256])}, "'more' should hold whole numbers from 0 to 255"),
        ({"more": base.counts([0, 1, 2, 0.5])}, "'more' should hold whole numbers from 0 to 255"),
        ({"more": base.numbers([0, 1, 2, 1e6], bits=16)}, "fit in a 16-bit float"),
        ({"more": base.numbers(["a", "b", "c", "d"])}, "should hold numbers, but its type is"),
    ],
)
def test_an_array_that_does_not_fit_is_told_in_a_sentence(changed, words):
    assert Table(ks=[1, 2, 3], arrays=GOOD).array("table").shape == (3, 4, 2)
    with pytest.raises(ValueError, match=f"^Table's array .*{words}"):
        Table(ks=[1, 2, 3], arrays=GOOD | changed)


def test_a_missing_array_and_bytes_that_do_not_fit():
    with pytest.raises(ValueError, match="'more' should have the shape"):
        Table(ks=[1, 2, 3], arrays={"table": GOOD["table"]})
    packed = base.pack(GOOD["more"])
    with pytest.raises(ValueError, match=r"has 3 bytes, which do not fit its shape \(4,\)"):
        base.unpack(packed | {"data": packed["data"][:3]})


def test_an_output_without_a_picture_carries_words():
    data, metadata = Table(ks=[1, 2, 3], arrays=GOOD, title="A table")._repr_mimebundle_()
    assert data["text/plain"] == "A table. A table that is shown nowhere."
    assert "image/png" not in data and "image/png" not in metadata


@pytest.mark.parametrize("name", [*SCRIPTS, "base"])
def test_scripts_and_styles_ask_for_nothing_and_evaluate_nothing(name):
    style = base.FOLDER / f"{name}.css"
    text = (base.FOLDER / f"{name}.js").read_text(encoding="utf-8") + (
        style.read_text(encoding="utf-8") if style.exists() else ""
    )
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"\beval\(|new Function|\bfetch\(|@import|url\((?!#)", text)


@pytest.mark.parametrize("name", ["explorer", "pad"])
def test_an_output_carries_the_interactive_and_words(name, request):
    widget = request.getfixturevalue(name)
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"].startswith(widget.title) and len(data["text/plain"]) > len(widget.title) + 40


@pytest.mark.parametrize(("name", "limit"), [("explorer", 150), ("pad", 170)])
def test_what_is_sent_is_small(name, limit, request):
    widget = request.getfixturevalue(name)
    buffers = _remove_buffers(widget.get_state())[2]
    assert sum(len(buffer) for buffer in buffers) * 4 / 3 < limit * 1024


# ---- the explorer ----------------------------------------------------------------------------------------


def test_errors_are_the_mean_squares_of_the_models(explorer, dataset, autoencoders):
    from sklearn.decomposition import PCA

    table = explorer.array("errors")
    full = BIT_DEPTHS.index(FLOAT32)
    for index, k in enumerate(KS):
        with torch.no_grad():
            network = [
                (autoencoders[k](x) - x).square().mean().item() for x in (dataset.train, dataset.held_out)
            ]
        pca = PCA(k).fit(dataset.train.double().numpy())
        linear = [
            np.mean((pca.inverse_transform(pca.transform(x)) - x) ** 2)
            for x in (dataset.train.double().numpy(), dataset.held_out.double().numpy())
        ]
        np.testing.assert_allclose(table[0, :, full, index], network, rtol=1e-5)
        np.testing.assert_allclose(table[1, :, full, index], linear, rtol=1e-6, atol=1e-20)


def test_pca_with_all_numbers_is_exact_to_rounding(explorer):
    assert explorer.array("errors")[1, :, -1, -1].max() < 1e-25


def test_lists_are_those_of_scikit_learn_and_no_longer_than_the_data(explorer, dataset, autoencoders):
    from sklearn.cluster import KMeans

    x = dataset.held_out.numpy()
    for bits, error in enumerate(explorer.array("lists")):
        fitted = KMeans(2**bits, n_init=1, random_state=0).fit(dataset.train.numpy())
        assert error == pytest.approx(-fitted.score(x) / x.size, rel=1e-4)
    assert bits == 8
    few = replace(dataset, train_index=dataset.train_index[:70])
    assert len(LatentExplorer.from_models(few, autoencoders).array("lists")) == 7


def test_more_bits_come_closer_to_float32(explorer):
    table = explorer.array("errors")
    distance = np.abs(table[:, 1] - table[:, 1, -1:])
    assert (distance[:, BIT_DEPTHS.index(1)] > 5 * distance[:, BIT_DEPTHS.index(8)]).all()


def test_coarse_pictures_are_those_of_the_quantised_code(explorer, dataset, autoencoders):
    from aelib.bits import code_range, quantise

    x = dataset.held_out[examples_to_show(dataset, 10)]
    with torch.no_grad():
        z = quantise(autoencoders[8].encode(x), *code_range(autoencoders[8].encode(dataset.train)), 3)
        expected = autoencoders[8].decode(z).clamp(0, 1).numpy()
    explorer.latent_dim, explorer.bits = 8, 3
    shown = explorer.pictures()["autoencoder"].reshape(-1, 64)
    np.testing.assert_allclose(shown, expected, atol=0.5 / 255 + 1e-6)
    explorer.bits = FLOAT32


def test_pca_pictures_at_full_size_are_the_input(explorer):
    explorer.latent_dim = 64
    pictures = explorer.pictures()
    np.testing.assert_allclose(pictures["PCA"], pictures["input"], atol=0.01)
    explorer.latent_dim = 8


@pytest.mark.parametrize(
    ("latent_dim", "bits", "at"), [(8, 32, (8, 2)), (40, 21, (8, 3)), (-5, 0, (0, 0)), (3, 5, (4, 1))]
)
def test_a_state_between_the_options_shows_the_nearest(explorer, latent_dim, bits, at):
    explorer.latent_dim, explorer.bits = latent_dim, bits
    assert explorer.position() == at
    explorer.latent_dim, explorer.bits = 8, FLOAT32


def test_shown_examples_are_one_of_each_label(dataset):
    rows = examples_to_show(dataset, 12)
    assert dataset.held_out_labels[rows].tolist() == [*range(10), 0, 1]


def test_zlib_bits_are_those_of_files_that_unpack_again():
    import zlib

    rows = np.arange(20, dtype=np.uint8).reshape(4, 5) % 3
    bits = zlib_bits(rows)
    assert bits["zlib all at once"] * 4 / 8 == len(zlib.compress(bytes(rows.ravel()), 9))
    assert bits["zlib one by one"] > bits["zlib all at once"]


# ---- the pad ---------------------------------------------------------------------------------------------


def test_counts_come_back_from_their_drawing(dataset):
    for counts in dataset.raw.numpy()[::7].reshape(-1, 8, 8):
        np.testing.assert_array_equal(to_eight_by_eight(to_bitmap(counts), fit=False), counts)


def test_the_frame_holds_what_the_data_set_holds(dataset):
    """What the fitting assumes, measured: full height, 20 of 32 columns, and the least ink of 99 in 100."""
    images = dataset.raw.numpy().reshape(-1, 8, 8)
    assert (images[:, 0].sum(1) > 0).all() and (images[:, 7].sum(1) > 0).all()
    columns = (images > 0).any(axis=1).sum(axis=1)
    assert np.median(columns) == 6  # 20 points in the middle of 32 touch 6 blocks of 4
    ink = images.sum(axis=(1, 2))
    assert np.quantile(ink, 0.005) < LEAST_INK < np.quantile(ink, 0.02)


def test_fitting_a_digit_that_is_in_place_hardly_moves_it(dataset):
    counts = dataset.raw.numpy()[::10].reshape(-1, 8, 8).astype(int)
    fitted = np.array([to_eight_by_eight(to_bitmap(image)) for image in counts])
    assert np.abs(fitted - counts).mean() < 1.5


def test_place_and_size_on_the_pad_do_not_matter(dataset):
    small = to_bitmap(dataset.raw[5].numpy())[::2, ::2]
    seen = []
    for top, left in ((0, 0), (16, 16), (3, 9)):
        sheet = np.zeros((SIDE, SIDE), np.uint8)
        sheet[top : top + 16, left : left + 16] = small
        seen.append(to_eight_by_eight(sheet))
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
    assert np.abs(seen[0].astype(int) - dataset.raw[5].numpy().reshape(8, 8)).mean() < 3


def test_extremes():
    empty, full, dot = np.zeros((3, SIDE, SIDE), np.uint8)
    full[:], dot[20, 3] = 1, 1
    assert to_eight_by_eight(empty).sum() == 0
    assert to_eight_by_eight(full).sum() == SIDE * BOX_WIDTH
    assert to_eight_by_eight(dot).tolist()[3][3:5] == [4, 4] and to_eight_by_eight(dot).sum() == 16
    line = np.zeros((SIDE, SIDE), np.uint8)
    line[4:28, 10] = 1
    assert LEAST_INK <= fit_to_frame(line).sum() < 2 * LEAST_INK
    assert (fit_to_frame(line).sum(axis=1) < BOX_WIDTH).all()


@given(DRAWINGS)
def test_counts_stay_counts(bitmap):
    assert to_eight_by_eight(bitmap).max() <= 16
    assert to_eight_by_eight(bitmap, fit=False).sum() == bitmap.sum()


def test_a_drawing_of_another_size_is_refused(pad):
    with pytest.raises(ValueError, match=r"32 rows of 32 points.*\(8, 8\)"):
        to_eight_by_eight(np.zeros((8, 8)))
    with pytest.raises(ValueError, match="32 rows of 32 points"):
        pad.draw(np.zeros((16, 64)))


@pytest.mark.parametrize("activation", [torch.nn.ReLU, torch.nn.Tanh, torch.nn.Sigmoid, torch.nn.SiLU])
def test_layers_run_as_torch_runs_them(activation):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 7), activation(), torch.nn.Linear(7, 3))
    shapes, parameters = network_layers(network)
    assert shapes == [[7, 5, activation.__name__.lower()], [3, 7, "identity"]]
    x = torch.randn(5)
    numbers = np.concatenate([array.ravel() for array in parameters])
    np.testing.assert_allclose(
        run_layers(shapes, numbers, x.numpy()), network(x).detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_a_layer_that_the_browser_does_not_know_is_named():
    with pytest.raises(ValueError, match=r"knows the activations identity, relu.*Softmax\("):
        network_layers(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Softmax(dim=1)))


@pytest.mark.parametrize("latent_dim", [1, 2, 4, 8, 16, 32])
def test_the_pad_agrees_with_the_model_up_to_half_precision(pad, dataset, latent_dim):
    pad.latent_dim = latent_dim
    model = Autoencoder(64, latent_dim, (64,), seed=latent_dim)
    x = torch.from_numpy(pad.seen().astype(np.float32)).reshape(1, 64) / 16
    with torch.no_grad():
        np.testing.assert_allclose(pad.code(), model.encode(x)[0], atol=3e-3)
        np.testing.assert_allclose(pad.reconstruction().ravel(), model(x)[0], atol=3e-3)
        assert pad.error() == pytest.approx((model(x) - x).square().mean().item(), rel=0.02)


def test_the_pad_starts_with_a_held_out_three(pad, dataset):
    assert pad.preset_labels == list(range(10))
    held_out = dataset.held_out_index[examples_to_show(dataset, 10)[3]]
    np.testing.assert_array_equal(pad.seen().ravel(), dataset.raw[held_out])


def test_drawing_from_python(pad):
    bitmap = np.zeros((SIDE, SIDE))
    bitmap[2:30, 8:12] = 1
    pad.draw(bitmap)
    np.testing.assert_array_equal(pad.drawing(), bitmap)
    np.testing.assert_array_equal(pad.seen(), to_eight_by_eight(bitmap))


def test_other_data_is_refused(dataset):
    from dataclasses import replace

    with pytest.raises(ValueError, match=r"8 x 8 digits.*shape \(64,\)"):
        DrawingPad.from_models(replace(dataset, image_shape=(64,)), {})


def test_pictured_depths_are_among_the_depths():
    assert set(PICTURED) <= set(BIT_DEPTHS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_name_that_a_script_imports_is_there(name):
    imported = re.findall(
        r"^import \{([^}]*)\}", (base.FOLDER / f"{name}.js").read_text(encoding="utf-8"), re.M
    )
    for word in re.findall(r"\w+", " ".join(imported)):
        assert re.search(rf"(const|function|let) {word}\b", base.read_script(name)), word


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_style_of_one_interactive_reaches_no_other(name):
    """Style sheets of all interactives meet in one page: what is a widget's own is for its own card."""
    own, shared = base.FOLDER / f"{name}.css", (base.FOLDER / "base.css").read_text(encoding="utf-8")
    saved = base.read_style(name)
    assert saved.startswith(shared)
    rules = re.findall(r"^\s*([^@{}\n]+)\{", saved[len(shared) :], re.MULTILINE)
    assert bool(rules) == own.exists() and saved.count("{") == saved.count("}")
    assert all(
        one.strip().startswith(f".ae-in-{name} ") for rule in rules for one in base._split_selectors(rule)
    )
    assert f'WIDGET = "{name}"' in base.read_script(name)
