"""MNIST and Fashion-MNIST, fetched once and kept; a hash decides what is accepted, wherever it came from."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from logging import WARNING
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch import Tensor

from aelib.data import idx
from aelib.data.dataset import Dataset
from aelib.data.digits import digits
from aelib.progress import Line

FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""What the labels 0…9 of Fashion-MNIST mean."""

BUSY = (429, 500, 502, 503, 504)
"""Answers of a server that may do better in a moment."""
PAUSE = 1.0
"""Seconds before a busy mirror is asked once more."""
LARGEST = 2**26
"""Bytes to which a file is uncompressed at most; the largest here has 47 million."""


class DownloadError(RuntimeError):
    """Real data could not be had; the message is one sentence that says why and what to do."""


@dataclass(frozen=True)
class File:
    """One published file: its size in bytes, its SHA-256, and that of the IDX file inside."""

    name: str
    size: int
    sha256: str
    content_sha256: str


@dataclass(frozen=True)
class Source:
    """A data set of four files: images and labels to learn from, images and labels held out.

    folder: what its folder is called, in the cache and under AELIB_DATA; also_in: what other programs call it there.
    mirrors: addresses that end in a slash.
    """

    title: str
    folder: str
    mirrors: tuple[str, ...]
    files: tuple[File, File, File, File]
    also_in: tuple[str, ...] = ()


