"""scripts/keys as a function: what it prints, and its exit status."""

import contextlib
import io
from pathlib import Path
from unittest import mock

import pytest

from scripts import keys


def invoke(settings: Path, *arguments: object, typed: str = "") -> tuple[str, str, object]:
    """Return standard output, standard error and the exit status of a run."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["keys", *map(str, arguments)]
    with (
        mock.patch.dict("os.environ", {"OCR_SETTINGS": str(settings)}),
        mock.patch("sys.argv", argv),
        mock.patch("sys.stdin", io.StringIO(typed)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        keys.main()
    return out.getvalue(), err.getvalue(), ended.value.code
