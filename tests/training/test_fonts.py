"""The faces that are listed and those that are held out."""

import json
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from model.training import fonts

pytestmark = pytest.mark.training


@pytest.fixture
def system(listing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A font folder with links to two real files, one of them not searched for."""
    faces = [fonts.Face(**entry) for entry in json.loads(listing.read_text("utf-8"))]
    latin, chinese = (
        Path(next(f.path for f in faces if f.chinese is each)) for each in (False, True)
    )
    for name, path in (("dejavu", latin), ("wqy-microhei", chinese), ("unknown", latin)):
        folder = tmp_path / "system" / name
        folder.mkdir(parents=True)
        (folder / f"{name}{path.suffix}").symlink_to(path)
    monkeypatch.setattr(fonts, "_SYSTEM", tmp_path / "system")
    return tmp_path


def test_the_systems_faces_are_listed(
    system: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of known folders, with their characters; some families are held out by name."""
    (system / "modules" / "@fontsource").mkdir(parents=True)
    arguments = ["fonts", str(system / "modules"), str(system / "cache")]
    monkeypatch.setattr(sys, "argv", arguments)
    fonts.main()
    entries = json.loads((system / "cache" / "faces.json").read_text("utf-8"))
    found = {(entry["family"], entry["chinese"], entry["held_out"]) for entry in entries}
    assert found == {("dejavu", False, False), ("wqy-microhei", True, True)}
    assert f"{len(entries)} faces" in capsys.readouterr().out


def test_a_web_font_becomes_one_that_pillow_opens(system: Path) -> None:
    """A .woff2 is converted to a .ttf with the same characters."""
    latin = system / "system" / "dejavu" / "dejavu.ttf"
    folder = system / "modules" / "@fontsource" / "plain" / "files"
    folder.mkdir(parents=True)
    font = TTFont(latin)
    font.flavor = "woff2"
    font.save(folder / "plain-latin-400-normal.woff2")
    font.close()
    (face,) = fonts._fontsource_faces(system / "modules", system)
    assert face.family == "plain"
    assert face.path.endswith("plain-latin-400-normal.ttf")
    assert fonts.covered(face.path, 0) == fonts.covered(str(latin), 0)
    assert fonts.opened(face.path, 0, 20).getlength("Total") > 20


def test_a_face_without_everyday_letters_is_left_out(
    listing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A font of symbols is left out."""
    path = Path(json.loads(listing.read_text("utf-8"))[0]["path"])
    assert fonts._face(path, 0, "any") is not None
    monkeypatch.setattr(fonts, "covered", lambda _path, _index: frozenset(map(ord, "ABC ☎")))
    assert fonts._face(path, 0, "any") is None


def test_a_crowded_series_is_held_back() -> None:
    """Twenty faces of one series are used a few times as often as one, not twenty times."""
    crowd = [
        fonts.Face("", 0, f"Plain-{number}", chinese=False, held_out=False) for number in range(20)
    ]
    single = fonts.Face("", 0, "Other-Regular", chinese=False, held_out=False)
    _, cumulative = fonts._weighted([*crowd, single])
    alone = cumulative[-1] - cumulative[-2]
    assert 1 < cumulative[-2] / alone < 4


def test_a_design_that_training_has_is_never_held_out() -> None:
    """Neither under another package's name nor as another style; control: some web fonts are."""
    for family in ("dejavu-sans", "tinos", "DejaVuSans-Oblique", "LiberationMono-Italic"):
        assert not fonts._held_out(family)
    assert not "noto-serif-tc".startswith(fonts.HELD_OUT)
    assert fonts._held_out("kreon")
    assert fonts._held_out("zcool-xiaowei")
