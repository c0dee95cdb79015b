"""Prepare the fonts of a run: subsets with our characters and coarse outlines, which are small.

`python -m model.training.prepare_fonts FACES CHARSET OUT [SYMBOLS...]` writes font files,
`faces.json` and `coverage.json` (the code points of each file) into OUT. Held-out faces are left
out. SYMBOLS are font files for symbols that no text face has; their family is "symbols".
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.scaleUpem import scale_upem

from model.training import phrases
from model.training.charset_file import appended_from, read_charset
from model.training.fonts import SYMBOLS, Face

_LATIN_UNITS = 400
_DROPPED = [
    "GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "DSIG", "meta", "STAT", "MATH", "JSTF",
    "kern", "PfEd", "FFTM", "VDMX", "hdmx", "LTSH", "gasp",
]  # fmt: skip
_GLYPHS_ONLY = (*phrases.VERTICAL_FORMS.values(), *phrases.OTHER_GLYPHS.values())


@dataclass(frozen=True)
class Selected:
    """A Chinese face: family, index, units per em, and whether it keeps appended characters."""

    family: str
    index: int
    units: int
    appended: bool


CHINESE = (
    Selected("NotoSansCJK-Regular", 2, 256, appended=True),
    Selected("NotoSerifCJK-Regular", 2, 256, appended=True),
    Selected("wqy-zenhei", 0, 256, appended=True),
    Selected("uming", 0, 224, appended=True),
    Selected("LXGWWenKai-Regular", 0, 224, appended=True),
    Selected("NotoSansCJK-Bold", 3, 200, appended=False),
    Selected("SmileySans-Oblique", 0, 200, appended=False),
    Selected("gbsn00lp", 0, 200, appended=False),
    Selected("ukai", 0, 200, appended=False),
    Selected("NotoSerifCJK-Bold", 3, 200, appended=False),
    Selected("NotoSansCJK-Light", 0, 200, appended=False),
    Selected("zcool-qingke-huangyou", 0, 160, appended=False),
    Selected("zcool-kuaile", 0, 160, appended=False),
    Selected("LXGWWenKaiMono-Bold", 0, 200, appended=False),
)


@dataclass(frozen=True)
class Job:
    """A face to subset: the code points to keep, and the file to write."""

    face: Face
    name: str
    points: frozenset[int]
    units: int
    out: Path


Subset = tuple[Face, list[int], int]  # the face, its code points, its size in bytes


def write_subset(job: Job) -> Subset | str:
    """Write a subset of a face; return it, or a message if the font is broken."""
    try:
        with TTFont(job.face.path, fontNumber=job.face.index, lazy=True) as font:
            subsetter = subset.Subsetter(_options())
            subsetter.populate(unicodes=job.points)
            subsetter.subset(font)
            if font["head"].unitsPerEm > job.units:
                scale_upem(font, job.units)
            path = job.out / f"{job.name}.{'otf' if 'CFF ' in font else 'ttf'}"
            font.save(path)
        with TTFont(path) as written:
            points = sorted({*written.getBestCmap(), ord(" ")})
    except Exception as error:  # noqa: BLE001  # fonts fail in many ways, and one fewer does no harm
        return f"{job.face.family}: {error!r}"[:200]
    entry = {**asdict(job.face), "path": path.name, "index": 0}
    return Face(**entry), points, path.stat().st_size


def _options() -> subset.Options:
    options = subset.Options()
    options.hinting = options.glyph_names = options.legacy_kern = options.desubroutinize = False
    options.layout_features, options.name_IDs, options.notdef_outline = [], [], True
    options.drop_tables += _DROPPED
    return options


def jobs(faces: list[Face], charset: list[str], symbols: list[Path], out: Path) -> list[Job]:
    """Return the faces to subset, none of them held out."""
    every = frozenset(map(ord, [*charset, *_GLYPHS_ONLY, " "]))
    common = every - frozenset(ord(c) for c in charset[appended_from(charset) :] if ord(c) > 0x2E7F)
    latin = frozenset(point for point in every if point < 0x2E80 or point >= 0xFF00)
    trained = [face for face in faces if not face.held_out]
    found = []
    for number, selected in enumerate(CHINESE):
        key = (selected.family, selected.index)
        points = every if selected.appended else common
        found += [
            Job(face, f"c{number:02}", points, selected.units, out)
            for face in trained
            if (face.family, face.index) == key
        ]
    for face in trained:
        if not face.chinese and "dseg" not in face.family:
            found.append(Job(face, f"l{len(found):03}", latin, _LATIN_UNITS, out))
    symbol_points = frozenset(
        point for point in every if 0x2000 <= point < 0x2E80 or 0x3200 <= point < 0x3400
    )
    for number, path in enumerate(symbols):
        face = Face(str(path), 0, SYMBOLS, chinese=False, held_out=False)
        found.append(Job(face, f"s{number}", symbol_points, _LATIN_UNITS, out))
    return found


def prepare(faces: list[Face], charset: list[str], symbols: list[Path], out: Path) -> None:
    """Write the subsets of the faces, their listing and their coverage."""
    out.mkdir(parents=True, exist_ok=True)
    listing, coverage = [], {}
    for job in jobs(faces, charset, symbols, out):
        written = write_subset(job)
        if isinstance(written, str):
            print(written, flush=True)
            continue
        face, points, size = written
        listing.append(asdict(face))
        coverage[face.path] = points
        if face.chinese or face.family == SYMBOLS:
            print(face.family, len(points), size // 1024, "K", flush=True)
    (out / "faces.json").write_text(json.dumps(listing), encoding="utf-8")
    (out / "coverage.json").write_text(json.dumps(coverage), encoding="utf-8")
    print(len(listing), "faces")


def main() -> None:
    """Prepare the fonts that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("faces", "charset", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("symbols", type=Path, nargs="*")
    options = parser.parse_args()
    faces = [Face(**entry) for entry in json.loads(options.faces.read_text(encoding="utf-8"))]
    prepare(faces, read_charset(options.charset), options.symbols, options.out)


if __name__ == "__main__":
    main()
