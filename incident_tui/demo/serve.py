"""The process that plays the demo's machines: `python -m incident_tui.demo.serve DIR`.

DIR gets keys, scratch roots, config.toml for the machines it serves, chat.txt with what reached the chat, and `ready`
once everything listens. It reads the demo's journal for actions, because what people say they did is what happens.
It ends with its parent, on SIGTERM, or when DIR/stop appears.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from incident_tui.demo.peers import EmbeddedPeer, install_programs, make_keys
from incident_tui.demo.scenario import Scenario, build, happen, load, repairs
from incident_tui.demo.tree import Tree
from incident_tui.demo.web import Web
from incident_tui.incident.entry import Kind
from incident_tui.journal.errors import JournalError
from incident_tui.journal.store import Store

_TICK: Final = 0.5
_STEP: Final = 1.0


class Endpoints(msgspec.Struct, frozen=True):
    """Where the demo listens; DIR/ready is this as JSON."""

    ports: dict[str, int]
    web: int
    identity_file: str
    known_hosts: str


class Play:
    """One running scenario."""

    def __init__(self, directory: Path, scenario: Scenario, speed: float) -> None:
        self.directory = directory
        self.scenario = scenario
        self.speed = speed
        self.world = build(scenario, datetime.now(UTC))
        self.elapsed = 0.0
        self._due = sorted(scenario.events, key=lambda event: event.at)
        self._trees = {name: Tree(directory / "machines" / name) for name in self.world.peers}
        self._peers: dict[str, EmbeddedPeer] = {}
        self._web = Web(self.world.site_status, self._chat)
        self._journal: Store | None = None
        self._seen = 0

    async def start(self) -> None:
        programs = install_programs(self.directory)
        identity, host_key = make_keys(self.directory)
        for name, tree in self._trees.items():
            tree.write(self.world, self.world.peers[name])
            peer = EmbeddedPeer(name, tree.root, programs, host_key, identity.with_suffix(".pub"))
            await peer.start()
            self._peers[name] = peer
        await self._web.start()
        public = host_key.export_public_key().decode().split()
        known = self.directory / "known_hosts"
        known.write_text("".join(f"[127.0.0.1]:{peer.port} {public[0]} {public[1]}\n" for peer in self._peers.values()))
        endpoints = Endpoints(
            {name: peer.port for name, peer in self._peers.items()}, self._web.port, str(identity), str(known)
        )
        fresh = self.directory / "ready~"
        fresh.write_bytes(msgspec.json.encode(endpoints))
        os.replace(fresh, self.directory / "ready")

    async def run(self) -> None:
        """Plays until it is cancelled."""
        parent = os.getppid()
        loop = asyncio.get_running_loop()
        last = loop.time()
        while os.getppid() == parent and not (self.directory / "stop").exists():
            await asyncio.sleep(_TICK)
            now = loop.time()
            self._advance((now - last) * self.speed)
            last = now
            for name, peer in self._peers.items():
                self._trees[name].write(self.world, self.world.peers[name])
                if peer.reachable != self.world.peers[name].reachable:
                    await (peer.stop() if peer.reachable else peer.start())

    async def stop(self) -> None:
        for peer in self._peers.values():
            await peer.stop()
        await self._web.stop()
        if self._journal is not None:
            self._journal.close()

    def _advance(self, seconds: float) -> None:
        for tree in self._trees.values():
            for line in tree.requests():
                happen(self.world, line)
        for line in self._actions():
            happen(self.world, line)
        while seconds > 0:  # in small steps, so that a fast demo takes the same course as a slow one
            step = min(_STEP, seconds)
            seconds -= step
            self.elapsed += step
            while self._due and self._due[0].at <= self.elapsed:
                happen(self.world, self._due.pop(0).do)
            self.world.tick(step)

    def _actions(self) -> list[str]:
        """What people logged as actions or decisions since the last tick, as repairs."""
        try:
            if self._journal is None:
                self._journal = Store.open(self.directory / "journal", create=False)
            entries = self._journal.read(self._seen)
        except JournalError:
            return []
        found: list[str] = []
        for entry in entries:
            self._seen = max(self._seen, entry.seq)
            if entry.kind in (Kind.ACTION, Kind.DECISION):
                found += repairs(self.world, entry.text)
        return found

    def _chat(self, said: str) -> None:
        with (self.directory / "chat.txt").open("a", encoding="utf-8") as chat:
            chat.write(f"{datetime.now(UTC):%H:%M:%SZ} {said}\n")


async def _serve(directory: Path, scenario: str, speed: float) -> None:
    play = Play(directory, load(scenario), speed)
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        await play.start()
        await play.run()
    finally:
        await play.stop()


def main(argv: list[str]) -> int:
    directory, scenario, speed = Path(argv[0]), argv[1], float(argv[2])
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_serve(directory, scenario, speed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
