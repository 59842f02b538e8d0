"""The page of a report in a real browser: nothing in it lives, it fits a phone, it prints, it asks for nothing."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_tui.incident.entry import Kind
from incident_tui.report import digest, ics214
from incident_tui.report.as_html import page
from incident_tui.report.markdown import render
from incident_tui.report.source import Style
from incident_tui.text import redact, sanitise
from tests.browser import Browser, Page
from tests.report.conftest import Story
from tests.report.test_charts import chart_of
from tests.report.test_golden import STORIES
from tests.report.test_hostile import HOSTILE, everywhere

LIVELY = {
    "script": "</title></style><script>alive=1</script>",
    "handlers": "<img src=x onerror=alive=1><svg/onload=alive=1><body onload=alive=1><details open ontoggle=alive=1>",
    "focus": "<input autofocus onfocus=alive=1><a id=x tabindex=1 onfocus=alive=1 autofocus>",
    "frames": "<iframe srcdoc='<script>parent.alive=1</script>'></iframe><object data=x></object><embed src=x>",
    "media": "<video src=x onerror=alive=1><audio src=x><picture><source srcset=x></picture>",
    "links": "[a](javascript:alive=1) <a href=javascript:alive=1>b</a> [c](data:text/html,x) <javascript:alive=1>",
    "reference": "[a]\n\n[a]: javascript:alive=1 'x'\n\n[b]: http://evil.example/",
    "head": "<base href=//evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>"
    "<link rel=stylesheet href=x>",
    "form": "<form action=//evil.example><button autofocus>x</button></form><isindex action=x>",
    "style": "<style>*{display:none}@import '//evil.example'</style><p style='position:fixed'>",
    "foreign": "<math><mi xlink:href=javascript:alive=1>x</mi></math><template><script>alive=1</script></template>",
    "comment": "--><!--><script>alive=1</script>--><![CDATA[<script>alive=1</script>]]>",
    "attribute": "\" onmouseover=alive=1 x=\"' onmouseover=alive=1 x='",
    "image": "![x](//evil.example/x.png) ![y](x 'onerror=alive=1') ![z][r]\n\n[r]: //evil.example/y.png",
    "table": "| <script>alive=1</script> | <img src=//evil.example/x onerror=alive=1> |",
}
ALL = {**HOSTILE, **{f"lively {name}": said for name, said in LIVELY.items()}}
FLOW = ("BODY", "H1", "H2", "H3", "P", "UL", "OL", "LI", "PRE", "BLOCKQUOTE", "HR", "BR", "DIV", "svg", "rect")
TABLE = ("TABLE", "THEAD", "TBODY", "TR", "TH", "TD")
OURS = {"HTML", "HEAD", "META", "TITLE", "STYLE", *FLOW, *TABLE, "STRONG", "EM", "S", "CODE"}
ATTRIBUTES = {"class", "data-of", "lang", "charset", "content", "http-equiv", "name", "start"}
DRAWN = {"x", "width", "height"}
ELEMENTS = """[...document.querySelectorAll('*')].map(one => [one.tagName, one.getAttributeNames()])"""
WIDE = """[...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    return (box.right > innerWidth + 1 || box.left < -1) && !one.closest('.wide, pre, svg');
}).map(one => one.outerHTML.slice(0, 120))"""
SMALL = """[...document.querySelectorAll('body *')].filter(one => {
    const own = [...one.childNodes].some(node => node.nodeType == 3 && node.data.trim());
    return own && one.checkVisibility() && parseFloat(getComputedStyle(one).fontSize) < 12;
}).map(one => one.outerHTML.slice(0, 120))"""
CUT = """[...document.querySelectorAll('.wide, pre, svg')].filter(one => one.scrollWidth > one.clientWidth + 1)
    .map(one => [one.scrollWidth, one.clientWidth, one.textContent.slice(0, 120)])"""


@pytest.fixture
def shown(browser: Browser, tmp_path: Path) -> Callable[..., Page]:
    """Markdown of ours as a page in the browser."""

    def show(markdown: str, title: str = "a report", **window: Any) -> Page:
        place = tmp_path / "report.html"
        place.write_text(page(markdown, title), encoding="utf-8")
        return browser.open(place, **window)

    return show


def assert_inert(shown: Page, *, links: bool = False) -> None:
    """No script ran, no element or attribute but ours is there, nothing was asked for, nothing had to be stopped."""
    assert shown.evaluate("'alive' in window") is False
    targets = "[...document.querySelectorAll('a')].map(one => one.protocol)"
    for tag, attributes in shown.evaluate(ELEMENTS):
        if links and tag == "A":
            assert set(attributes) <= {"href", "title"}
            assert set(shown.evaluate(targets)) <= {"http:", "https:", "file:"}  # file: is beside the page
            continue
        assert tag in OURS, tag
        allowed = DRAWN | {"class"} if tag.islower() else ATTRIBUTES
        assert set(attributes) <= allowed, (tag, attributes)
    assert shown.evaluate("document.styleSheets.length") == 1
    assert [one.startswith("file://") for one in shown.asked_for] == [True], shown.asked_for
    assert shown.complaints == []


def said(text: str) -> str:
    """As it is read: blanks count as one."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", ALL)
