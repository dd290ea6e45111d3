"""The page in a real browser: no error, no request, nothing wider than the window."""

import importlib.util
import json
import pathlib
import re

import headless_chromium
import pytest
import report_samples as samples
import test_report_html

from robust_keras import reporting

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        headless_chromium.executable() is None,
        reason="Chromium is not installed (Debian: apt-get install chromium)",
    ),
]

WHITE, DARK = "rgb(255, 255, 255)", "rgb(27, 31, 37)"
WIDTHS = (390, 1280)
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Elements whose text does not fit into them, but for the boxes that scroll by design.
CUT_OFF = """
[...document.querySelectorAll('main *')]
  .filter(e => !e.closest('.scroll, .plot') && getComputedStyle(e).display !== 'inline')
  .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)
  .filter(e => !e.matches('thead, thead *'))
  .map(e => e.tagName + '.' + e.className)
"""
BROKEN = "[...document.images].filter(i => !i.complete || !i.naturalWidth).length"
# Colours of the marks that a chart is drawn with, and what it says where the pointer rests.
CHARTS = """
[...document.querySelectorAll('.plot')].map(plot => [
  plot.getBoundingClientRect().width,
  getComputedStyle(plot.querySelector('text')).fill,
  [...plot.querySelectorAll('title')].map(title => title.textContent),
  [...plot.querySelectorAll('text')].filter(text => {
    const [a, b] = [text, plot].map(e => e.getBoundingClientRect());
    return a.left < b.left - 1 || a.right > b.right + 1;
  }).map(text => text.textContent)])
"""
PAPER = "getComputedStyle(document.querySelector('article')).backgroundColor"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    browser = headless_chromium.Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="module", params=test_report_html.REPORTS)
def address(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    reporting.write(*test_report_html.REPORTS[request.param], folder)
    return (folder / "report.html").as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_opens_cleanly(chromium, address, width, scheme):
    chromium.open(address, width=width, scheme=scheme)
    assert chromium.errors() == []
    assert chromium.requests() == [address]
    assert chromium.value("document.documentElement.clientWidth") == width
    assert chromium.value(OVERFLOW) <= 0
    assert chromium.value(CUT_OFF) == []
    assert chromium.value(BROKEN) == 0
    charts = chromium.value(CHARTS)
    assert charts and chromium.value(PAPER) == {"light": WHITE, "dark": DARK}[scheme]
    for wide, ink, said, cut in charts:
        assert cut == [] and 300 < wide < width and ink != {"light": DARK, "dark": WHITE}[scheme]
        assert any(re.search(r"\d %|\d\.\d", text) for text in said)


def test_the_classes_of_a_quickstart_need_no_scrolling_on_a_phone(chromium, tmp_path):
    epsilons, left = (0.1, 0.2), (0.9, 0.7)
    model = samples.sound_model(
        attacks=(samples.attack("pgd", left),), worst_case=samples.worst_case(left, epsilons)
    )
    threat_model = samples.threat_model(epsilons=epsilons)
    made = samples.report(samples.with_classes(model), threat_model=threat_model)
    reporting.write(made, {}, tmp_path)
    chromium.open((tmp_path / "report.html").as_uri(), width=390)
    box = "document.querySelector('.classes').parentNode"
    assert 0 < chromium.value(f"{box}.scrollWidth") <= chromium.value(f"{box}.clientWidth")


AXE = importlib.util.find_spec("axe_core_python")
FINDINGS = """
axe.run({resultTypes: ['violations']}).then(found => JSON.stringify(found.violations.map(
  v => [v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + ' ' + n.failureSummary)])))
"""


def findings(chromium):
    """What axe finds fault with on the page that is open."""
    script = pathlib.Path(AXE.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    chromium.value(script + "; null")
    return json.loads(chromium.value(FINDINGS))


@pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed")
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_nothing(chromium, address, width, scheme):
    chromium.open(address, width=width, scheme=scheme)
    assert findings(chromium) == []


@pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed")
def test_axe_would_find_something(chromium, tmp_path):
    (tmp_path / "page.html").write_text("<!doctype html><title>x</title><img src='data:,'>")
    chromium.open((tmp_path / "page.html").as_uri(), width=390)
    assert {"image-alt", "html-has-lang"} <= {name for name, _ in findings(chromium)}


SORTED = "[...document.querySelectorAll('.models tbody tr')].map(row => row.cells[1].innerText)"
FOLDED = "[...document.querySelectorAll('details')].filter(d => !d.open).length"


def test_tables_sort_and_nothing_is_folded_in_print(chromium, tmp_path):
    reporting.write(*test_report_html.REPORTS["three"], tmp_path)
    chromium.open((tmp_path / "report.html").as_uri(), width=1280)
    before = chromium.value(SORTED)
    chromium.value("document.querySelectorAll('.models button')[6].click()")
    assert chromium.value(SORTED) == [before[1], before[2], before[0]]
    chromium.value("document.querySelectorAll('.models button')[6].click()")
    assert chromium.value(SORTED) == [before[0], before[2], before[1]]
    assert chromium.value(FOLDED) > 0
    chromium.value("dispatchEvent(new Event('beforeprint'))")
    assert chromium.value(FOLDED) == 0


@pytest.mark.parametrize(
    "body",
    [
        "<script>console.error('wrong')</script>",
        "<script>undefined_function()</script>",
        "<img src='missing.png'>",
        "<meta http-equiv='Content-Security-Policy' content=\"style-src 'none'\"><p style='top:0'>",
    ],
)
def test_an_error_would_be_seen(chromium, tmp_path, body):
    (tmp_path / "page.html").write_text(f"<!doctype html><title>x</title>{body}")
    chromium.open((tmp_path / "page.html").as_uri(), width=390)
    assert chromium.errors() != []


def test_a_request_and_an_overflow_would_be_seen(chromium, tmp_path):
    body = "<meta name=viewport content='width=device-width'><img src='http://127.0.0.1:9/a.png'>"
    body += "<main><div style='width: 500px'>wide</div><p style='width: 9px'>" + "cut" * 9 + "</p>"
    (tmp_path / "page.html").write_text(f"<!doctype html><title>x</title>{body}")
    chromium.open((tmp_path / "page.html").as_uri(), width=390)
    assert "http://127.0.0.1:9/a.png" in chromium.requests()
    assert chromium.value(OVERFLOW) >= 100
    assert chromium.value(CUT_OFF) != []
    assert chromium.value(BROKEN) == 1
