"""The fonts for rendering lines, the characters of each, and the fonts that are held out.

`python -m model.training.fonts NODE_MODULES CACHE` searches Debian's font folders and the
@fontsource packages below NODE_MODULES, converts web fonts to files that Pillow opens quickly, and
writes CACHE/faces.json. Every font has a free licence; docs/model-card.md lists them.
"""

import hashlib
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

_SYSTEM = Path("/usr/share/fonts")
_CHINESE_TEST = "国永酬鹰饕"
_LATIN_TEST = "AZaz09.,:-/$%&()"
# Chinese faces in Debian's packages: folder or file names.
_SYSTEM_CHINESE = ("noto/Noto", "arphic", "cwtex", "cns11643", "lxgw-wenkai", "smiley-sans", "wqy")
_SYSTEM_LATIN = ("dejavu", "liberation", "freefont", "ocr-a", "ocr-b", "croscore", "crosextra")
# Families that are only in the held-out sets, by the start of their names.
HELD_OUT = ("wqy-microhei", "zcool-xiaowei", "TW-Sung-98", "TW-Kai-98")
_HELD_OUT_SHARE = 0.08  # of the Latin web fonts, selected by the hashes of their names
# Never held out: training has the same design in another package (DejaVu, Liberation Serif, Noto
# Serif CJK, AR PL UKai). Of Debian's Latin fonts training has other styles of each family.
_ALSO_ELSEWHERE = ("dejavu", "tinos", "cousine", "arimo", "noto-", "gkai00mp", "bkai00mp")
# Faces that are used more often: those of receipts, forms and printed documents.
_COMMON = (
    "mono", "courier", "cousine", "inconsolata", "liberation", "dejavu", "ocr-", "vt323", "dot",
    "arimo", "tinos", "roboto", "open-sans", "noto-s", "freesans", "freeserif", "carlito",
    "special-elite",
)  # fmt: skip
_COMMON_WEIGHT, _SCRIPT_WEIGHT = 3.0, 0.4
_SERIES = 0.75  # exponent that reduces the weight of a series with many faces
_SCRIPT = (
    "caveat", "dancing", "pacifico", "lobster", "satisfy", "dseg", "liu-jian", "long-cang",
    "zhi-mang",
)  # fmt: skip
SYMBOLS = "symbols"  # family of the faces that have only symbols
_FONTSOURCE = ("400-normal", "700-normal", "400-italic", "300-normal")


@dataclass(frozen=True)
class Face:
    """A font file, the face in it, and whether it has Chinese characters."""

    path: str
    index: int
    family: str
    chinese: bool
    held_out: bool

    @property
    def weight(self) -> float:
        """How often its family is used, relative to the others."""
        name = self.family.lower()
        if any(part in name for part in _SCRIPT):
            return _SCRIPT_WEIGHT
        return _COMMON_WEIGHT if any(part in name for part in _COMMON) else 1.0

    @property
    def series(self) -> str:
        """The family without its style."""
        return self.family if self.family.islower() else self.family.partition("-")[0]


class Faces:
    """The faces for training, or those held out."""

    def __init__(self, listing: Path, *, held_out: bool) -> None:
        """Read a listing of faces, whose paths may be relative to it."""
        entries = json.loads(listing.read_text(encoding="utf-8"))
        faces = [
            Face(**entry | {"path": str(listing.parent / entry["path"])})
            for entry in entries
            if entry["held_out"] == held_out
        ]
        self.symbols = [face for face in faces if face.family == SYMBOLS]
        self._chinese = _weighted([face for face in faces if face.chinese])
        self._latin = _weighted([f for f in faces if not f.chinese and f.family != SYMBOLS])

    def pick(self, rng: random.Random, text: str) -> Face:
        """Return a random face that has every character of the text.

        Raises:
            LookupError: none of those tried has.

        """
        han = any(ord(character) > 0x2E7F for character in text)
        for _ in range(40):
            face = self.sample(rng, han=han)
            if covered(face.path, face.index).issuperset(map(ord, text)):
                return face
        raise LookupError("no face has all of these characters")

    def sample(self, rng: random.Random, *, han: bool) -> Face:
        """Return a random face; with `han` one for Chinese text."""
        chinese = han or rng.random() < 0.2
        pool, cumulative = self._chinese if chinese else self._latin
        return rng.choices(pool, cum_weights=cumulative)[0]


