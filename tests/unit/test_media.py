"""Notes, words and clips: what is promised of them, and that a small autoencoder can copy them."""

import pytest
import torch

from aelib.data import media
from aelib.models import Autoencoder
from aelib.objectives import reconstruction_error

MAKERS = {"tones": media.tones, "words": media.words, "clips": media.clips}
SHAPES = {"tones": (2000,), "words": (8, 27), "clips": (8, 12, 12)}
SMALL = {name: make(200) for name, make in MAKERS.items()}


@pytest.fixture(params=MAKERS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_each_has_the_promised_shape_type_and_split(name: str) -> None:
    data = SMALL[name]
    assert data.name == name
    assert data.image_shape == SHAPES[name]
    assert data.raw.dtype == (torch.float32 if name == "tones" else torch.uint8)
    assert (len(data.train), len(data.held_out)) == (160, 40)


def test_values_fill_their_range(name: str) -> None:
    x = SMALL[name].all
    lowest = -1 if name == "tones" else 0
    assert x.min() >= lowest
    assert x.max() <= 1
    assert x.max() > 0.6


def test_the_seed_decides_everything(name: str) -> None:
    again, other = MAKERS[name](200), MAKERS[name](200, seed=1)
    assert torch.equal(again.raw, SMALL[name].raw)
    assert torch.equal(again.held_out_index, SMALL[name].held_out_index)
    assert not torch.equal(other.raw, SMALL[name].raw)
    assert not torch.equal(other.held_out_index, SMALL[name].held_out_index)


def test_the_global_random_stream_is_left_alone(name: str) -> None:
    before = torch.get_rng_state()
    MAKERS[name](20)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_held_out_example_is_a_training_example(name: str) -> None:
    data = SMALL[name]
    assert torch.cdist(data.held_out, data.train).min() > 0.1
    together = torch.cat([data.train_index, data.held_out_index])
    assert torch.equal(together.sort().values, torch.arange(200))


def test_too_few_examples_are_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match="at least 5 are needed"):
        MAKERS[name](3)


def test_a_note_has_its_pitch() -> None:
    data = media.tones(40)
    spectrum = torch.fft.rfft(data.all, n=16 * media.TONE_SAMPLES).abs()
    loudest = spectrum.argmax(dim=1) * media.SAMPLE_RATE / (16 * media.TONE_SAMPLES)
    torch.testing.assert_close(loudest, data.factors[:, 0], atol=3.0, rtol=0)


def test_notes_are_those_of_a_piano_tuned_to_a440() -> None:
    data = media.tones(200)
    a4 = data.factors[data.labels == media.NOTE_NAMES.index("A4"), 0]
    torch.testing.assert_close(a4, torch.full_like(a4, 440.0), atol=0.01, rtol=0)


def test_a_note_starts_and_ends_in_silence_and_dies_away() -> None:
    x = media.tones(40).all
    assert x[:, 0].abs().max() < 1e-6
    assert x[:, -1].abs().max() < 1e-6
    assert (x[:, 200:600].square().mean(dim=1) > x[:, 1400:1800].square().mean(dim=1)).all()


def test_brightness_is_the_strength_of_a_harmonic_relative_to_the_one_below() -> None:
    x = media.synthesise(torch.tensor([[400.0, 0.5, 4.0, 0.9]]))
    spectrum = torch.fft.rfft(x[0]).abs()
    harmonics = spectrum[[100, 200, 300, 400]]
    torch.testing.assert_close(harmonics[1:] / harmonics[:-1], torch.full((3,), 0.5), atol=0.02, rtol=0)


def test_the_words_are_distinct_short_and_lower_case() -> None:
    assert len(media.WORDS) == len(set(media.WORDS)) == 1890
    assert all(2 <= len(word) <= 8 and word.isalpha() and word.islower() for word in media.WORDS)
    assert list(media.WORDS) == sorted(media.WORDS)


