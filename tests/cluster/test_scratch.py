"""The folders of workers: what a killed one has left is removed, and nothing else."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster.scratch import private_directory

ROOT = Path(__file__).parents[2]
HOLDS = """
import sys
from pathlib import Path
from cluster.scratch import private_directory
with private_directory(Path(sys.argv[1])) as made:
    print(made, flush=True)
    sys.stdin.read()
"""


def _worker(place: Path) -> tuple["subprocess.Popen[str]", Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(place)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def _end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_what_a_killed_worker_has_left_is_removed(tmp_path: Path) -> None:
    """Not a living one's folder, nor what a link with such a name points to, nor another user's."""
    killed, left = _worker(tmp_path)
    living, used = _worker(tmp_path)
    others, target = tmp_path / "sealed-ocr-cluster-others", tmp_path / "target"
    target.mkdir()
    (target / "file").touch()
    (tmp_path / "sealed-ocr-cluster-link").symlink_to(target)
    if os.geteuid() == 0:
        others.mkdir()
        os.chown(others, 65534, 65534)
    try:
        (left / "dask-scratch-space").mkdir()
        _end(killed)
        assert left.is_dir()
        with private_directory(tmp_path) as made:
            assert not left.exists()
            assert {Path(made), used} <= {*tmp_path.iterdir()}
            assert Path(made).stat().st_mode & 0o777 == 0o700
        assert not Path(made).exists()
        assert used.is_dir()
        assert (target / "file").exists()
        assert others.exists() is (os.geteuid() == 0)
    finally:
        _end(living)


def test_workers_that_start_together_keep_their_folders(tmp_path: Path) -> None:
    """One that has made its folder, and not yet locked it, makes another one if it is removed."""

    def start(_number: int) -> bool:
        with private_directory(tmp_path) as made:
            (Path(made) / "used").touch()
            return (Path(made) / "used").exists()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(start, range(400)))
    assert [*tmp_path.iterdir()] == []
