"""Archives of several streams, what may follow one, and archives that become much more than they are."""

import bz2
import gzip
import io
import lzma
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from gdcli import fit
from gdcli.base import schema
from gdcli.base.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
PARTS = [b"x,y\n" + b"".join(b"%d,%d\n" % (i, 3 * i) for i in range(400)),
         b"".join(b"%d,%d\n" % (i, -9 * i) for i in range(400, 2000))]  # fmt: skip
SLOPE = np.polyfit(range(2000), [3 * i if i < 400 else -9 * i for i in range(2000)], 1)[0]


def slope(data: bytes, csv_file: Callable[..., str]) -> float:
    [coefficient] = fit(csv_file(data), target="y", iterations=1).coefficients
    assert coefficient.optimum is not None
    return coefficient.optimum


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_two_archives_one_after_the_other_are_all_their_rows(csv_file: Callable[..., str], kind: str) -> None:
    data = b"".join(map(COMPRESSORS[kind], PARTS))
    assert slope(data, csv_file) == pytest.approx(SLOPE, rel=1e-9)


@pytest.mark.parametrize("at", [0, 1, 3])
@pytest.mark.parametrize("kind", COMPRESSORS)
def test_damage_at_the_start_of_a_later_stream_is_an_error(csv_file: Callable[..., str], kind: str, at: int) -> None:
    first, second = map(COMPRESSORS[kind], PARTS)
    damaged = bytearray(second)
    damaged[at] ^= 0xFF
    with pytest.raises(DataError, match="cannot be decompressed"):
        slope(first + bytes(damaged), csv_file)


@pytest.mark.parametrize("rest", [b"x", b"1,2\n" * 9, b"\0x", PARTS[1]])
@pytest.mark.parametrize("kind", COMPRESSORS)
def test_what_follows_a_stream_and_is_none_is_an_error(csv_file: Callable[..., str], kind: str, rest: bytes) -> None:
    with pytest.raises(DataError, match="cannot be decompressed"):
        slope(COMPRESSORS[kind](PARTS[0]) + rest, csv_file)


@pytest.mark.parametrize("kind", [kind for kind in COMPRESSORS if kind not in ("gz", "xz")])
def test_zeros_after_a_stream_are_an_error_where_the_format_allows_none(
    csv_file: Callable[..., str], kind: str
) -> None:
    with pytest.raises(DataError, match="cannot be decompressed"):
        slope(COMPRESSORS[kind](PARTS[0]) + bytes(8), csv_file)


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("share", [0.002, 0.5, 0.999])
def test_a_later_stream_that_is_cut_off_is_an_error(csv_file: Callable[..., str], kind: str, share: float) -> None:
    first, second = map(COMPRESSORS[kind], PARTS)
    with pytest.raises(DataError, match="cannot be decompressed"):
        slope(first + second[: max(int(len(second) * share), 1)], csv_file)


@pytest.mark.parametrize("kind", ["gz", "xz"])
def test_streams_may_have_zeros_between_and_after_them(csv_file: Callable[..., str], kind: str) -> None:
    first, second = map(COMPRESSORS[kind], PARTS)
    assert slope(first + bytes(8) + second + bytes(200_000), csv_file) == pytest.approx(SLOPE, rel=1e-9)


# Bombs.

FAST: dict[str, dict[str, int]] = {"bz2": {}, "xz": {"preset": 0}, "gz": {"compresslevel": 1}}


