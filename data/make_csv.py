"""Make train.csv.gz and test.csv.gz from MNIST's four IDX files.

    python data/make_csv.py DIR

DIR holds train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
t10k-labels-idx1-ubyte, each as it is or gzipped (with .gz at the end of its name). Every file's
MD5 sum is checked before anything is written. The same input gives the same CSV text, and with
the same zlib the same .csv.gz, byte for byte. Needs nothing but Python.
"""

import argparse
import gzip
import hashlib
import os
import struct
import sys
import zlib
from pathlib import Path

PIXELS = 28 * 28
HEADER = ",".join(["label", *(f"pixel{i}" for i in range(PIXELS))])

# Output name -> its images and its labels, each as (file name, rows, MD5 of the plain bytes).
# The sums are the ones published wherever MNIST is; data/README.md lists them too.
SOURCES = {
    "train.csv.gz": (
        ("train-images-idx3-ubyte", 60000, "6bbc9ace898e44ae57da46a324031adb"),
        ("train-labels-idx1-ubyte", 60000, "a25bea736e30d166cdddb491f175f624"),
    ),
    "test.csv.gz": (
        ("t10k-images-idx3-ubyte", 10000, "2646ac647ad5339dbf082846283269ea"),
        ("t10k-labels-idx1-ubyte", 10000, "27ae3e4e09519cfbb04c329615203637"),
    ),
}


class BadInput(Exception):
    """Its message is one sentence for the person who ran the script."""


def idx_header(name, rows):
    """The bytes before the data of an IDX file with `rows` rows: a magic number, then the sizes.

    The magic number is 0x0801 for labels (one size) and 0x0803 for images (three sizes).
    Source: the format's description beside the original files (LeCun, Cortes and Burges).
    """
    if "idx1" in name:
        return struct.pack(">2I", 0x0801, rows)
    return struct.pack(">4I", 0x0803, rows, 28, 28)


def md5(data):
    """MD5 of `data` as hex text, also where a computer forbids MD5 for secrets."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def read_idx(folder, name, rows, expected_md5):
    """The data of one IDX file in `folder`, without its header: bytes, one for a label or pixel.

    Raises BadInput if the file is missing, damaged, cut short, or not the file that it should be.
    """
    folder = Path(folder)
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise BadInput(f"{folder} has neither {name} nor {name}.gz: get the file and try again.")
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except EOFError:
        raise BadInput(f"{path} is cut short inside its gzip data: get it again.") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(f"{path} is damaged gzip ({error}): get it again.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    header = idx_header(name, rows)
    size = len(header) + rows * (1 if "idx1" in name else PIXELS)
    if data[:4] != header[:4]:
        kind = "labels" if "idx1" in name else "images"
        raise BadInput(f"{path} is not an IDX file of {kind}: get MNIST's {name}.")
    if len(data) < size:
        raise BadInput(f"{path} is cut short, with {len(data)} of {size} bytes: get it again.")
    if md5(data) != expected_md5:
        raise BadInput(
            f"{path} is not MNIST's {name}: its MD5 sum is {md5(data)} and not {expected_md5}."
        )
    return data[len(header) :]


def csv_lines(images, labels):
    """Yield the CSV text line by line: the header, then `label,pixel0,...` for each row.

    images: bytes, 784 a row; labels: bytes, one a row.
    """
    text = [str(value) for value in range(256)]
    yield HEADER + "\n"
    for row, label in enumerate(labels):
        pixels = images[row * PIXELS : (row + 1) * PIXELS]
        yield ",".join([text[label], *(text[pixel] for pixel in pixels)]) + "\n"


def write_csv(path, images, labels):
    """Write the rows to `path` as gzip -9 with no time and no file name in it.

    The file is written beside `path` first and put in its place when it is whole, so that a
    failure leaves what was there.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as raw:
            with gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed:
                for line in csv_lines(images, labels):
                    packed.write(line.encode("ascii"))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def make(folder, out):
    """Read and check all of SOURCES in `folder`; only then write the CSV files into `out`.

    Yields the path of each file that it has written. Raises BadInput.
    """
    for what in (folder, out):
        if not Path(what).is_dir():
            raise BadInput(f"There is no folder {what}: check its name.")
    tables = {
        name: [read_idx(folder, *source) for source in pair] for name, pair in SOURCES.items()
    }
    for name, (images, labels) in tables.items():
        path = Path(out) / name
        try:
            write_csv(path, images, labels)
        except OSError as error:
            raise BadInput(f"{path} cannot be written: {error.strerror}.") from None
        yield path


def main(argv=None):
    """Run the command line; returns nothing, or ends the program with one sentence on stderr."""
    about, _, more = __doc__.partition("\n\n    python data/make_csv.py DIR\n\n")
    parser = argparse.ArgumentParser(description=about, epilog=more)
    parser.add_argument("folder", metavar="DIR", help="the folder with the four IDX files")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        default=Path(__file__).resolve().parent,
        help="where the CSV files go (default: the folder of this script)",
    )
    args = parser.parse_args(argv)
    try:
        for path in make(args.folder, args.out):
            print(f"wrote {path}")
    except BadInput as error:
        sys.exit(f"make_csv.py: {error}")


if __name__ == "__main__":
    main()
