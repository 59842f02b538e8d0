"""The shipped templates, the team's own, what they can print, and what a mistake in one says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from incident_tui.cli import main
from incident_tui.incident.entry import Kind
from incident_tui.incident.views import Incident
from incident_tui.report.escape import Shown
from incident_tui.report.fields import fields, structures
from incident_tui.report.markdown import make, render
from incident_tui.report.source import Facts, Style
from incident_tui.report.template import SHIPPED, SUFFIX, TEMPLATES, BrokenTemplate, Templates
from tests.report.test_golden import over_midnight, rich


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("fill", [rich, over_midnight, lambda story: None], ids=["rich", "midnight", "nothing"])
def test_each_shipped_template_is_well_formed_and_merges(
    name: str, fill: Callable[[Any], None], story: Any, well_formed: Callable[[str], Any]
) -> None:
    fill(story)
    report = render(story.source(), style=Style(template=name))
    well_formed(report)
    edited = report + "\nA sentence of ours.\n"
    merged = make(story.source(), style=Style(template=name), old=edited).text
    assert merged.rstrip().endswith("A sentence of ours.") and "Conflict" not in merged


def test_shipped_are_those_in_the_directory() -> None:
    here = {path.name.removesuffix(SUFFIX) for path in TEMPLATES.glob("*" + SUFFIX)}
    parts = {"handoff", "head", "legend", "line", "question", "spells", "standing", "statements", "waiting"}
    assert here == set(SHIPPED) | parts


def test_the_public_statement_holds_nothing_internal(story: Any) -> None:
    rich(story)
    report = render(story.source(), style=Style(template="public"))
    assert "We are repairing storage." in report and "2026-11-23 14:12:00Z" in report
    said = report.split("\n", 1)[1]
    handles = {match for match in re.findall(r"\ba\d+\b", said)}
    assert not handles
    for internal in (
        "ana",
        "bob",
        "dan",
        "web1",
        "web2",
        "web3",
        "gv0",
        "gluster",
        "heal",
        "split-brain",
        "SEV",
        "phone",
    ):
        assert not re.search(rf"\b{internal}", said), internal


def test_a_template_of_the_team(story: Any, tmp_path: Path) -> None:
    story.declare()
    (tmp_path / "ours.md.j2").write_text('{% call machine("x") %}\n{{ facts.incident.id }}\n{% endcall %}\n')
    (tmp_path / "page.md.j2").write_text("ours: {% include 'section/roles.md.j2' %}")
    by_name = render(story.source(), style=Style(template="ours", directory=str(tmp_path)))
    by_file = render(story.source(), style=Style(template=str(tmp_path / "ours.md.j2")))
    assert by_name == by_file and "\nINC-1\n" in by_name
    assert "| commander | ana |" in render(story.source(), style=Style(directory=str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("one\n{{ facts.nothing }}", 2, "has no attribute 'nothing'"),
        ("one\n\n{% if %}", 3, "Expected an expression"),
        ("{{ facts.incident.id }}\n{{ nobody }}", 2, "'nobody' is undefined"),
        ("{% for x in facts.days %}\n{{ x", 2, ""),
        ("\n{{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("\n{{ facts.generated_at.__class__ }}", 2, "unsafe"),
        ("\n{{ cycler.__init__.__globals__ }}", 2, "unsafe"),
        ("\n{{ facts.days.__class__.__base__.__subclasses__() }}", 2, ""),
        ("\n{{ machine.__globals__ }}", 2, "unsafe"),
        ("\n{{ lipsum.__globals__ }}", 2, "unsafe"),
        ("\n{{ (facts.commands|map(attribute='__class__')|list)[0] }}", 2, ""),
        ("\n{{ '%c'|format(1)|attr('__class__') }}", 2, ""),
        ("\n{{ '{0.__class__}'.format(facts) }}", 2, ""),
        ("\n{{ '{a.__class__}'.format_map({'a': facts}) }}", 2, ""),
        ("\n{% set x = facts.incident.roles.update({}) %}", 2, "unsafe"),
        ("\n{% for x in range(999999999) %}{% endfor %}", 2, "big"),
        ("\n{{ 1 // 0 }}", 2, "zero"),
        ("\n{{ facts.days[999] }}", 2, ""),
        ("\n{% include '../../../../../../etc/passwd' %}", 2, "there is no template"),
        ("\n{% include '/etc/passwd' %}", 2, "there is no template"),
        ('\n{% call machine("Not a name") %}{% endcall %}', 2, "lower case"),
        ("{% include 'bad.md.j2' %}", 1, "without end"),
    ],
)
def test_a_mistake_names_file_and_line_in_one_sentence(
    text: str, line: int, why: str, story: Any, tmp_path: Path
) -> None:
    story.declare()
    story(Kind.COMMAND, 1, "", step="intent", host="web1", command="x")
    path = tmp_path / "bad.md.j2"
    path.write_text(text)
    with pytest.raises(BrokenTemplate) as caught:
        render(story.source(), style=Style(template=str(path)))
    said = caught.value.sentence
    assert why in said and "\n" not in said
    if "there is no template" not in said:
        assert said.startswith(f"{path}, line {line}: ")


def test_an_unknown_template_is_one_sentence(story: Any, tmp_path: Path) -> None:
    story.declare()
    with pytest.raises(BrokenTemplate, match=r"there is no template nope; there are full, page, pagerduty"):
        render(story.source(), style=Style(template="nope"))
    with pytest.raises(BrokenTemplate, match=r"x\.j2: there is no such file"):
        render(story.source(), style=Style(template=str(tmp_path / "x.j2")))


def test_a_template_without_parts_is_never_merged(story: Any, tmp_path: Path) -> None:
    story.declare()
    (tmp_path / "x.md.j2").write_text("{{ facts.incident.id }}\n")
    style = Style(template=str(tmp_path / "x.md.j2"))
    report = render(story.source(), style=style)
    with pytest.raises(BrokenTemplate, match="cannot be merged"):
        make(story.source(), style=style, old=report + "ours\n")


def test_fields_document_all_that_a_template_can_print(capsys: pytest.CaptureFixture[str]) -> None:
    said = fields()
    for structure in structures():
        assert f"\n## {structure.__name__}\n\n" in said
        assert structure.__doc__, structure
        for name in structure.__struct_fields__ if hasattr(structure, "__struct_fields__") else ():
            assert f"- `{name}`: " in said, (structure, name)
    assert "- `until`: datetime or none. When the last entry was recorded" in said
    assert all(f"- `{name}`: " in said for name in Shown(str).filters)
    assert Facts in structures() and len(structures()) > 25
    assert main(["report", "fields"]) == 0
    assert capsys.readouterr().out == said


# -- templates ----------------------------------------------------------------------------------------------------


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Templates]:
    def write(text: str) -> Templates:
        (tmp_path / "t.md.j2").write_text(text)
        return Templates(lambda ref: f"a{ref.seq}", tmp_path)

    return write


@pytest.mark.parametrize(
    "template",
    [
        "x {{ value }}",
        "x {{ value ~ '' }}",
        "x {{ value|upper|lower }}",
        "x {{ value|safe_or_not }}",
        "x {% set y = value %}{{ y }}",
        "{% macro m(v) %}x {{ v }}{% endmacro %}{{ m(value) }}",
        "x {% set y %}{{ value }}{% endset %}{{ y }}",
        "x {% for v in [value] %}{{ v }}{% endfor %}",
        "x {{ [value]|join }}",
        "x {{ '%s'|format(value) }}",
    ],
)
def test_a_template_cannot_forget_to_escape(template: str, write: Callable[[str], Templates]) -> None:
    templates = write(template.replace("|safe_or_not", ""))
    assert templates.fill("t.md.j2", value="<b>*a*|") == "x &lt;b&gt;\\*a\\*\\|\n"


@pytest.mark.parametrize("name", ["safe", "escape", "e", "urlize", "tojson", "xmlattr", "forceescape"])
def test_html_filters_are_gone(name: str, write: Callable[[str], Templates]) -> None:
    from jinja2 import TemplateAssertionError

    with pytest.raises(TemplateAssertionError):
        write(f"{{{{ value|{name} }}}}").fill("t.md.j2", value="<b>")


@pytest.mark.parametrize(
    "template",
    [
        "{{ value.__class__.__mro__ }}",
        "{{ incident.__class__ }}",
        "{{ incident.__init__.__globals__ }}",
        "{{ incident['__class__'] }}",
        "{{ incident|attr('__class__') }}",
        "{{ names.append('x') }}",
        "{{ '{0.__class__}'.format(incident) }}",
        "{{ self.__init__ }}",
    ],
)
def test_the_sandbox_holds(template: str, write: Callable[[str], Templates]) -> None:
    with pytest.raises((SecurityError, UndefinedError)):
        write(template).fill("t.md.j2", value="x", incident=Incident(id="I"), names=["a"])


def test_the_short_way_for_our_structures_is_not_a_way_out(write: Callable[[str], Templates]) -> None:
    with pytest.raises((SecurityError, UndefinedError)):
        write("{{ incident.open.__class__ }}{{ incident.nothing }}").fill("t.md.j2", incident=Incident(id="I"))


def test_a_naive_time_is_refused(write: Callable[[str], Templates]) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        write("{{ at }}").fill("t.md.j2", at=datetime(2026, 1, 1))  # noqa: DTZ001
