"""The directory of a journal: where each file is, who may use it, and on which file systems it may not be.

Several Unix accounts of one group share a directory: it is setgid (2770), and every file is made 0660 by us before
SQLite opens it, because SQLite itself makes 0644 whatever the group needs; its -wal and -shm files then take the mode
of the database, whatever the umask [tested].
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Final

import msgspec

from incident_tui.journal.errors import JournalError, NetworkFilesystem, NotThere, from_os

StrPath = str | os.PathLike[str]

DIRECTORY_MODE: Final = 0o2770
FILE_MODE: Final = 0o660

REFUSED: Final = {
    0x6969: "NFS",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB",
    0x517B: "SMB",
    0x01021997: "9p",
    0x65735546: "FUSE (GlusterFS, sshfs and others)",
    0x5346414F: "AFS",
    0x6B414653: "AFS",
    0x00C36400: "CephFS",
    0x73757245: "Coda",
    0x564C: "NCP",
    0x0BD00BD0: "Lustre",
    0x01161970: "GFS2",
    0x7461636F: "OCFS2",
    0x786F4256: "VirtualBox shared folder",
}
"""f_type of statfs(2): file systems whose locks or shared memory do not work between machines, or vanish with them."""

_BY_NAME: Final = {
    "nfs": 0x6969,
    "nfs4": 0x6969,
    "cifs": 0xFF534D42,
    "smb3": 0xFE534D42,
    "smbfs": 0x517B,
    "9p": 0x01021997,
    "fuse": 0x65735546,
    "fuseblk": 0x65735546,
    "afs": 0x5346414F,
    "ceph": 0x00C36400,
    "coda": 0x73757245,
    "ncpfs": 0x564C,
    "lustre": 0x0BD00BD0,
    "gfs2": 0x01161970,
    "ocfs2": 0x7461636F,
    "vboxsf": 0x786F4256,
}

Statfs = Callable[[str], int]
"""f_type of the file system that holds a path; 0 when it is not known."""


class Place(msgspec.Struct, frozen=True):
    """Where the parts of a journal are. `directory` is absolute."""

    directory: str

    @property
    def journal(self) -> str:
        return self.directory + "/journal.db"

    @property
    def others(self) -> str:
        return self.directory + "/others.db"

    @property
    def board(self) -> str:
        return self.directory + "/board.db"

    @property
    def snapshot(self) -> str:
        return self.directory + "/snapshot.msgpack"

    @property
    def search(self) -> str:
        return self.directory + "/search.db"

    @property
    def yank(self) -> str:
        return self.directory + "/yank"

    @property
    def notify(self) -> str:
        return self.directory + "/notify"

    @property
    def lines(self) -> str:
        return self.directory + "/lines"


def open_place(directory: StrPath, *, create: bool = True, statfs: Statfs | None = None) -> Place:
    """The place at `directory`, made when it is not there.

    Raises NetworkFilesystem, NotThere (also when missing without `create`), ReadOnly or Full.
    """
    path = os.path.abspath(os.path.expanduser(os.fspath(directory)))
    refuse_network(path, statfs or f_type)
    if os.path.isdir(path):
        return Place(path)
    if not create:
        raise NotThere(f"there is no journal at {path}. Name its directory with --journal.", transient=False)
    make_directory(path)
    return Place(path)


def make_directory(path: str, mode: int = DIRECTORY_MODE) -> None:
    """Make `path` with exactly `mode`, whatever the umask. Fine when another process was faster.

    It appears with its rights: another account may look for it at the same moment, and what is made in it before it is
    setgid would belong to the wrong group for ever.
    """
    if os.path.isdir(path):
        return
    fresh = _beside(path)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.mkdir(fresh, 0o700)
        try:
            os.chmod(fresh, mode)
            os.rename(fresh, path)
        except OSError:
            os.rmdir(fresh)
            raise
        sync_directory(os.path.dirname(path))
    except OSError as error:
        if os.path.isdir(path):
            return
        if os.path.exists(path):
            raise NotThere(f"{path} is a file, not a directory. Name another --journal.", transient=False) from None
        raise from_os(error, path) from None


def make_folder(path: str, mode: int = DIRECTORY_MODE) -> None:
    """Make a folder of a journal's directory, and that directory first, so that it never appears with other rights:
    who comes first when several accounts begin at once may only want to say that a screen is open."""
    make_directory(os.path.dirname(path))
    make_directory(path, mode)


def precreate(path: str) -> bool:
    """Make the empty file `path` with mode 0660 and say whether it was made; an existing one is left as it is. It, too,
    appears with its rights.

    It never opens an existing file: closing it would drop this process's own POSIX locks on a database.
    """
    if os.path.exists(path):
        return False
    fresh = _beside(path)
    try:
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            os.fchmod(fd, FILE_MODE)
            _name(fresh, path)
        finally:
            os.close(fd)
            os.unlink(fresh)
    except FileExistsError:
        return False
    except OSError as error:
        raise from_os(error, path) from None
    sync_directory(os.path.dirname(path))
    return True


def _name(fresh: str, path: str) -> None:
    """Give a file its name, unless that exists (FileExistsError)."""
    try:
        os.link(fresh, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):
            raise
        # A file system without hard links, such as VFAT, which knows no accounts either.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))


def _beside(path: str) -> str:
    """A name that no other thread or process uses, in the same directory."""
    return f"{path}.{os.getpid()}-{os.urandom(4).hex()}.new"


def sync_directory(path: str) -> None:
    """Make the names in `path` durable; a new journal must not vanish with the power."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.fsync(fd)
    except OSError:
        return  # some file systems cannot; those that can have done it
    finally:
        os.close(fd)