def peak(code: str, path: Path) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run code with at most 1.5 GiB of addresses; return its end and its peak of memory besides the program in MiB."""
    code = (
        "import sys\nimport gdcli.data.csv.source, gdcli.fitting.fit\nfrom gdcli.data.streams import open_stream\n"
        # Not getrusage's peak, which has that of the process that started this one in it.
        "def peak(): return next(int(line.split()[1]) for line in open('/proc/self/status') if 'VmHWM' in line) >> 10\n"
        f"path = sys.argv[1]\nbefore = peak()\n{code}\nprint(peak() - before, file=sys.stderr)"
    )
    limit = 3 << 29
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        timeout=120,
    )
    return done, int(done.stderr.splitlines()[-1])


@pytest.mark.parametrize("kind", ["zst", "gz"])
def test_what_begins_like_a_summary_is_read_up_to_256_mib(tmp_path: Path, kind: str) -> None:
    assert schema.LARGEST_FILE == 256 << 20
    path, compress = tmp_path / "a", COMPRESSORS[kind]  # of 264 MiB, where 8 are allowed
    path.write_bytes(compress(b'{"schema": "gdfit.summary/1", "x": "') + compress(b"x" * (1 << 20)) * 264)
    code = "from gdcli.base import schema\nfrom gdcli.cli import main\nschema.LARGEST_FILE = 8 << 20\n"
    done, memory = peak(f"{code}assert main([path, '-t', 'y']) == 1", path)
    assert "begins like a gdfit file, but none is larger than 8 MiB" in done.stderr
    assert memory < 128


@pytest.mark.parametrize("kind", ["zst", "bz2", "xz", "gz"])
def test_an_archive_that_becomes_hundreds_of_times_as_much_is_read_in_pieces(tmp_path: Path, kind: str) -> None:
    # Of zstd some 64 MiB come at once, whatever one asks for.
    size, most = (1 << 28, 250) if kind == "zst" else (1 << 26, 48)
    path = tmp_path / "a"
    with path.open("wb") as file:
        if kind == "zst":
            with zstandard.ZstdCompressor(level=1).stream_writer(file, closefd=False) as writer:
                for _ in range(size >> 20):
                    writer.write(bytes(1 << 20))
        else:
            file.write({"xz": lzma, "bz2": bz2, "gz": gzip}[kind].compress(bytes(size), **FAST[kind]))
    assert path.stat().st_size < size / 200
    code = (
        "stream = open_stream(path)\nsize = 0\nwhile data := stream.text.read(8 << 20): size += len(data)\nprint(size)"
    )
    done, memory = peak(code, path)
    assert int(done.stdout) == size
    assert memory < most


def test_a_window_of_a_gigabyte_is_refused_with_what_to_do(csv_file: Callable[..., str]) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=30, compression_level=1)
    out = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=settings).stream_writer(out, closefd=False) as writer:
        writer.write(PARTS[0])
    with pytest.raises(DataError, match=r"it needs too much memory .*decompress it first"):
        slope(out.getvalue(), csv_file)


def test_a_dictionary_of_a_gigabyte_is_refused_with_what_to_do(csv_file: Callable[..., str]) -> None:
    data = bytearray(lzma.compress(PARTS[0], filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}]))
    at = data.index(b"\x21\x01", 12) + 2  # the filter's properties: a dictionary of 2^(n/2 + 12)
    data[at] = 37
    size = (data[12] + 1) * 4
    import zlib

    data[12 + size - 4 : 12 + size] = zlib.crc32(data[12 : 12 + size - 4]).to_bytes(4, "little")
    with pytest.raises(DataError, match=r"it needs too much memory .*decompress it first"):
        slope(bytes(data), csv_file)


def test_parquet_in_an_archive_is_read_as_the_file_itself(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"x": np.arange(50.0), "y": np.arange(50.0) * 3 + 1})
    parquet.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "a.gz").write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    here, there = (fit(tmp_path / name, target="y", iterations=3) for name in ("a.parquet", "a.gz"))
    assert here.coefficients == there.coefficients


def test_zstd_frames_that_are_to_be_skipped_are_skipped(csv_file: Callable[..., str]) -> None:
    first, second = map(COMPRESSORS["zst"], PARTS)
    skipped = b"\x5d\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    assert slope(skipped + first + skipped + second, csv_file) == pytest.approx(SLOPE, rel=1e-9)
