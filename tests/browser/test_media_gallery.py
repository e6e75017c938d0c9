"""Pictures, notes, words and clips in a browser: what is drawn, played and set in type is what Python has."""

from __future__ import annotations

import base64
import io
import wave

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from aelib.data import digits, media
from aelib.widgets.media_gallery import MEDIA, MediaGallery

KS = (2, 8, 32)
DATA = {"images": digits(), "music": media.tones(100), "text": media.words(200), "video": media.clips(100)}
ZOOMED = 200


class Smudge(torch.nn.Module):
    """Stands for an autoencoder: the input and noise, less of it for a larger code."""

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
        return x + 4 * x.std() * noise / self.latent_dim**0.75


MODELS = {k: Smudge(k) for k in KS}


def gallery(medium: str = "images", latent_dim: int = 8) -> MediaGallery:
    return MediaGallery.from_models(
        {key: (DATA[key], MODELS) for key in DATA}, medium=medium, latent_dim=latent_dim
    )


def choose(page: Page, key: str) -> None:
    page.get_by_role("radio", name=MEDIA[key]).check()


def says(page: Page) -> str:
    return page.locator(".ae-says").inner_text()


# ---- Python's side ---------------------------------------------------------------------------------------


def test_what_is_sent_is_small_and_can_be_read_back():
    sent = gallery()
    assert sum(len(packed["data"]) for packed in sent.arrays.values()) < 150 * 1024
    notes = sent.shown("music")
    assert notes.shape == (4, 3, 2000)
    rows = DATA["music"].held_out
    distance = torch.cdist(torch.from_numpy(notes[0]).float(), rows)
    assert distance.min(dim=1).values.max() < 1e-2
    expected = MODELS[8](rows)[distance.argmin(dim=1)].clamp(-1, 1).numpy()
    np.testing.assert_allclose(notes[2], expected, atol=1 / 32767)
    assert sent.shown("video").shape == (4, 4, 8, 12, 12)
    assert sent.shown("text").shape == (4, 12, 8)


def test_scores_are_held_out_r2_and_the_share_of_letters():
    sent = {entry["key"]: entry for entry in gallery().media}
    x = DATA["video"].held_out
    spread = (x - DATA["video"].train.mean(0)).square().sum()
    expected = [float(1 - (x - MODELS[k](x)).square().sum() / spread) for k in KS]
    assert sent["video"]["scores"] == pytest.approx(expected, abs=1e-6)
    x = DATA["text"].held_out
    assert sent["text"]["scores"] == [media.letters_right(x, MODELS[k](x)) for k in KS]


def test_shown_are_different_notes_and_all_ten_digits():
    sent = {entry["key"]: entry for entry in gallery().media}
    assert sent["images"]["names"] == [str(digit) for digit in range(10)]
    assert len(set(sent["music"]["names"])) == 3
    assert len(set(sent["text"]["names"])) == 12


def test_wrong_arguments_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="the media are images, music, text, video; got smells"):
        MediaGallery({"smells": np.zeros((1, 4))}, {}, {}, {}, {}, {})
    some = {key: (DATA[key], MODELS) for key in ("images", "video")}
    some["video"] = (DATA["video"], {2: MODELS[2]})
    with pytest.raises(ValueError, match="every medium needs reconstructions for the same K"):
        MediaGallery.from_models(some)


def test_one_medium_alone_will_do(plain_page):
    only = MediaGallery.from_models({"text": (DATA["text"], {8: MODELS[8]})})
    page = plain_page.mount(only)
    assert page.locator(".ae-word").count() == 12


# ---- choosing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", MEDIA)
def test_every_medium_at_every_k_says_pythons_score(plain_page, key):
    shown = gallery(key, 2)
    page = plain_page.mount(shown)
    entry = next(entry for entry in shown.media if entry["key"] == key)
    seen = []
    for index, k in enumerate(KS):
        page.evaluate(f"model.set('latent_dim', {k})")
        score = entry["scores"][index]
        fit = f"R² = {score:.3f}".replace("-", "−")
        assert (f"{round(100 * score)}% of the letters" if key == "text" else fit) in says(page)
        assert says(page).startswith(f"{entry['n_inputs']:,} numbers → {k}.")
        seen.append(says(page))
    assert len(set(seen)) == len(KS)


def test_the_keyboard_chooses_medium_and_size(plain_page):
    page = plain_page.mount(gallery())
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('medium')") == "music"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("model.get('latent_dim')") == 32
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "32 for 2,000 numbers"
    plain_page.wait_until_saved(page, latent_dim=32)


