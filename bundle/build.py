"""Build incident-tui as one file that runs on Linux machines without Python and without a package index.

    python bundle/build.py [DIRECTORY]

Writes DIRECTORY/incident-tui-VERSION-ARCH (default: dist) and prints what it needs. The file is `launch.sh` and a
tar.gz after it: this interpreter with its standard library, the program and what pip installs with it (the versions of
requirements-ci.txt), and every shared library that these load, the C library and its loader among them. So the C
library of the machine where it runs does not matter, not even whether there is one; what remains is the kernel that
the carried C library asks for, which is read from its ABI note and checked when the file unpacks itself.
"""

from __future__ import annotations

import compileall
import gzip
import hashlib
import io
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import NoteSection

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
LEFT_OUT: Final = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "sitecustomize.py", "EXTERNALLY-MANAGED", "config-3*", "test",
    "tests", "idlelib", "tkinter", "turtledemo", "turtle.py", "lib2to3", "ensurepip", "venv", "pydoc_data", "distutils",
    "_test*", "_ctypes_test*", "_tkinter*", "_xx*", "xxlimited*", "nis.*", "ossaudiodev.*", "libpython*",
)  # fmt: skip
"""Of the standard library: what is for developers, for other systems, or another program's."""

BESIDE_LIBC: Final = ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
"""What the C library loads by name when it must: no file lists these as needed."""


def main() -> int:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "dist")
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc" or shutil.which("ldd") is None:
        print("a bundle is built on Linux with the GNU C library and its ldd", file=sys.stderr)
        return 2
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with tempfile.TemporaryDirectory(prefix="incident-tui-bundle-") as scratch:
        stage = Path(scratch) / "stage"
        lay_python(stage)
        install_program(stage)
        loader = lay_libraries(stage)
        needed, carried = versions(stage / "lib")
        if needed > carried:
            print(f"its files need glibc {dotted(needed)}, and {dotted(carried)} is carried", file=sys.stderr)
            return 1
        kernel = oldest_kernel(stage / "lib" / "libc.so.6")
        compile_all(stage)
        wrapper = stage / "bin" / "python3"
        wrapper.write_text((HERE / "python.sh").read_text().replace("@LOADER@", loader))
        wrapper.chmod(0o755)
        size = sum(path.stat().st_size for path in stage.rglob("*") if path.is_file())
        payload = archive(stage)
    facts = {
        "VERSION": version,
        "ARCH": platform.machine(),
        "LOADER": loader,
        "MAJOR": str(kernel[0]),
        "MINOR": str(kernel[1]),
        "KIB": str(size * 5 // 4 // 1024),  # the archive's own blocks and a file's last block are not counted above
        "ID": f"{version}-{hashlib.sha256(payload).hexdigest()[:12]}",
    }
    target.mkdir(parents=True, exist_ok=True)
    file = target / f"incident-tui-{version}-{platform.machine()}"
    file.write_bytes(launcher(facts) + payload)
    file.chmod(0o755)
    print(
        f"{file}: {file.stat().st_size / 1e6:.1f} MB, {size / 1e6:.0f} MB unpacked. Needs Linux {dotted(kernel)} or "
        f"later on {platform.machine()}, sh, tar, gzip and a directory where programs may run; no C library: its files "
        f"need glibc {dotted(needed)}, {dotted(carried)} is in it."
    )
    return 0


def launcher(facts: dict[str, str]) -> bytes:
    """`launch.sh` with `facts` in it, and with the number of its first byte after itself."""
    text = (HERE / "launch.sh").read_text()
    for name, value in facts.items():
        text = text.replace(f"@{name}@", value)
    blank = text.replace("@OFFSET@", "0" * 8).encode()
    return text.replace("@OFFSET@", f"{len(blank) + 1:08}").encode()


def lay_python(stage: Path) -> None:
    """The interpreter and its standard library, where it finds them by its own place."""
    # Paths of this interpreter itself, not of the virtual environment it is called from.
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix, "base": sys.base_prefix}))
    inside = stage / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(library, inside, ignore=LEFT_OUT)
    (stage / "bin").mkdir()
    shutil.copy(os.path.realpath(sys.executable), stage / "bin" / "python")