def test_words_can_be_read_back() -> None:
    data = media.words()
    assert media.read_words(data.all) == list(media.WORDS)
    assert torch.equal(data.raw.reshape(-1, 8, 27).sum(dim=2), torch.ones(1890, 8, dtype=torch.int64))


def test_reading_takes_the_largest_number_at_each_position() -> None:
    x = media.encode_words(["cat"]).float()
    x[0, 1 * 27 + media.LETTERS.index("u")] = 1.1
    assert media.read_words(x) == ["cut"]


def test_letters_right_counts_letters_and_letters_too_many() -> None:
    x = media.encode_words(["cat", "house"])
    assert media.letters_right(x, x) == 1
    assert media.letters_right(x, media.encode_words(["cut", "house"])) == pytest.approx(7 / 8)
    assert media.letters_right(x, media.encode_words(["cats", "house"])) == pytest.approx(8 / 9)
    assert media.letters_right(x, media.encode_words(["ca", "house"])) == pytest.approx(7 / 8)


@pytest.mark.parametrize("word", ["timetable", "Cat", "it's"])
def test_a_word_that_cannot_be_written_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        media.encode_words([word])


def test_more_words_than_the_list_has_are_refused() -> None:
    with pytest.raises(ValueError, match="the list has 1,890 words"):
        media.words(2000)


def test_a_clip_shows_one_ball_where_its_path_says() -> None:
    data = media.clips(60)
    frames = data.all.reshape(60, 8, 12, 12)
    pixels = torch.arange(12.0)
    mass = frames.sum(dim=(2, 3))
    centre_x = (frames.sum(dim=2) * pixels).sum(dim=2) / mass
    centre_y = (frames.sum(dim=3) * pixels).sum(dim=2) / mass
    x, y, velocity_x, _ = data.factors.T
    torch.testing.assert_close(centre_x[:, 0], x, atol=0.08, rtol=0)
    torch.testing.assert_close(centre_y[:, 0], y, atol=0.08, rtol=0)
    inside = (x + velocity_x > 2.4) & (x + velocity_x < 8.6)
    torch.testing.assert_close((centre_x[:, 1] - x)[inside], velocity_x[inside], atol=0.1, rtol=0)
    assert (mass / mass.mean() - 1).abs().max() < 0.05


def test_the_ball_bounces_like_light_off_a_mirror() -> None:
    towards_the_wall = media.film(torch.tensor([[8.0, 5.0, 1.2, 0.0]])).reshape(8, 12, 12)
    centre = (towards_the_wall.sum(dim=1) * torch.arange(12.0)).sum(dim=1) / towards_the_wall.sum(dim=(1, 2))
    expected = torch.tensor([8.0, 8.0, 6.8, 5.6, 4.4, 3.2, 2.8, 4.0])
    torch.testing.assert_close(centre, expected, atol=0.08, rtol=0)


def held_out_r2(name: str, latent_dim: int) -> float:
    """After about a second of plain training."""
    data = MAKERS[name](600)
    model = Autoencoder(data.n_inputs, latent_dim)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3, fused=True)
    x, held_out, generator = data.train, data.held_out, torch.Generator().manual_seed(0)
    for _ in range(20):
        for batch in x[torch.randperm(len(x), generator=generator)].split(32):
            optimiser.zero_grad()
            reconstruction_error(model, batch).backward()
            optimiser.step()
    with torch.no_grad():
        error = (held_out - model(held_out)).square().sum()
    return 1 - (error / (held_out - held_out.mean(dim=0)).square().sum()).item()


@pytest.mark.parametrize(("medium", "least"), [("tones", 0.9), ("words", 0.3), ("clips", 0.75)])
def test_a_small_autoencoder_copies_more_with_more_numbers(medium: str, least: float) -> None:
    narrow, wide = held_out_r2(medium, 2), held_out_r2(medium, 16)
    assert wide > narrow + 0.1
    assert wide > least
