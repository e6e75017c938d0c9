"""Whatever the network does, the cache holds a whole file or nothing, and a failure is one sentence."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pooch
import pytest
import torch
from torch import Tensor

from aelib.data import DownloadError, downloads, idx, real_or_digits
from aelib.data.downloads import FASHION_MNIST, MNIST, File, Source

QUICK = 0.4
"""Seconds after which a silent server is given up here; one that waits PATIENT seconds would be served."""
PATIENT = 3.0
REAL = Path(os.environ["AELIB_TEST_DATA"]) if "AELIB_TEST_DATA" in os.environ else None
real_files = pytest.mark.skipif(REAL is None, reason="AELIB_TEST_DATA names no folder with the real files")


def packed(numbers: Tensor) -> bytes:
    """An IDX file of unsigned bytes, uncompressed."""
    sizes = struct.pack(f">{numbers.ndim}I", *numbers.shape)
    return bytes([0, 0, 8, numbers.ndim]) + sizes + numbers.numpy().tobytes()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def source_of(parts: list[Tensor]) -> tuple[Source, dict[str, bytes]]:
    """A published data set of these parts, without mirrors, and its files by name."""
    contents = [packed(part) for part in parts]
    stored = [gzip.compress(content, mtime=0) for content in contents]
    files = tuple(
        File(published.name, len(gz), sha256(gz), sha256(content))
        for published, gz, content in zip(MNIST.files, stored, contents, strict=True)
    )
    return Source("TINY", "tiny", (), files), {file.name: gz for file, gz in zip(files, stored, strict=True)}


@pytest.fixture(scope="module")
def parts() -> list[Tensor]:
    """200 images of noise, 28 × 28, to learn from and 30 held out: 157 kB that no packing makes smaller."""
    generator = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (n, 28, 28), generator=generator, dtype=torch.uint8) for n in (200, 30)]
    labels = [torch.arange(n).remainder(10).to(torch.uint8) for n in (200, 30)]
    return [images[0], labels[0], images[1], labels[1]]


class Server:
    """A real HTTP server on this machine. `plays` lists, for each path, what its next answers do."""

    def __init__(self, stored: dict[str, bytes]) -> None:
        self.stored, self.plays, self.asked = stored, {}, []
        self.enough = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                plays = outer.plays.get(self.path, [])
                play = plays.pop(0) if plays else whole
                play(outer, self, outer.stored[self.path.rpartition("/")[2]])

            def log_message(self, *_) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.handle_error = lambda *_: None  # the client has gone
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def mirror(self, name: str = "a") -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}/"

    def close(self) -> None:
        self.enough.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


# What an answer can be


def send(
    request: BaseHTTPRequestHandler, body: bytes, length: int | None, kind: str = "application/gzip"
) -> None:
    request.send_response(200)
    request.send_header("Content-Type", kind)
    if length is not None:
        request.send_header("Content-Length", str(length))
    request.end_headers()
    request.wfile.write(body)


def whole(server, request, body):
    send(request, body, len(body))


def whole_without_length(server, request, body):
    send(request, body, None)


def refuses(code: int):
    return lambda server, request, body: request.send_error(code)


def silent(server, request, body):
    server.enough.wait(PATIENT)
    send(request, body, len(body))


def stalls(server, request, body):
    half = len(body) // 2
    send(request, body[:half], len(body))
    server.enough.wait(PATIENT)
    request.wfile.write(body[half:])


def cut_short(server, request, body):
    send(request, body[: len(body) // 2], len(body))


def cut_short_without_length(server, request, body):
    send(request, body[: len(body) // 2], None)


def altered(server, request, body):
    wrong = bytearray(body)
    wrong[len(body) // 2] ^= 1
    send(request, bytes(wrong), len(wrong))


def login_page(server, request, body):
    page = b"\n<!DOCTYPE html><html><title>Sign in to this network</title></html>" + b" " * len(body)
    send(request, page, len(page), "text/html")


def presses_stop(server, request, body):
    send(request, body[: len(body) // 2], len(body))
    os.kill(os.getpid(), signal.SIGINT)
    server.enough.wait(PATIENT)


# The stage


@pytest.fixture
def stage(parts, tmp_path, monkeypatch):
    """A server, the published source that it mirrors, and an empty cache, which afterwards holds only whole files."""
    source, stored = source_of(parts)
    server = Server(stored)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(downloads, "PAUSE", 0.05)
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("AELIB_DATA", "AELIB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield SimpleNamespace(
        server=server,
        source=source,
        stored=stored,
        cache=tmp_path / "cache" / "aelib" / "tiny",
        folder=tmp_path,
    )
    server.close()
    for path in (tmp_path / "cache").rglob("*"):
        assert path.is_dir() or path.read_bytes() == stored.get(path.name), f"{path} is not a whole file"


def load(stage, *mirrors: str, download: bool = True):
    """Load it from mirrors of the server, named by their folder, or by a whole address."""
    addresses = tuple(name if "://" in name else stage.server.mirror(name) for name in mirrors or ("a",))
    source = Source(stage.source.title, stage.source.folder, addresses, stage.source.files)
    return downloads._load(source, download, QUICK)


def refusal(stage, *mirrors: str, **settings) -> str:
    """The one sentence of a failure, which names what is missing, the folder for it, and the way on."""
    with pytest.raises(DownloadError) as caught:
        load(stage, *mirrors, **settings)
    sentence = str(caught.value)
    assert sentence.startswith("TINY could not be loaded: ")
    assert sentence.endswith("meanwhile the lesson goes on with digits.")
    assert "\n" not in sentence
    assert len(re.findall(r"[.!?](?= [A-Z])", sentence)) == 0
    return sentence


def play(stage, *plays, mirror: str = "a", file: int = 0) -> None:
    stage.server.plays[f"/{mirror}/{stage.source.files[file].name}"] = list(plays)


def assert_loaded(stage, data, parts) -> None:
    assert torch.equal(data.raw, torch.cat([parts[0], parts[2]]).reshape(-1, 784))
    assert data.raw.dtype == torch.uint8
    assert (data.scale, data.image_shape, data.name) == (255.0, (28, 28), "TINY")
    assert torch.equal(data.train_labels, parts[1].long())
    assert torch.equal(data.held_out_labels, parts[3].long())
    assert torch.equal(data.held_out, parts[2].reshape(-1, 784) / 255)


# Downloads that succeed


def test_success_and_then_the_cache_alone(stage, parts):
    assert_loaded(stage, load(stage), parts)
    assert sorted(path.name for path in stage.cache.iterdir()) == sorted(stage.stored)
    asked = len(stage.server.asked)
    assert asked == 4
    assert_loaded(stage, load(stage, download=False), parts)
    assert len(stage.server.asked) == asked


def test_success_without_a_length(stage, parts):
    play(stage, whole_without_length)
    assert_loaded(stage, load(stage), parts)


def test_503_then_success(stage, parts):
    play(stage, refuses(503))
    assert_loaded(stage, load(stage), parts)
    assert stage.server.asked[:2] == ["/a/train-images-idx3-ubyte.gz"] * 2


FAULTS = {
    "404": (refuses(404), "answered 404 Not Found"),
    "403": (refuses(403), "answered 403 Forbidden"),
    "silence": (silent, "sent nothing for 0.4 s"),
    "stall": (stalls, "sent nothing for 0.4 s"),
    "truncated": (cut_short, "broke off"),
    "truncated without length": (cut_short_without_length, r"broke off after [\d,]+ of [\d,]+ bytes"),
    "wrong hash": (altered, "SHA-256 is not the published one"),
    "login page": (login_page, "sent a web page in its place"),
}
each_fault = pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS.keys())


@each_fault
def test_a_fault_of_one_mirror_leads_to_the_next(stage, parts, fault, reason):
    """And the mirror that worked is asked first for the files that follow."""
    play(stage, fault)
    assert_loaded(stage, load(stage, "a", "b"), parts)
    assert [path[:3] for path in stage.server.asked] == ["/a/", "/b/", "/b/", "/b/", "/b/"]


# Downloads that fail


@each_fault
def test_a_fault_of_every_mirror_is_one_sentence(stage, fault, reason):
    for mirror in ("a", "b"):
        play(stage, fault, mirror=mirror, file=2)
    sentence = refusal(stage, "a", "b")
    assert len(re.findall(reason, sentence)) == 2
    assert "t10k-images-idx3-ubyte.gz could not be fetched" in sentence
    assert f"put t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz into {stage.cache} by hand" in sentence
    assert len(list(stage.cache.iterdir())) == 2


def test_503_for_ever(stage):
    play(stage, refuses(503), refuses(503), refuses(503))
    assert "busy, answering 503 Service Unavailable" in refusal(stage)
    assert len(stage.server.asked) == 2


def test_refused(stage):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert "127.0.0.1" in (sentence := refusal(stage, address))
    assert "cannot be reached" in sentence
    assert ", ".join(stage.stored) in sentence


def test_a_name_that_nobody_knows(stage):
    assert "mirror.invalid cannot be reached" in refusal(stage, "http://mirror.invalid/")


@pytest.mark.skipif(os.name != "posix", reason="an interrupt is sent as a signal")
def test_interrupt(stage):
    play(stage, presses_stop)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert "was stopped by hand" in refusal(stage)
    finally:
        signal.signal(signal.SIGINT, before)
    assert list(stage.cache.iterdir()) == []


def test_a_folder_that_cannot_be_written(stage):
    stage.cache.parent.parent.write_bytes(b"a file where a folder should be")
    try:
        assert str(stage.folder) in refusal(stage)
    finally:
        stage.cache.parent.parent.unlink()


# The cache


def fill_cache(stage, damage) -> Path:
    """The whole cache, its first file damaged."""
    stage.cache.mkdir(parents=True)
    for name, content in stage.stored.items():
        (stage.cache / name).write_bytes(content)
    path = stage.cache / stage.source.files[0].name
    path.write_bytes(damage(path.read_bytes()))
    return path


DAMAGES = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:1000],
    "flipped": lambda content: content[:5000] + bytes([content[5000] ^ 4]) + content[5001:],
    "page": lambda content: b"<html>not found</html>",
    "other content": lambda content: gzip.compress(b"\0\0\x08\x01\0\0\0\0"),
}
each_damage = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


@each_damage
def test_a_corrupt_cache_is_mended_online(stage, parts, damage):
    fill_cache(stage, damage)
    assert_loaded(stage, load(stage), parts)
    assert stage.server.asked == ["/a/train-images-idx3-ubyte.gz"]


@each_damage
def test_a_corrupt_cache_is_emptied_offline(stage, damage, monkeypatch):
    monkeypatch.setenv("AELIB_OFFLINE", "1")
    path = fill_cache(stage, damage)
    sentence = refusal(stage)
    assert "AELIB_OFFLINE" in sentence
    assert f"put {path.name} into {path.parent} by hand" in sentence
    assert not path.exists()
    assert stage.server.asked == []


def test_offline_with_a_whole_cache(stage, parts, monkeypatch):
    monkeypatch.setenv("AELIB_OFFLINE", "1")
    fill_cache(stage, lambda content: content)
    assert_loaded(stage, load(stage), parts)


def test_nothing_is_fetched_unasked(stage):
    sentence = refusal(stage, download=False)
    assert "download=True, which fetches 0 MB, was not given" in sentence
    assert stage.server.asked == []


# A folder of one's own


@pytest.fixture
def own(stage, monkeypatch) -> Path:
    folder = stage.folder / "mine"
    (folder / "tiny").mkdir(parents=True)
    monkeypatch.setenv("AELIB_DATA", str(folder))
    return folder / "tiny"


FORMS = {
    "as published": lambda name, content: (name, content),
    "uncompressed": lambda name, content: (name.removesuffix(".gz"), gzip.decompress(content)),
    "uncompressed, still called gz": lambda name, content: (name, gzip.decompress(content)),
    "packed again": lambda name, content: (name, gzip.compress(gzip.decompress(content), mtime=7)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_files_in_a_folder_of_ones_own(stage, own, parts, form):
    for name, content in stage.stored.items():
        name, content = form(name, content)
        (own / name).write_bytes(content)
    assert_loaded(stage, load(stage, download=False), parts)
    assert not stage.cache.exists()


def test_what_the_folder_lacks_is_fetched(stage, own, parts):
    name = stage.source.files[0].name
    (own / name).write_bytes(stage.stored[name])
    assert_loaded(stage, load(stage), parts)
    assert len(stage.server.asked) == 3


def test_a_wrong_file_in_the_folder_is_named_and_left_alone(stage, own):
    name = stage.source.files[0].name
    (own / name).write_bytes(stage.stored[stage.source.files[2].name])
    assert f"{own / name} is not the published file" in refusal(stage)
    assert (own / name).exists()


def test_where_to_put_files_is_the_folder_of_ones_own(stage, own):
    assert f"into {own} by hand" in refusal(stage, download=False)


# Going on


def test_the_lesson_goes_on_with_digits(stage, capsys):
    def load_tiny(download):
        return load(stage, download=download)

    data = real_or_digits(load_tiny)
    assert data.name == "digits"
    assert capsys.readouterr().out.count("goes on with digits.\n") == 1
    assert real_or_digits(load_tiny, download=True).name == "TINY"
    assert capsys.readouterr().out == ""


def test_progress_is_one_line_of_text(stage, monkeypatch):
    import IPython

    lines = []
    shown = SimpleNamespace(update=lambda bundle, raw: lines.append(bundle["text/plain"]))
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw, display_id: shown)
    load(stage)
    assert lines[0].startswith("Fetching train-images-idx3-ubyte.gz from 127.0.0.1")
    assert lines[0].endswith(" of 0.2 MB")
    assert lines[-1] == f"TINY is in {stage.cache} now."


def test_importing_the_data_does_not_import_pooch():
    loaded = "import aelib.data, sys; print({'pooch', 'requests', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# What is published


@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.title)
def test_what_is_published_is_written_down_whole(source):
    assert [file.name for file in source.files] == [
        f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
    ]
    hashes = [value for file in source.files for value in (file.sha256, file.content_sha256)]
    assert len({value for value in hashes if re.fullmatch("[0-9a-f]{64}", value)}) == 8
    assert len(source.mirrors) >= 2
    assert all(re.fullmatch(r"https?://.*/", mirror) for mirror in source.mirrors)


MD5 = {
    "mnist": (
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": ("25c81989df183df01b3e8a0aad5dffbe", "bb300cfdad3c16e7a12a480ee83cd310"),
}


@real_files
@pytest.mark.parametrize("source", [MNIST, FASHION_MNIST], ids=lambda source: source.title)
def test_the_hashes_are_those_of_the_real_files(source):
    """A file whose MD5 is the published one has the SHA-256 written here; its content has the other."""
    found = 0
    for file in source.files:
        path = REAL / source.folder / file.name
        if path.exists():
            stored = path.read_bytes()
            assert sha256(gzip.decompress(stored)) == file.content_sha256
            if hashlib.md5(stored).hexdigest() in MD5[source.folder]:
                found += 1
                assert (sha256(stored), len(stored)) == (file.sha256, file.size)
    assert found == len(MD5[source.folder])


@real_files
def test_the_real_mnist(stage, monkeypatch):
    monkeypatch.setenv("AELIB_DATA", str(REAL))
    data = downloads.mnist(download=False)
    assert data.raw.shape == (70_000, 784)
    assert (len(data.train_index), len(data.held_out_index)) == (60_000, 10_000)
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.train_labels.bincount().tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert data.raw[:60_000].float().mean().item() / 255 == pytest.approx(0.1307, abs=1e-4)


@real_files
def test_real_fashion_images_come_through_the_same_door(stage):
    """900 of them, 90 a class, packed as IDX files, served, fetched and read."""
    image = pytest.importorskip("PIL.Image").open(REAL / "fashion-mnist" / "fashion-mnist-sprite.png")
    pixels = torch.frombuffer(bytearray(image.convert("L").tobytes()), dtype=torch.uint8)
    tiles = pixels.reshape(30, 28, 30, 28).transpose(1, 2).reshape(900, 28, 28)
    labels = torch.arange(900).div(90, rounding_mode="floor").to(torch.uint8)
    parts = [
        tiles[0::2].contiguous(),
        labels[0::2].contiguous(),
        tiles[1::2].contiguous(),
        labels[1::2].contiguous(),
    ]
    stage.source, files = source_of(parts)
    stage.stored.update(files)
    data = load(stage)
    assert_loaded(stage, data, parts)
    means = [data.train[data.train_labels == label].mean().item() for label in range(10)]
    assert downloads.FASHION_NAMES[min(range(10), key=means.__getitem__)] == "Sandal"


# IDX


def test_idx_gives_back_what_was_packed():
    for shape in ((7,), (2, 3), (2, 3, 4), (0, 28, 28)):
        numbers = torch.arange(torch.Size(shape).numel()).to(torch.uint8).reshape(shape)
        assert torch.equal(idx.parse(packed(numbers)), numbers)


IDX = packed(torch.zeros(2, 3, dtype=torch.uint8))
BAD_IDX = {
    "nothing": (b"", "no IDX file"),
    "a page": (b"<html>", "begins with b'<htm'"),
    "packed": (gzip.compress(IDX), "no IDX file"),
    "floats": (IDX[:2] + b"\x0d" + IDX[3:], "type 13"),
    "no axes": (IDX[:3] + b"\0" + IDX[4:], "along 0 axes"),
    "half a header": (IDX[:9], "ends within its header"),
    "cut short": (IDX[:-1], "promises 2 × 3 = 6 numbers, and it holds 5"),
    "too long": (IDX + b"\0", "too long: its header promises 2 × 3 = 6 numbers, and it holds 7"),
    "a huge promise": (bytes([0, 0, 8, 2]) + b"\xff" * 8, "cut short"),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_IDX.values(), ids=BAD_IDX.keys())
def test_idx_refusals(content, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        idx.parse(content, "the labels")


# Under other names, where other programs put them

PLACES = {"meant for it": "tiny", "the folder itself": ".", "as torchvision does": "TINY/raw"}
SPELLINGS = {"-idx": lambda name: name, ".idx": lambda name: name.replace("-idx", ".idx")}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_hash_decides_not_the_name(stage, own, parts, place, spelling, form):
    folder = own.parent / place
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in stage.stored.items():
        name, content = form(spelling(name), content)
        (folder / name).write_bytes(content)
    source = replace(stage.source, also_in=("TINY/raw",))
    assert_loaded(stage, downloads._load(source, False, QUICK), parts)


def test_another_set_of_the_same_names_in_the_folder_itself_is_passed_over(stage, own, parts):
    """Fashion-MNIST's files are called as MNIST's are."""
    for name, content in stage.stored.items():
        (own.parent / name).write_bytes(gzip.compress(b"of another set"))
        (own / name).write_bytes(content)
    assert_loaded(stage, load(stage, download=False), parts)
    for name in stage.stored:
        (own / name).unlink()
    with pytest.raises(DownloadError, match="not on this machine"):
        load(stage, download=False)