def install_program(stage: Path) -> None:
    """incident-tui and what it depends on, beside the standard library: no search path has to be told."""
    inside = next((stage / "lib").glob("python3.*"))
    packages = stage.parent / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    pip += ["--no-warn-script-location", "--target", str(packages), "-c", str(ROOT / "requirements-ci.txt"), str(ROOT)]
    done = subprocess.run(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}pip could not fetch or build a package; check the network and build again")
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for one in packages.iterdir():
        if (inside / one.name).exists():
            sys.exit(f"{one.name} is both in the standard library and installed; one would hide the other")
        shutil.move(one, inside / one.name)


def lay_libraries(stage: Path) -> str:
    """Every library that a file of `stage` loads, into its lib; returns the name of the loader."""
    lib, loader = stage / "lib", ""
    for path in list(elf_files(stage)):
        said = subprocess.run(["ldd", str(path)], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
        if "not found" in said.stdout:
            sys.exit(f"{path.relative_to(stage)} needs what is not here:\n{said.stdout}")
        for name, found in re.findall(r"^\s*(?:(\S+) => )?(/\S+) \(0x", said.stdout, re.MULTILINE):
            if Path(found).is_relative_to(stage):
                continue  # a wheel's own, which it finds by its own place
            name = name or os.path.basename(found)
            if os.path.basename(name).startswith("ld-linux"):
                loader = name = os.path.basename(name)
            if not (lib / name).exists():
                shutil.copy(os.path.realpath(found), lib / name)
                if name == "libc.so.6":
                    for more in BESIDE_LIBC:
                        beside = Path(found).with_name(more)
                        if beside.exists() and not (lib / more).exists():
                            shutil.copy(os.path.realpath(beside), lib / more)
    if not loader or not (lib / "libc.so.6").exists():
        sys.exit("the C library of this machine and its loader were not found by ldd")
    (lib / loader).chmod(0o755)
    return loader


def elf_files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def versions(lib: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The newest glibc that any file of the bundle asks for by its symbols, and the one that is carried."""
    needed: tuple[int, ...] = (0,)
    for path in elf_files(lib.parent):
        with path.open("rb") as file:
            for section in ELFFile(file).iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for _, names in section.iter_versions():
                        for one in names:
                            found = re.fullmatch(r"GLIBC_([0-9.]+)", one.name)
                            if found:
                                needed = max(needed, tuple(int(part) for part in found.group(1).split(".")))
    said = re.findall(rb"GNU C Library [^\n]*version ([0-9]+)\.([0-9]+)", (lib / "libc.so.6").read_bytes())
    if not said:
        sys.exit("the version of the C library is not in it")
    return needed, (int(said[0][0]), int(said[0][1]))


def oldest_kernel(libc: Path) -> tuple[int, int]:
    """The Linux that this C library was built to run on, from its note NT_GNU_ABI_TAG (major, minor)."""
    with libc.open("rb") as file:
        for section in ELFFile(file).iter_sections():
            if isinstance(section, NoteSection):
                for note in section.iter_notes():
                    if note["n_type"] == "NT_GNU_ABI_TAG":
                        return int(note["n_desc"]["abi_major"]), int(note["n_desc"]["abi_minor"])
    sys.exit("the C library does not say which kernel it needs")


def compile_all(stage: Path) -> None:
    """Byte code beside each module, taken as it is: the times of unpacked files mean nothing."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    inside = next((stage / "lib").glob("python3.*"))
    compileall.compile_dir(inside, quiet=2, invalidation_mode=mode, stripdir=str(stage), workers=1)


def archive(stage: Path) -> bytes:
    """tar.gz of `stage`, the same bytes for the same files; its last member says that all before it arrived."""
    whole = io.BytesIO()
    with gzip.GzipFile(fileobj=whole, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(stage.rglob("*")):
            tar.add(path, str(path.relative_to(stage)), recursive=False, filter=plain)
        tar.addfile(tarfile.TarInfo("complete"))
    return whole.getvalue()


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without who built it and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = "root"
    return member


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


if __name__ == "__main__":
    raise SystemExit(main())