def test_hostile_text_stays_text(name: str, story: Any, shown: Callable[..., Page]) -> None:
    everywhere(story, ALL[name])
    for template in ("page", "full"):
        markdown = render(story.source(version=ALL[name]), style=Style(template=template))
        there = shown(markdown, ALL[name])
        assert_inert(there)
        words = said(redact(sanitise(ALL[name]))[0])
        seen = said(there.evaluate("document.body.textContent"))
        assert words in seen, (words[:200], template)
        there.close()


@pytest.mark.parametrize("name", LIVELY)
def test_what_nobody_escaped_is_text_too(name: str, shown: Callable[..., Page]) -> None:
    """As in a template of the team that writes HTML: the page has no life but plain links."""
    there = shown(f"{LIVELY[name]}\n\n- {LIVELY[name]}\n\n| a | b | c | d |\n|---|---|---|---|\n| {LIVELY[name]} |\n")
    assert_inert(there, links=True)
    there.close()


def test_a_page_that_lives_is_seen_to_live(browser: Browser, tmp_path: Path) -> None:
    """The control: what the tests above look for is what a browser shows of the same text unescaped."""
    place = tmp_path / "alive.html"
    for name, text in LIVELY.items():
        if "](" in text or "]: " in text:  # Markdown, which no browser reads
            continue
        place.write_text(f"<!DOCTYPE html><title>x</title><p title='{text}'>{text}")
        alive = browser.open(place)
        with pytest.raises(AssertionError):
            assert_inert(alive)
        alive.close()
        assert name


@functools.cache
def documents() -> dict[str, str]:
    """What the program makes pages of."""
    made: dict[str, str] = {}
    for name, fill in STORIES.items():
        story = Story()
        fill(story)
        source = story.source()
        made |= {f"{name} {one}": render(source, style=Style(template=one)) for one in ("page", "full")}
        if name == "rich":
            others = ("sre", "pagerduty", "summary", "public", "performance")
            made |= {one: render(source, style=Style(template=one)) for one in others}
            made["log"] = ics214.ics214(source, "ana", ics214.activities(source, "ana"), None, redact)
            week = digest.week_of("2026-W48", story.start)
            assert week is not None
            incident = source.fold.incident("INC-1")
            made["digest"] = digest.markdown(
                digest.gather([incident], [], (), lambda ref: f"a{ref.seq}", week, story.start)
            )
    return made


@pytest.mark.parametrize("name", [*documents(), "long words"])
def test_it_fits_a_phone_and_paper(name: str, shown: Callable[..., Page], story: Any) -> None:
    if name == "long words":
        everywhere(story, "a" * 300)
        markdown = render(story.source(), full=True)
    else:
        markdown = documents()[name]
    there = shown(markdown, width=390, height=844, phone=True)
    assert there.evaluate("[innerWidth, document.scrollingElement.scrollWidth]") == [390, 390]
    assert there.evaluate(WIDE) == []
    assert there.evaluate(SMALL) == []
    tables = "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert there.evaluate(tables) == 0, "no table has to be moved sideways"
    there.close()
    # A4 at 96 dots an inch, less the browser's margins of 1 cm; on paper nothing can be moved into sight.
    there = shown(markdown, width=718, height=1047)
    there.media("print")
    assert there.evaluate(WIDE) == []
    assert there.evaluate(CUT) == []
    there.media("")
    pdf = there.pdf()
    assert pdf.startswith(b"%PDF-") and b"%%EOF" in pdf[-64:]
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages >= there.evaluate("document.body.innerText.length") // 12_000 + 1
    assert_inert(there)
    there.close()


