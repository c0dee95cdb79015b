"""A Chromium that trusts one CA, and verifies every certificate."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright


@contextmanager
def chromium_trusting(authority: Path, home: Path) -> Iterator[Browser]:
    """Start the machine's Chromium with its home, and so its store of certificates, in `home`."""
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for arguments in (
        ("-N", "--empty-password"),
        ("-A", "-t", "C,,", "-n", "authority", "-i", str(authority)),
    ):
        subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
            env={**os.environ, "HOME": str(home)},
        )
        yield browser
        browser.close()
