"""Amend, strike, pin, undo: entries about entries. Nothing is changed in place; each says what it did."""

from __future__ import annotations

from typing import Any

from incident_tui.desk.scene import No, Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident.entry import MACHINE_KINDS, Entry, Kind
from incident_tui.incident.said import same

CORRECTIONS = frozenset({Kind.AMEND, Kind.STRIKE, Kind.PIN, Kind.PURGE})


def target(handle: str, scene: Scene, verb: str) -> Entry:
    """The entry a correction is about: named, or the last of mine that is no correction."""
    if handle:
        return scene.find(handle)
    if scene.unsaved:
        raise No("Your last entry is not saved yet: wait, or name one by its handle.")
    for ref in reversed(scene.mine):
        entry = scene.fold.get(ref)
        if entry is not None and entry.kind not in CORRECTIONS:
            return entry
    raise No(f"You have made no entry in this session: name one, /{verb} a17.")


def amend(parsed: m.Amend, scene: Scene) -> Order:
    entry = target(parsed.handle, scene, "amend")
    handle = scene.handle(entry.id)
    if entry.archive:
        raise No(f"The text of {handle} is in the archive {entry.archive}: incident-tui import brings it back.")
    if entry.purged:
        raise No(f"The text of {handle} was destroyed; write a new entry.")
    if entry.kind in CORRECTIONS and entry.ref is not None:
        raise No(f"{handle} is a correction: amend {scene.handle(entry.ref)} again instead.")
    if entry.kind in MACHINE_KINDS:
        raise No(f"{handle} was written by the watch: strike it, or add a note.")
    data: dict[str, Any] = {}
    if parsed.text:
        data["text"] = parsed.text
    if parsed.at is not None:
        data["at"] = parsed.at.isoformat()
    draft = scene.draft(Kind.AMEND, "", scene.now, data, ref=entry.id, incident=entry.incident)
    return Order((draft,), notice=f"{handle} amended; it was: {_quote(entry, scene)}")


def _quote(entry: Entry, scene: Scene) -> str:
    row = scene.fold.row(entry.id)
    text = row.text if row is not None else entry.text
    word = f"{row.word} " if row is not None else ""
    return f"{word}{text if len(text) <= 60 else text[:59] + '…'}"


def strike(entry: Entry, scene: Scene) -> Order:
    handle = scene.handle(entry.id)
    if entry.kind in (Kind.STRIKE, Kind.PURGE) and entry.ref is not None:
        raise No(
            f"{handle} is a {entry.kind.value} of {scene.handle(entry.ref)}: /strike that one again to restore it."
        )
    row = scene.fold.row(entry.id)
    in_force = row is None or not row.struck
    step = "strike" if in_force else "restore"
    draft = scene.draft(Kind.STRIKE, "", scene.now, {"step": step}, ref=entry.id, incident=entry.incident)
    return Order((draft,), notice=f"{handle} {'struck' if in_force else 'restored'}: {_quote(entry, scene)}")


def pin(entry: Entry, scene: Scene) -> Order:
    """Pin, or unpin what is pinned."""
    row = scene.fold.row(entry.id)
    step = "unpin" if row is not None and row.pinned else "pin"
    draft = scene.draft(Kind.PIN, "", scene.now, {"step": step}, ref=entry.id, incident=entry.incident)
    return Order((draft,), notice=f"{scene.handle(entry.id)} {step}ned: {_quote(entry, scene)}")


def undo(handle: str, scene: Scene) -> Order:
    if handle:
        entry = scene.find(handle)
        if not same(entry.author.name, scene.me) or entry.author.account != scene.author.account:
            raise No(f"{handle} is {entry.author.name}'s: /strike {handle} strikes it out, visibly.")
    else:
        if scene.unsaved:
            raise No("Your last entry is not saved yet, so there is nothing to undo.")
        entry = _last_undoable(scene)
    name = scene.handle(entry.id)
    if entry.kind is Kind.PURGE:
        raise No("A purge cannot be undone.")
    if entry.kind is Kind.STRIKE and entry.ref is not None:
        step = "strike" if entry.data.get("step") == "restore" else "restore"
        draft = scene.draft(Kind.STRIKE, "", scene.now, {"step": step}, ref=entry.ref, incident=entry.incident)
        struck = scene.fold.get(entry.ref)
        about = _quote(struck, scene) if struck is not None else scene.handle(entry.ref)
        return Order((draft,), notice=f"Undone {name}: {scene.handle(entry.ref)} {step}d: {about}")
    row = scene.fold.row(entry.id)
    if row is not None and row.struck:
        raise No(f"{name} is struck out already.")
    draft = scene.draft(Kind.STRIKE, "", scene.now, {"step": "strike"}, ref=entry.id, incident=entry.incident)
    notice = f"Undone {name}: {_quote(entry, scene)}"
    if entry.kind is Kind.UPDATE and entry.data.get("step") == "posted":
        notice += " What was already posted stays posted: send a correction."
    return Order((draft,), notice=notice, choose="" if entry.kind is Kind.DECLARE else None)


def _last_undoable(scene: Scene) -> Entry:
    """The last of mine in this session that is neither struck nor itself an undo."""
    for ref in reversed(scene.mine):
        entry, row = scene.fold.get(ref), scene.fold.row(ref)
        if entry is None or row is None or row.struck or entry.kind in (Kind.STRIKE, Kind.PURGE):
            continue
        return entry
    raise No("There is nothing of yours in this session to undo.")
