"""What an SSH server offers, read from its first packet (RFC 4253, sections 4.2, 6 and 7.1), without logging in.

A server with which we share no algorithm hangs up, and its hang-up (a reset) may overtake its list of algorithms: then
asyncssh can only say that the connection was lost. A server sends the list unasked, so that this asks for nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

_KEXINIT = 20
_VERSION = b"SSH-2.0-incident-tui\r\n"
_LARGEST = 65_536
Lists = tuple[tuple[str, ...], ...]
"""The name lists of KEXINIT in their order: kex, host key, cipher to and from, MAC to and from, …"""


async def offered(address: str, port: int, seconds: float) -> Lists | None:
    """The server's lists; None when it did not send them within `seconds`."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(_VERSION)
            for _ in range(50):  # lines may stand before the version
                if (await reader.readline()).startswith(b"SSH-"):
                    break
            length = int.from_bytes(await reader.readexactly(4))
            return parse(await reader.readexactly(length)) if length <= _LARGEST else None
    except (OSError, EOFError, ValueError, TimeoutError):
        return None
    finally:
        if writer is not None:
            writer.transport.abort()


def parse(packet: bytes) -> Lists | None:
    """The name lists of an unencrypted KEXINIT packet (without its length); None for anything else."""
    payload = packet[1 : len(packet) - packet[0]] if packet else b""
    if len(payload) < 17 or payload[0] != _KEXINIT:
        return None
    lists: list[tuple[str, ...]] = []
    position = 17
    for _ in range(6):
        size = int.from_bytes(payload[position : position + 4])
        names = payload[position + 4 : position + 4 + size]
        if position + 4 + size > len(payload):
            return None
        lists.append(tuple(names.decode("ascii", "replace").split(",")))
        position += 4 + size
    return tuple(lists)


def shares(theirs: Lists, kex: Sequence[bytes], ciphers: Sequence[bytes], macs: Sequence[bytes]) -> bool:
    """Whether both sides know a key exchange, a cipher and a MAC. A cipher that is its own MAC needs none."""
    both = [
        {name.decode() for name in ours} & set(theirs[which]) for ours, which in ((kex, 0), (ciphers, 2), (macs, 4))
    ]
    whole = any(word in name for name in both[1] for word in ("gcm@", "poly1305"))
    return bool(both[0] and both[1] and (both[2] or whole))