def test_a_finger_chooses_a_medium(plain_page):
    page = plain_page.mount(gallery(), width=360, touch=True)
    page.locator(".ae-option", has_text="Text").tap()
    assert page.locator(".ae-word").first.is_visible()
    assert not page.locator("canvas").first.is_visible()


def test_pictures_are_drawn_as_python_has_them(plain_page):
    shown = gallery("images", 2)
    page = plain_page.mount(shown)
    grey = """(row) => {
      const canvas = document.querySelectorAll('canvas')[row], cell = canvas.height / 8;
      const context = canvas.getContext('2d');
      return Array.from({ length: 64 }, (_, p) =>
        context.getImageData((p % 8 + 0.5) * cell, (Math.floor(p / 8) + 0.5) * cell, 1, 1).data[0]);
    }"""
    paper, ink = 0xF5, 0x14
    for k in KS:
        page.evaluate(f"model.set('latent_dim', {k})")
        expected = paper + (ink - paper) * shown.shown("images")[0, 0].ravel()
        np.testing.assert_allclose(page.evaluate(grey, 0), expected, atol=1)
        copy = shown.shown("images")[1 + KS.index(k), 0].ravel()
        np.testing.assert_allclose(page.evaluate(grey, 1), paper * (1 - copy), atol=1)


# ---- words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", KS)
def test_words_are_those_that_python_reads(plain_page, k):
    shown = gallery("text", k)
    page = plain_page.mount(shown)
    spelt = page.evaluate("""() => {
      const read = (row) => row.textContent.replaceAll('·', ' ').trimEnd();
      const rows = (word) => [...word.querySelectorAll('.ae-letters')].map(read);
      return [...document.querySelectorAll('.ae-word')].map(rows);
    }""")
    asked = [word for word, _ in spelt]
    rows = DATA["text"].held_out
    position = [media.read_words(rows).index(word) for word in asked]
    assert len(set(position)) == 12
    assert [said for _, said in spelt] == media.read_words(MODELS[k](rows)[position])


def test_wrong_letters_are_marked_and_not_by_colour_alone(plain_page):
    page = plain_page.mount(gallery("text", 2))
    item = page.locator(".ae-word", has=page.locator(".ae-wrong")).first
    asked, said = (
        row.evaluate("(n) => [...n.children].map((c) => c.textContent)")
        for row in item.locator(".ae-letters").all()
    )
    wrong = (
        item.locator(".ae-letters")
        .nth(1)
        .evaluate("(n) => [...n.children].map((c) => c.className === 'ae-wrong')")
    )
    assert wrong == [a != b for a, b in zip(asked, said, strict=True)]
    style = item.locator(".ae-wrong").first.evaluate(
        "(n) => [getComputedStyle(n).textDecorationStyle, Number(getComputedStyle(n).fontWeight)]"
    )
    assert style[0] == "wavy"
    assert style[1] >= 700
    assert f"{sum(wrong)} wrong" in item.inner_text()


# ---- sound -----------------------------------------------------------------------------------------------


def played(page: Page) -> tuple[wave._wave_params, np.ndarray]:
    """Header and samples of the file that the page plays."""
    header, data = page.locator("audio").get_attribute("src").split(",")
    assert header == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(data))) as sound:
        return sound.getparams(), np.frombuffer(sound.readframes(sound.getnframes()), "<i2")


@pytest.mark.parametrize(("which", "part"), [("the original", 0), ("the copy", 2)])
def test_a_note_is_a_wav_with_pythons_samples(plain_page, which, part):
    shown = gallery("music", 8)
    page = plain_page.mount(shown)
    name = next(entry for entry in shown.media if entry["key"] == "music")["names"][1]
    page.get_by_role("button", name=f"Play {name}, {which}").click()
    sound, samples = played(page)
    assert (sound.nchannels, sound.sampwidth, sound.framerate) == (1, 2, 8000)
    np.testing.assert_array_equal(samples, np.rint(shown.shown("music")[part, 1] * 32767))
    page.wait_for_function("document.querySelector('audio').readyState >= 1")
    assert page.evaluate("document.querySelector('audio').duration") == pytest.approx(0.25)
    page.wait_for_function("document.querySelector('audio').currentTime > 0")
    page.wait_for_selector(".ae-playing", state="detached")


def test_the_copy_that_is_played_follows_the_slider(plain_page):
    page = plain_page.mount(gallery("music", 2))
    button = page.get_by_role("button", name="the copy").first
    button.click()
    first = played(page)[1]
    page.evaluate("model.set('latent_dim', 32)")
    button.click()
    assert not np.array_equal(first, played(page)[1])


