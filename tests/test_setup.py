"""`make demo` and `make test` fail with one clear sentence where something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")

NO_VENV = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec {python} "$@"\n'
OLD = '#!/bin/sh\ncase "$*" in *version_info*) exit 1;; *--version*) echo Python 3.9.2;; esac\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What make needs of the tree, and nothing of a former install."""
    target = tmp_path / "tree"
    target.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements-ci.txt", "README.md", "LICENSE", "config.toml"):
        shutil.copy(ROOT / name, target)
    shutil.copytree(ROOT / "playbooks", target / "playbooks")
    shutil.copytree(ROOT / "incident_tui", target / "incident_tui", ignore=shutil.ignore_patterns("__pycache__"))
    return target


def make(checkout: Path, *words: str, **more: str) -> str:
    """What make prints when it fails, less its own last line."""
    keep = ("PATH", "HOME", "LANG")
    environment = {name: value for name, value in os.environ.items() if name in keep} | more
    done = subprocess.run(["make", *words], cwd=checkout, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def stand_in(directory: Path, text: str) -> str:
    path = directory / "python"
    path.write_text(text.format(python=sys.executable))
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("target", ["demo", "test"])
def test_no_venv_module(checkout: Path, tmp_path: Path, target: str) -> None:
    said = make(checkout, target, f"PYTHON={stand_in(tmp_path, NO_VENV)}")
    assert "has no venv module" in said and "apt install python3-venv" in said


def test_no_python_and_too_old_a_python(checkout: Path, tmp_path: Path) -> None:
    assert "is not installed" in make(checkout, "demo", "PYTHON=/nonexistent/python3")
    assert "3.11 or later is needed" in make(checkout, "test", f"PYTHON={stand_in(tmp_path, OLD)}")


def test_no_network(checkout: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}
    said = make(checkout, "demo", f"PYTHON={sys.executable}", **nowhere)
    assert "check the network" in said and "install.log" in said
    assert "No matching distribution" in (checkout / ".venv" / "install.log").read_text()
    assert "check the network" in make(checkout, "demo", f"PYTHON={sys.executable}", **nowhere), "and again"