def test_a_phone_says_of_each_cell_what_it_is(story: Any, shown: Callable[..., Page]) -> None:
    STORIES["rich"](story)
    there = shown(render(story.source()), width=390, height=844, phone=True)
    labels = "[...document.querySelectorAll('td[data-of]')].map(one => getComputedStyle(one, '::before').content)"
    assert '"From (UTC): "' in there.evaluate(labels)
    heads = "[...document.querySelectorAll('.cards th')].filter(one => one.checkVisibility()).length"
    assert there.evaluate(heads) == 0
    wide = shown(render(story.source()))
    assert wide.evaluate(heads) > 20
    assert '"From (UTC): "' not in wide.evaluate(labels)
    there.close()
    wide.close()


def mermaid() -> str:
    """Mermaid's own release, as the package `mermaidx` carries it; checked to be that of the npm package `mermaid`."""
    script = (importlib.resources.files("mermaidx") / "assets" / "mermaid.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == "74d7c46dabca328c2294733910a8aa1ed0c37451776e8d5295da38a2b758fb9b", (
        "dist/mermaid.min.js of mermaid 11.16.0; for another version compare the two and write its hash here"
    )
    return script.decode()


@pytest.fixture(scope="session")
def charts(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What Mermaid makes of a chart: the words in the picture, in their order, or what it says is wrong."""
    place = tmp_path_factory.mktemp("mermaid") / "mermaid.html"
    place.write_text(f"<!DOCTYPE html><meta charset=utf-8><body><script>{mermaid()}</script>", encoding="utf-8")
    there = browser.open(place)
    there.evaluate("mermaid.initialize({startOnLoad: false, securityLevel: 'strict'})")

    def draw(chart: str) -> Any:
        return there.evaluate(
            f"""mermaid.parse({json.dumps(chart)}).then(read => mermaid.render('x', {json.dumps(chart)}).then(made => {{
                const drawn = new DOMParser().parseFromString(made.svg, 'image/svg+xml');
                return [read.diagramType, [...drawn.querySelectorAll('text')].map(one => one.textContent.trim()),
                    drawn.querySelectorAll('rect.task').length]; }})).catch(wrong => String(wrong))"""
        )

    return draw


@pytest.mark.parametrize("name", STORIES)
def test_mermaid_draws_the_chart(name: str, story: Any, charts: Callable[[str], Any]) -> None:
    STORIES[name](story)
    chart = chart_of(render(story.source(), full=True))
    kind, words, bars = charts(chart)
    assert kind == "gantt"
    names = re.findall(r"(?m)^    (.+?) :", chart)
    assert bars == len(names) > 0
    assert set(re.findall(r"(?m)^    section (.*)$", chart)) | set(names) <= set(words)


@pytest.mark.parametrize("name", ALL)
def test_mermaid_reads_hostile_names_as_names(name: str, story: Any, charts: Callable[[str], Any]) -> None:
    hostile = ALL[name][:4000]
    story.declare(hostile)
    story(Kind.ROLE, 1, "", role="commander", step="claim", who=hostile, by=hostile)
    story(Kind.STATUS, 2, "", status=hostile)
    story.observe(3, "site.down", hostile, "crit", hostile)
    story.observe(3, "x", f"click {hostile}\nclick a href b; %% c # d: e", "crit", hostile)
    story(Kind.MILESTONE, 4, "", name="started")
    chart = chart_of(render(story.source(), full=True))
    made = charts(chart)
    assert made[0] == "gantt", made
    assert made[2] == len(re.findall(r"(?m)^    .+? :", chart)) == 9
    assert "severity" in made[1] and "was started" in made[1]


def test_mermaid_says_no_to_what_is_no_chart(charts: Callable[[str], Any]) -> None:
    assert "Parse error" in charts("gantt\n    dateFormat YYYY\n    section a\n    b c d")