def test_only_one_note_sounds_at_a_time(plain_page):
    page = plain_page.mount(gallery("music"))
    page.get_by_role("button", name="All originals").click()
    page.locator(".ae-player").last.click()
    assert page.locator(".ae-playing").count() == 1
    assert page.locator("audio").count() == 1
    page.get_by_role("button", name="All copies").click()
    choose(page, "text")
    assert page.evaluate("document.querySelector('audio').paused")
    assert page.locator(".ae-playing").count() == 0


def test_all_notes_are_played_in_turn(plain_page):
    page = plain_page.mount(gallery("music"))
    page.evaluate("""() => { window.heard = new Set();
      const audio = document.querySelector('audio');
      audio.addEventListener('playing', () => heard.add(audio.src)); }""")
    page.get_by_role("button", name="All originals").click()
    page.wait_for_function("heard.size === 3")


def test_waves_are_drawn_as_python_has_them(plain_page):
    shown = gallery("music", 2)
    page = plain_page.mount(shown)
    points = "(n) => n.getAttribute('points').split(' ').map((p) => Number(p.split(',')[1]))"
    solid = page.locator(".ae-wave:not(.ae-wave-copy)").first.evaluate(points)
    dashed = page.locator(".ae-wave-copy").first.evaluate(points)
    original, copy = shown.shown("music")[:2, 0]
    loudest = np.abs(original).max()
    np.testing.assert_allclose(solid, 30 - 27 * original[:ZOOMED] / loudest, atol=0.006)
    np.testing.assert_allclose(dashed, 30 - 27 * copy[:ZOOMED] / loudest, atol=0.006)


# ---- clips -----------------------------------------------------------------------------------------------

SEEN = """() => [document.querySelector('.ae-place').textContent,
  ...[...document.querySelectorAll('canvas')].slice(-2).map((canvas) => canvas.toDataURL())]"""
"""The place and both pictures in one look: clips go on between two."""


def seen(page: Page) -> list[str]:
    return page.evaluate(SEEN)


def seen_after(page: Page, place: str) -> list[str]:
    """What is seen once the clips have left this place."""
    handle = page.wait_for_function(
        f"(was) => {{ const now = ({SEEN})(); return now[0] !== was && now; }}", arg=place
    )
    return handle.json_value()


def all_other(now: list[str], before: list[str]) -> bool:
    return all(a != b for a, b in zip(now, before, strict=True))


def test_clips_play_and_pause(plain_page):
    page = plain_page.mount(gallery("video"))
    first = seen(page)
    assert all_other(seen_after(page, first[0]), first)
    page.get_by_role("button", name="Pause").click()
    stopped = seen(page)
    page.wait_for_timeout(400)
    assert seen(page) == stopped
    page.get_by_role("button", name="Next frame").click()
    assert all_other(seen(page), stopped)
    page.get_by_role("button", name="Play").click()
    seen_after(page, seen(page)[0])


def test_clips_wait_for_who_prefers_less_motion(plain_page, monkeypatch):
    new_page = plain_page.new_page

    def calm(*size):
        page = new_page(*size)
        page.emulate_media(reduced_motion="reduce")
        return page

    monkeypatch.setattr(plain_page, "new_page", calm)
    page = plain_page.mount(gallery("video"), own=True)
    page.wait_for_timeout(400)
    assert seen(page)[0] == "frame 1 of 8"
    page.get_by_role("button", name="Play").click()
    seen_after(page, "frame 1 of 8")


def test_clips_that_cannot_be_seen_rest(plain_page):
    page = plain_page.mount(gallery("video"))
    choose(page, "text")
    place = page.locator(".ae-place")
    hidden = place.text_content()
    page.wait_for_timeout(400)
    assert place.text_content() == hidden


# ---- for everyone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700, 1100])
def test_it_fits_and_everyone_can_use_it(plain_page, accessible, theme, width):
    page = plain_page.mount(gallery(), theme=theme, width=width)
    for key in MEDIA:
        choose(page, key)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate("""[...document.querySelectorAll('button, .ae-option, input[type=range]')]
          .filter((n) => n.offsetParent && Math.min(n.offsetHeight, n.offsetWidth) < 24).length""")
        assert small == 0
        label, number = (page.locator(f".ae-slider {part}").bounding_box() for part in ("label", ".ae-big"))
        assert label["x"] + label["width"] <= number["x"] or label["y"] + label["height"] <= number["y"]
        accessible(page)


def test_nothing_goes_on_after_it_is_taken_away(plain_page):
    page = plain_page.mount(gallery("video"))
    page.evaluate("cleanup()")
    rest = seen(page)
    page.wait_for_timeout(400)
    assert seen(page) == rest