MNIST = Source(
    "MNIST",
    "mnist",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    (
        File(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        File(
            "train-labels-idx1-ubyte.gz",
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        File(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        File(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    also_in=("MNIST/raw",),
)

FASHION_MNIST = Source(
    "Fashion-MNIST",
    "fashion-mnist",
    (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    (
        File(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        File(
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        File(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        File(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    also_in=("FashionMNIST/raw",),
)


def mnist(download: bool = True, timeout: float = 10.0) -> Dataset:
    """MNIST: 70,000 handwritten digits, 28 × 28 pixels, uint8 with scale 255, labels 0…9.

    60,000 to learn from and 10,000 held out, as published. They are looked for in the folder that the environment
    variable AELIB_DATA names (under ``mnist``, in the folder itself, and where torchvision puts them, under either
    spelling of their names), then in the cache, and then, if `download`, on the network: several mirrors in turn. Which bytes are right is decided by the published SHA-256 of each file, and for a file that
    lies on this machine, packed or not, by that of its uncompressed content. With AELIB_OFFLINE=1 nothing is
    fetched. 12 MB to download, 55 MB in memory.

    timeout: seconds without an answer, or without a further byte, after which a mirror is given up.
    Raises DownloadError, with one sentence; nothing half-written stays behind.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits.
    """
    return _load(MNIST, download, timeout)


def fashion_mnist(download: bool = True, timeout: float = 10.0) -> Dataset:
    """Fashion-MNIST: 70,000 pictures of clothes, 28 × 28 pixels, uint8 with scale 255, labels 0…9 (`FASHION_NAMES`).

    Everything else is as for `mnist`; AELIB_DATA is searched under ``fashion-mnist``, and 31 MB are downloaded.

    Source: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms, arXiv:1708.07747, 2017. MIT licence.
    """
    return _load(FASHION_MNIST, download, timeout)


def real_or_digits(load: Callable[..., Dataset], download: bool = False) -> Dataset:
    """``load(download=download)``; if that fails, one printed sentence and `digits`, so that a lesson goes on.

    load: `mnist` or `fashion_mnist`. download: whether the network may be asked; if not, only AELIB_DATA and the
    cache are.
    """
    try:
        return load(download=download)
    except DownloadError as error:
        print(error)
        return digits()


def _load(source: Source, download: bool, timeout: float) -> Dataset:
    try:
        contents = _contents(source, download, timeout)
    except OSError as error:
        raise _error(source, f"{error.filename or _cache(source)}: {error.strerror or error}") from error
    return _dataset(source, *(idx.parse(contents.pop(file), file.name) for file in source.files))


def _dataset(
    source: Source, images: Tensor, labels: Tensor, held_out: Tensor, held_out_labels: Tensor
) -> Dataset:
    n_examples = len(images) + len(held_out)
    return Dataset(
        name=source.title,
        raw=torch.cat([images, held_out]).flatten(1),
        scale=255.0,
        image_shape=tuple(images.shape[1:]),
        train_index=torch.arange(len(images)),
        held_out_index=torch.arange(len(images), n_examples),
        labels=torch.cat([labels, held_out_labels]).long(),
    )


# Files on this machine


def _contents(source: Source, download: bool, timeout: float) -> dict[File, bytes]:
    """The IDX content of each file, fetched if need be."""
    found = {file: _local(source, file) for file in source.files}
    if missing := [file for file in source.files if found[file] is None]:
        _check_wanted(source, missing, download)
        _fetch_all(source, missing, timeout)
        found |= {file: _local(source, file) for file in missing}
    if None in found.values():
        raise _error(source, f"its files vanished from {_cache(source)} while they were read")
    return found


def _local(source: Source, file: File) -> bytes | None:
    """The content of a file that is here already; a damaged copy in the cache is deleted."""
    given = _given(source)
    found = [path for folder in _given_folders(source) for path in _paths(folder, file)]
    for path in found:
        if (content := _published(path, file)) is not None:
            return content
    if wrong := next((path for path in found if path.parent == given), None):
        raise _error(source, f"{wrong} is not the published file (its SHA-256 differs)")
    for path in _paths(_cache(source), file):
        if (content := _published(path, file)) is not None:
            return content
        path.unlink()
    return None


def _given(source: Source) -> Path | None:
    folder = os.environ.get("AELIB_DATA")
    return Path(folder).expanduser() / source.folder if folder else None


def _given_folders(source: Source) -> list[Path]:
    """Where the files may lie below AELIB_DATA, the folder meant for them first."""
    if not (given := _given(source)):
        return []
    return [given, *(given.parent / name for name in source.also_in), given.parent]


def _cache(source: Source) -> Path:
    import pooch

    return Path(pooch.os_cache("aelib")) / source.folder


def _paths(folder: Path | None, file: File) -> list[Path]:
    """Where the file lies in the folder, as published or uncompressed, "-idx3" of its name written ".idx3" or not."""
    spellings = [file.name, file.name.replace("-idx", ".idx")] if folder else []
    names = [name for spelling in spellings for name in (spelling, spelling.removesuffix(".gz"))]
    return [folder / name for name in names if (folder / name).is_file()]


def _published(path: Path, file: File) -> bytes | None:
    """The file's content, uncompressed, or None if it is not what was published."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = _unpacked(content)
    return content if hashlib.sha256(content).hexdigest() == file.content_sha256 else None


def _unpacked(packed: bytes) -> bytes:
    """What is inside; nothing if it is damaged."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            return stream.read(LARGEST)
    except (OSError, EOFError, zlib.error):
        return b""


# Files elsewhere


def _check_wanted(source: Source, missing: list[File], download: bool) -> None:
    if not download:
        size = sum(file.size for file in missing) / 1e6
        raise _error(
            source,
            f"it is not on this machine, and download=True, which fetches {size:.0f} MB, was not given",
        )
    if os.environ.get("AELIB_OFFLINE", "0") not in ("", "0"):
        raise _error(source, "it is not on this machine, and AELIB_OFFLINE forbids any network access")


def _fetch_all(source: Source, missing: list[File], timeout: float) -> None:
    """Put each missing file into the cache; the mirror that served one is asked first for the next."""
    mirrors, line = list(source.mirrors), Line()
    try:
        for file in missing:
            mirrors.insert(0, mirrors.pop(_fetch(source, file, mirrors, timeout, line)))
    except KeyboardInterrupt:
        line.say(lambda: f"Fetching {source.title} was stopped by hand.", final=True)
        raise _error(source, "the download was stopped by hand") from None
    except DownloadError:
        line.say(lambda: f"{source.title} could not be fetched.", final=True)
        raise
    line.say(lambda: f"{source.title} is in {_cache(source)} now.", final=True)


def _fetch(source: Source, file: File, mirrors: list[str], timeout: float, line: Line) -> int:
    """Ask the mirrors in turn, and those that were busy once more; which of them served the file."""
    reasons: dict[int, str] = {}
    for pause in (0.0, PAUSE):
        for i, mirror in enumerate(mirrors):
            if reasons.get(i, "busy").startswith("busy"):
                time.sleep(pause)
                reasons[i] = _attempt(mirror, file, _cache(source), timeout, line)
                if not reasons[i]:
                    return i
    told = "; ".join(f"{urlsplit(mirror).netloc} {reasons[i]}" for i, mirror in enumerate(mirrors))
    raise _error(source, f"{file.name} could not be fetched ({told})")


def _attempt(mirror: str, file: File, folder: Path, timeout: float, line: Line) -> str:
    """Fetch one file from one mirror: why it failed, or an empty string.

    pooch writes to a temporary name, compares the hash, and renames; on any error it deletes what it wrote.
    """
    import pooch
    from requests.exceptions import RequestException

    downloader = partial(_download, file=file, timeout=timeout, line=line)
    settings = {"known_hash": f"sha256:{file.sha256}", "fname": file.name, "path": folder}
    try:
        with _quiet(pooch.get_logger()):
            pooch.retrieve(mirror + file.name, downloader=downloader, **settings)
    except RequestException as error:
        return _reason(error, timeout)
    except DownloadError as error:
        return str(error)
    except ValueError:
        return "sent a file whose SHA-256 is not the published one"
    return ""


def _download(url: str, output_file: str, _, file: File, timeout: float, line: Line) -> None:
    """What pooch calls to get a file; says what came in its place, if it can be told."""
    import pooch

    bar = _Progress(line, f"Fetching {file.name} from {urlsplit(url).netloc}", file.size)
    as_it_is = {"Accept-Encoding": "identity"}
    pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=timeout, headers=as_it_is)(
        url, output_file, None
    )
    with open(output_file, "rb") as stream:
        start = stream.read(512).lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise DownloadError("sent a web page in its place, perhaps the login page of this network")
    if (size := os.path.getsize(output_file)) < file.size:
        raise DownloadError(f"broke off after {size:,} of {file.size:,} bytes")


class _Progress:
    """What pooch tells how far it is; the total is known beforehand."""

    def __init__(self, line: Line, doing: str, size: int) -> None:
        self.line, self.doing, self.size, self.done = line, doing, size, 0
        self.total = 0

    def update(self, n: int) -> None:
        self.done = min(self.done + n, self.size)
        self.line.say(lambda: f"{self.doing}: {self.done / 1e6:.1f} of {self.size / 1e6:.1f} MB")

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


@contextmanager
def _quiet(logger) -> Iterator[None]:
    """pooch announces each address; the line below the cell says it already."""
    level = logger.level
    logger.setLevel(WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _reason(error: Exception, timeout: float) -> str:
    """Why a mirror failed, to be read after its name."""
    from requests import exceptions

    if (answer := getattr(error, "response", None)) is not None:
        kind = "busy, answering" if answer.status_code in BUSY else "answered"
        return f"{kind} {answer.status_code} {answer.reason}"
    if isinstance(error, exceptions.Timeout) or "timed out" in str(error):
        return f"sent nothing for {timeout:g} s"
    if isinstance(error, exceptions.SSLError):
        return "has a certificate that is not accepted here"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "broke off in the middle"
    return "cannot be reached"


def _error(source: Source, why: str) -> DownloadError:
    """One sentence: what failed, where to put the files by hand, and that the lesson goes on. The home folder is ~."""
    folder = _given(source) or _cache(source)
    names = ", ".join(file.name for file in source.files if not _paths(folder, file))
    by_hand = f"put {names} into {folder} by hand" if names else f"look into {folder}"
    told = (
        f"{source.title} could not be loaded: {why}; {by_hand}, and meanwhile the lesson goes on with digits."
    )
    return DownloadError(told.replace(str(Path.home()), "~"))