def refuse_network(path: str, statfs: Statfs) -> None:
    """Raise NetworkFilesystem when `path`, or what exists of it, is on a file system of REFUSED."""
    existing = path
    while not os.path.exists(existing) and existing != "/":
        existing = os.path.dirname(existing)
    name = REFUSED.get(statfs(existing) & 0xFFFFFFFF)
    if name is None:
        return
    raise NetworkFilesystem(
        f"{path} is on {name}, where locks cannot be trusted and which may be down with what you watch. "
        f"Use a local directory, for example --journal {_local_path(statfs)}."
    )


def _local_path(statfs: Statfs) -> str:
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    for candidate in (f"{data}/incident-tui", "/var/lib/incident-tui", f"/var/tmp/incident-tui-{os.getuid()}"):
        existing = candidate
        while not os.path.exists(existing) and existing != "/":
            existing = os.path.dirname(existing)
        if statfs(existing) & 0xFFFFFFFF not in REFUSED and os.access(existing, os.W_OK):
            return candidate
    return f"/var/tmp/incident-tui-{os.getuid()}"


def f_type(path: str) -> int:
    """f_type of the file system that holds `path`, or 0.

    Taken from the kernel's table of mounts, because loading ctypes for statfs(2) would cost a tenth of the start of
    the command line; statfs(2) is asked where that table does not show the device.
    """
    try:
        device = os.stat(path).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:  # 36 35 98:0 /root /mount/point rw,noatime shared:1 - ext3 /dev/root rw
                left, _, right = line.partition(" - ")
                if left.split(" ", 3)[2] == wanted:
                    kind = right.split(" ", 1)[0]
                    return _BY_NAME.get(kind.split(".", 1)[0], 0)
    except (OSError, IndexError):
        pass
    return _statfs(path)


def _statfs(path: str) -> int:
    try:
        import ctypes

        buffer = ctypes.create_string_buffer(512)
        if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(path), buffer) != 0:
            return 0
        return int(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_long))[0])
    except (ImportError, OSError, AttributeError, JournalError):
        return 0
