"""Updates: to several audiences at once, and first versions in words that fit each of them."""

from __future__ import annotations

from typing import Any

import pytest

from incident_tui.desk import outcome as o
from incident_tui.incident.meanings import DraftUpdate, Update
from incident_tui.incident.update_draft import MOST, draft


@pytest.fixture
def outage(bench: Any) -> Any:
    bench.saved("/declare /sev 2 gv0 split-brain on web3")
    bench.clock.forward(minutes=5)
    return bench


def drafted(bench: Any, audience: str) -> str:
    return draft(bench.incident, audience, bench.clock.now)


def public(bench: Any, line: str) -> Any:
    return bench.desk.answer(bench.say(line).question.token, "public").saving.result()


def test_one_line_to_two_audiences_is_an_update_of_each(outage: Any) -> None:
    meaning = outage.desk.meaning("/update public,exec +20m Two sites are slow")
    assert isinstance(meaning, Update) and meaning.audiences == ("public", "exec")
    asked = outage.say("/update public,exec +20m Two sites are slow")
    assert "PUBLIC will read" in asked.question.sentence and "exec" in asked.question.sentence
    entries = outage.desk.answer(asked.question.token, "public").saving.result()
    assert [(entry.data["audience"], entry.text) for entry in entries] == [
        ("public", "Two sites are slow"),
        ("exec", "Two sites are slow"),
    ]
    assert set(outage.incident.next_update) == {"public", "exec"}
    assert [entry.text for entry in outage.saved("/update internal,notes are words")] == ["internal,notes are words"]


def test_an_update_without_a_promise_asks_for_the_next_one(outage: Any) -> None:
    assert "/next 30m exec" in outage.say("/update exec x").notice.replace("60m", "30m")
    assert outage.say("/update exec +20m x").notice == ""


def test_without_text_each_audience_gets_a_draft_with_its_usual_time(outage: Any) -> None:
    assert isinstance(outage.desk.meaning("/update public,internal"), DraftUpdate)
    said = outage.say("/update public,internal")
    assert said.saving is None and isinstance(said.effect, o.OfferLines)
    first, second = said.effect.lines
    assert first.startswith("/update public +30m ") and second.startswith("/update internal +")
    assert outage.say("/update exec +45m").effect.lines[0].startswith("/update exec +45m ")
    # What is drafted is a line that can be entered as it stands.
    assert isinstance(outage.desk.meaning(second), Update)


def test_there_is_no_draft_without_an_incident(bench: Any) -> None:
    assert "/declare" in bench.refused("/update")


def test_the_team_reads_what_was_done_since_the_last_update(outage: Any) -> None:
    outage.saved("! stopped the heal on gv0")
    outage.clock.forward(minutes=1)
    outage.saved("/update +20m we compare copies")
    outage.clock.forward(minutes=1)
    outage.saved("! restarted glusterd on web3")
    outage.saved("d: serve gv0 from web1")
    outage.saved("/sev 1 data at risk")
    outage.saved("a note that is nobody's business")
    outage.saved("/assign bob 5m compare both copies")
    said = drafted(outage, "internal")
    assert "Since 14:06Z:" in said and "restarted glusterd on web3" in said
    assert "decision serve gv0 from web1" in said and "SEV1 (was SEV2): data at risk" in said
    assert "Open: bob: compare both copies." in said
    assert "stopped the heal" not in said and "nobody's business" not in said


def test_the_public_reads_no_name_of_a_host_a_person_or_a_volume(outage: Any) -> None:
    for line in ("! restarted glusterd on web3", "d: serve gv0 from web1", "/sev 1 web3 is dead", "/assign bob 5m gv0"):
        outage.saved(line)
    outage.saved("/status mitigating serving gv0 from web1")
    outage.saved("/ms mitigated")
    said = drafted(outage, "public")
    assert said == "We are working on a problem with our services. Mitigated at 14:06Z."
    public(outage, f"/update public +20m {said}")
    outage.clock.forward(minutes=30)
    assert drafted(outage, "public") == "No change since 14:06Z. We are working on a problem with our services."
    outage.saved("/status resolved gv0 is whole")
    assert drafted(outage, "public") == "The problem with our services is over."


def test_the_management_reads_where_it_stands_and_what_was_decided(outage: Any) -> None:
    outage.saved("! restarted glusterd on web3")
    outage.saved("d: serve gv0 from web1")
    outage.saved("/engage hosting company #48213 30m power at rack 4?")
    said = drafted(outage, "exec")
    assert said.startswith("SEV2 gv0 split-brain on web3: declared, open for 5 min, incident commander ana.")
    assert "decision serve gv0 from web1" in said and "hosting company" in said and "glusterd" not in said


def test_a_struck_entry_is_not_told(outage: Any) -> None:
    outage.saved("! rebooted the wrong machine")
    outage.saved("/undo")
    assert "wrong machine" not in drafted(outage, "internal")


def test_a_long_outage_makes_a_short_draft_with_the_newest_and_a_count(outage: Any) -> None:
    for number in range(60):
        outage.saved(f"! step {number} of a long repair on web3")
    said = drafted(outage, "internal")
    assert len(said) <= MOST and "step 59" in said and "step 1 " not in said and "more before." in said
