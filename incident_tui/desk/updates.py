"""Updates to several audiences, and first versions of them: parsed lines -> drafts of entries, or lines to edit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from incident_tui.desk import outcome as o
from incident_tui.desk.coordination import usual_minutes
from incident_tui.desk.scene import Order, Scene
from incident_tui.incident import meanings as m
from incident_tui.incident.entry import Draft, Kind


def order(parsed: m.Update | m.DraftUpdate, scene: Scene) -> Order:
    """Raises No."""
    if isinstance(parsed, m.DraftUpdate):
        return _drafted(parsed, scene)
    scene.needed()
    made = tuple(_posted(parsed, audience, scene) for audience in parsed.audiences)
    if parsed.next_minutes:
        return Order(made)
    ask = " ".join(f"/next {usual_minutes(audience, scene)}m {audience}" for audience in parsed.audiences[:1])
    who = " and ".join(parsed.audiences)
    return Order(made, notice=f"When will {who} hear again? {ask} promises it.")


def _posted(parsed: m.Update, audience: str, scene: Scene) -> Draft:
    data: dict[str, Any] = {"step": "posted", "audience": audience}
    if parsed.next_minutes:
        data["next"] = (parsed.at + timedelta(minutes=parsed.next_minutes)).isoformat()
    return scene.draft(Kind.UPDATE, parsed.text, parsed.at, data)


def _drafted(parsed: m.DraftUpdate, scene: Scene) -> Order:
    from incident_tui.incident.update_draft import draft  # only who asks for one pays

    incident = scene.needed()
    lines = tuple(
        f"/update {audience} +{parsed.next_minutes or usual_minutes(audience, scene)}m "
        f"{draft(incident, audience, scene.now)}"
        for audience in parsed.audiences
    )
    return Order(effect=o.OfferLines(lines))
