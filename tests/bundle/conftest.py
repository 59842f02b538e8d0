"""A bundle, built once, and an empty root to run it in: busybox, a few devices, no C library, no Python, no network."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}
LAST_OF_LINUX_3_2 = 311
"""The highest number of a system call of Linux 3.2 on x86-64: process_vm_writev."""

Result = subprocess.CompletedProcess[str]


def refuse_newer_calls() -> Callable[[], None]:
    """What a child does before it starts: every system call that Linux 3.2 did not have is ENOSYS from then on."""
    # struct sock_filter of <linux/filter.h>: load the number; above the last known one jump to "ENOSYS", else allow.
    code = [(0x20, 0, 0, 0), (0x25, 1, 0, LAST_OF_LINUX_3_2), (0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | 38)]
    filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code), ctypes.addressof(filters)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def before() -> None:
        assert filters is not None  # kept alive with this function
        if prctl(38, 1, 0, 0, 0) or prctl(22, 2, program, 0, 0):  # PR_SET_NO_NEW_PRIVS; PR_SET_SECCOMP, its filter mode
            os._exit(99)

    return before


class EmptyRoot:
    """A directory that is a whole machine for what runs in it; each command has namespaces of its own."""

    def __init__(self, directory: Path, bundle: Path) -> None:
        self.directory = directory
        self.cache = directory / "root" / ".cache" / "incident-tui"
        for name in ("bin", "dev", "proc", "root", "tmp", "home"):
            (directory / name).mkdir(parents=True)
            os.chmod(directory / name, 0o755)
        os.chmod(directory, 0o755)
        os.chown(directory / "home", 1000, 1000)
        busybox = shutil.which("busybox")
        if busybox is None or subprocess.run(["ldd", busybox], capture_output=True).returncode == 0:
            pytest.fail("busybox-static is not installed")
        shutil.copy(busybox, directory / "bin" / "busybox")
        subprocess.run(["chroot", str(directory), "/bin/busybox", "--install", "-s", "/bin"], check=True)
        for name, (major, minor) in DEVICES.items():
            os.mknod(directory / "dev" / name, 0o20666, os.makedev(major, minor))
            os.chmod(directory / "dev" / name, 0o666)
        os.link(bundle, directory / "incident-tui")

    def start(self, script: str, *, old_kernel: bool = False, account: int = 0) -> subprocess.Popen[str]:
        """`script` for its sh, without any network but loopback. `account` other than root has /home and no /proc."""
        if account == 0:
            script = f"mount -t proc proc /proc; ip link set lo up; {script}"
        return subprocess.Popen(
            [
                "unshare",
                "-n",
                "-m",
                "chroot",
                f"--userspec={account}:{account}",
                self.directory,
                "/bin/sh",
                "-c",
                script,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"HOME": "/home" if account else "/root", "LOGNAME": "who", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            preexec_fn=refuse_newer_calls() if old_kernel else None,
        )

    def run(self, script: str, *, old_kernel: bool = False, account: int = 0) -> Result:
        process = self.start(script, old_kernel=old_kernel, account=account)
        try:
            out, err = process.communicate(timeout=240)
        finally:
            process.kill()
        return Result(script, process.returncode, out, err)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that `make bundle` makes."""
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("this test must run as root in CI")
        pytest.skip("needs root: it changes the root directory")
    directory = tmp_path_factory.mktemp("dist")
    build = [sys.executable, str(ROOT / "bundle" / "build.py"), str(directory)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = directory.iterdir()
    assert f"{file}: " in done.stdout and "Needs Linux 3.2 or later" in done.stdout
    return file


@pytest.fixture
def empty_root(bundle: Path, tmp_path: Path) -> EmptyRoot:
    return EmptyRoot(tmp_path / "root", bundle)