def _weighted(faces: Sequence[Face]) -> tuple[Sequence[Face], Sequence[float]]:
    """Return faces and their cumulative weights; a series of many counts little more than one."""
    count = Counter(face.series for face in faces)
    weights = (face.weight * count[face.series] ** -_SERIES for face in faces)
    return faces, list(itertools.accumulate(weights))


@cache
def covered(path: str, index: int) -> frozenset[int]:
    """Return the code points of a face."""
    font = TTFont(path, fontNumber=index, lazy=True)
    points = frozenset(font.getBestCmap() or {})
    font.close()
    return points | {ord(" ")}


@lru_cache(maxsize=256)
def opened(path: str, index: int, size_px: int) -> ImageFont.FreeTypeFont:
    """Return the face at a size."""
    return ImageFont.truetype(path, size_px, index=index, layout_engine=ImageFont.Layout.BASIC)


def _held_out(family: str) -> bool:
    digest = hashlib.sha256(family.encode()).digest()[0] / 256
    is_web_font = family.islower() and not family.startswith(_ALSO_ELSEWHERE)
    return family.startswith(HELD_OUT) or (is_web_font and digest < _HELD_OUT_SHARE)


def _face(path: Path, index: int, family: str) -> Face | None:
    """Return the face, or None if it lacks common letters."""
    points = covered(str(path), index)
    chinese = points.issuperset(map(ord, _CHINESE_TEST))
    if not chinese and not points.issuperset(map(ord, _LATIN_TEST)):
        return None
    # Chinese families are few: only those named are held out.
    held_out = family.startswith(HELD_OUT) if chinese else _held_out(family)
    return Face(str(path), index, family, chinese, held_out)


def _count(path: Path) -> int:
    """Return the number of faces in a file."""
    if path.suffix != ".ttc":
        return 1
    with TTCollection(str(path), lazy=True) as collection:
        return len(collection)


def _system_faces() -> list[Face]:
    faces = []
    for path in sorted([*_SYSTEM.rglob("*.tt[cf]"), *_SYSTEM.rglob("*.otf")]):
        name = str(path)
        if not any(part in name for part in (*_SYSTEM_CHINESE, *_SYSTEM_LATIN)):
            continue
        # The faces of a collection differ by region; the first five of noto-cjk are enough.
        for index in range(min(_count(path), 5)):
            face = _face(path, index, path.stem)
            if face is not None:
                faces.append(face)
    return faces


def _fontsource_faces(modules: Path, cache_folder: Path) -> list[Face]:
    faces = []
    for package in sorted((modules / "@fontsource").iterdir()):
        files = [
            file
            for style in _FONTSOURCE
            for subset in ("chinese-simplified", "chinese-traditional", "chinese-hongkong", "latin")
            for file in (package / "files").glob(f"{package.name}-{subset}-{style}.woff2")
        ]
        chinese = [file for file in files if "chinese" in file.name]
        for file in (chinese or files)[:3]:
            target = cache_folder / file.with_suffix(".ttf").name
            if not target.exists():
                font = TTFont(file)
                font.flavor = None
                font.save(target)
            face = _face(target, 0, package.name)
            if face is not None:
                faces.append(face)
    return faces


def find(modules: Path, cache_folder: Path) -> Sequence[Face]:
    """Return all faces."""
    return [*_system_faces(), *_fontsource_faces(modules, cache_folder)]


def main() -> None:
    """List the faces below the folders that the command line names."""
    modules, cache_folder = Path(sys.argv[1]), Path(sys.argv[2])
    cache_folder.mkdir(parents=True, exist_ok=True)
    faces = find(modules, cache_folder)
    listing = cache_folder / "faces.json"
    listing.write_text(json.dumps([asdict(face) for face in faces], indent=0), encoding="utf-8")
    held_out = sum(face.held_out for face in faces)
    chinese = sum(face.chinese for face in faces)
    print(f"{len(faces)} faces, {chinese} Chinese; {held_out} held out")


if __name__ == "__main__":
    main()
