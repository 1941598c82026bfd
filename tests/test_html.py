import dataclasses
import re
from html.parser import HTMLParser
from itertools import product

import batch_runs
import pytest
from browser import Visit, find_browser, launched
from fabricate import fabricate
from sample_findings import (
    many_aa,
    nearly_empty,
    one_block,
    sample,
    unusable,
    with_strings,
)

from ormbench.report import html, quiet_matplotlib
from ormbench.report.digest import digest
from ormbench.report.rows import web_address

quiet_matplotlib.prepare()

ORM = "get_by_id/orm/postgresql+asyncpg"
VOID = {"meta", "link", "input", "br"}
HOSTILE = (
    "</script></pre></title></style><script>window.hacked=1</script>"
    '<img src=x onerror=window.hacked=2>" onmouseover="window.hacked=3" \'&amp;{{7*7}}`\x1b[0m'
)


class Outline(HTMLParser):
    """Tags, attributes and text of a page; fails where an element is closed that was not open."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    def of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def drawings():
    from ormbench.report.charts import draw_all  # noqa: PLC0415 - matplotlib is slow to import

    return draw_all(sample())


@pytest.fixture(scope="module")
def page(drawings):
    return html.render(sample(), drawings)


def test_the_answer_the_cards_and_what_it_rests_on_come_before_the_cells(page):
    words = Outline(page).words
    places = [
        words.index(one)
        for one in (
            "get_by_id · PostgreSQL"[:9],
            sample().answer[0],
            "ORM OR CORE?",
            "WHICH POOL? not measured: ormbench run pools",
            "Trust usable",
            "Does not say anything about your queries",
            "Reproduce ormbench run quick --seed 7",
            "Against the reference: 12 slower",
            "All cells",
            "Comparisons Candidate / reference",
            "Likely cause the machine grew warm",
            "Cells that the plan asks for and this run could not have",
            "Versions and host",
            "Method Transaction",
        )
    ]
    assert places == sorted(places)


def test_a_page_is_one_file_that_asks_for_nothing(page):
    outline = Outline(page)
    for tag, attrs in outline.tags:
        assert tag not in {"iframe", "object", "embed", "base", "image"}
        assert "src" not in attrs
        for name in ("href", "xlink:href"):
            target = attrs.get(name, "#")
            assert target.startswith(("#", "data:,")) or tag == "a"
        assert not [name for name in attrs if name.startswith("on")]
    assert len(outline.of("script")) == 1
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_tables_have_captions_scopes_and_boxes_of_their_own(page):
    outline = Outline(page)
    assert len(outline.of("caption")) == len(outline.of("table")) == 5
    assert all(attrs.get("scope") in {"row", "col"} for attrs in outline.of("th"))
    boxes = [attrs for attrs in outline.of("div") if attrs.get("class") == "scroll"]
    assert len(boxes) == 5
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in boxes)


def test_ids_are_unique(page):
    ids = [attrs["id"] for _, attrs in Outline(page).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_each_cell_has_its_code_sql_answer_and_documentation(page):
    words = Outline(page).words
    assert words.count("SELECT developers.id, developers.name FROM developers") == 25
    assert "developer = await session.get(Developer, key)" in words
    assert "(4711, 'dev000004711')" in words
    links = [attrs["href"] for attrs in Outline(page).of("a") if attrs["href"].startswith("http")]
    assert words.count("the documentation page it follows") == 25
    assert len(links) == words.count(" documentation ")


def test_cells_without_a_number_stay_with_their_reason(page):
    words = Outline(page).words
    assert "INCORRECT turn 3: the lane gave 99 rows, the reference has 100" in words
    assert "UNSUPPORTED psycopg's pipeline mode needs libpq 14" in words
    assert "bulk_create/copy/mysql+aiomysql aiomysql has no COPY" in words


def test_a_run_that_is_not_usable_shows_its_cause_and_no_times():
    words = Outline(html.render(unusable())).words
    assert "No answer: this run is not evidence two identical lanes came out different" in words
    assert sample().headline not in words
    assert "1.10x" not in words
    rest = re.sub(r"harness(?: itself:)? 200 ns|A/A[^;·]*", "", words)
    assert not re.search(r"\d (?:µs|ms|op/s)", rest)
    assert "another process used 71 % of the measured core" in words


@pytest.mark.parametrize("make", [many_aa, one_block, nearly_empty])
def test_odd_runs_are_rendered_too(make):
    words = Outline(html.render(make())).words
    assert "Method" in words
    if make is many_aa:
        assert "1 of 100 A/A comparisons called different at 99 %" in words


def test_every_string_is_escaped_wherever_it_stands():
    findings = with_strings(sample(), lambda text: text + HOSTILE)
    from ormbench.report.charts import draw_all  # noqa: PLC0415 - matplotlib is slow to import

    page = html.render(findings, draw_all(findings))
    outline = Outline(page)
    assert len(outline.of("script")) == 1
    assert not outline.of("img")
    assert not [a for _, attrs in outline.tags for a in attrs if a.startswith("on")]
    assert "{{7*7}}" in outline.words
    assert "\x1b" not in page
    assert "window.hacked=1" in outline.words


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://docs.sqlalchemy.org/x", "https://docs.sqlalchemy.org/x"),
        ("javascript:alert(1)", ""),
        ("JAVASCRIPT://x/%0aalert(1)", ""),
        ("data:text/html,x", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_web_addresses_become_links(text, link):
    assert web_address(text) == link


def _colours(style, dark):
    light, _, rest = style.partition("@media (prefers-color-scheme: dark)")
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", rest.partition("* {")[0] if dark else light))


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground_in_both_themes(page, dark):
    """At least 4.5:1, as WCAG 2.2 asks of text (success criterion 1.4.3)."""
    colours = _colours(page, dark)
    for text, ground in product(
        ("ink", "muted", "accent", "slower", "faster"), ("page", "surface")
    ):
        one, other = sorted((_luminance(colours[text]), _luminance(colours[ground])))
        assert (other + 0.05) / (one + 0.05) >= 4.5, (text, ground)


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def address(page, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def rows(visit):
    return visit.page.eval_on_selector_all(
        "tbody.cell:not([hidden])", "all => all.map(one => one.id)"
    )


@pytest.mark.browser
def test_the_page_opens_without_a_word_or_a_request(browser, address):
    with Visit(browser, address) as visit:
        assert visit.said == []
        assert [one for one in visit.requests if not one.startswith("data:")] == [address]
        assert visit.page.title().startswith("One row by key")


@pytest.mark.browser
def test_the_answer_fits_the_first_screen(browser, address):
    with Visit(browser, address) as visit:
        nav = visit.page.locator("nav").bounding_box()
        assert nav["y"] + nav["height"] <= 720


@pytest.mark.browser
def test_columns_sort_both_ways_and_cells_without_a_number_stay_last(browser, address):
    with Visit(browser, address) as visit:
        visit.page.click("th[data-key=mean] button")
        upward = rows(visit)
        assert upward[0] == "get_by_id/raw_held/postgresql+asyncpg"
        assert upward[-3] == "bulk_create/orm/postgresql+asyncpg"
        visit.page.click("th[data-key=mean] button")
        downward = rows(visit)
        assert downward[0] == "bulk_create/orm/postgresql+asyncpg"
        assert set(downward[-2:]) == set(upward[-2:])
        assert visit.page.get_attribute("th[data-key=mean]", "aria-sort") == "descending"
        assert visit.page.url.endswith("#cells?sort=-mean")


@pytest.mark.browser
def test_the_filter_narrows_the_table_and_a_link_keeps_it(browser, address):
    with Visit(browser, address) as visit:
        visit.page.fill("#filter", "orm psycopg slower")
        shown = rows(visit)
        assert shown == [f"get_by_id/{lane}/postgresql+psycopg" for lane in ("orm_columns", "orm")]
        assert visit.page.text_content("#count") == "2 of 25 cells"
        link = visit.page.url
    with Visit(browser, link) as again:
        assert rows(again) == shown


@pytest.mark.browser
def test_a_link_to_a_cell_opens_it_and_rows_unfold_by_keyboard(browser, address):
    with Visit(browser, f"{address}#{ORM}") as visit:
        opened = "document.querySelectorAll('tbody.open').length"
        assert visit.page.evaluate(opened) == 1
        button = visit.page.locator(f'[id="{ORM}"] button.unfold')
        assert button.get_attribute("aria-expanded") == "true"
        box = button.bounding_box()
        assert 0 <= box["y"] < 720
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate(opened) == 0
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate(opened) == 1
        assert visit.page.url.endswith(f"#{ORM}")


@pytest.mark.browser
def test_the_dark_theme_reaches_page_and_charts(browser, address):
    ground = "getComputedStyle(document.body).backgroundColor"
    bar = "getComputedStyle(document.querySelector('.chart .wide text')).fill"
    with Visit(browser, address) as light, Visit(browser, address, scheme="dark") as dark:
        assert light.page.evaluate(ground) == "rgb(251, 251, 249)"
        assert dark.page.evaluate(ground) == "rgb(20, 23, 27)"
        assert light.page.evaluate(bar) != dark.page.evaluate(bar)


@pytest.mark.browser
def test_a_phone_does_not_scroll_sideways_for_a_run_on_three_servers(browser, tmp_path):
    targets = ("postgresql+asyncpg", "mysql+aiomysql", "mariadb+aiomysql")
    found = digest(fabricate(targets=targets, scenarios=("get_by_id",)), "runs/x")
    path = tmp_path / "report.html"
    path.write_text(html.render(found), encoding="utf-8")
    with Visit(browser, path.as_uri(), width=360, height=800) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.browser
def test_a_phone_scrolls_down_and_never_sideways(browser, address):
    with Visit(browser, f"{address}#{ORM}", width=400, height=800) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 400
        assert visit.page.is_visible(".chart .narrow svg")
        assert not visit.page.is_visible(".chart .wide svg")


@pytest.mark.browser
def test_hostile_strings_are_shown_and_do_nothing(browser, tmp_path):
    findings = with_strings(sample(), lambda text: text + HOSTILE)
    good = dataclasses.replace(findings.cells[0], docs="javascript:window.hacked=4")
    findings = dataclasses.replace(findings, cells=(good, *findings.cells[1:]))
    path = tmp_path / "hostile.html"
    path.write_text(html.render(findings), encoding="utf-8")
    with Visit(browser, path.as_uri()) as visit:
        visit.page.click("button.unfold >> nth=0")
        visit.page.hover("h1")
        assert visit.page.evaluate("window.hacked") is None
        assert visit.said == []
        assert "<script>window.hacked=1</script>" in visit.page.inner_text("h1")


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail), ("", pytest.skip)])
def test_a_missing_browser_skips_at_home_and_fails_in_ci(monkeypatch, tmp_path, ci, outcome):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome.Exception, match="no browser: none of chromium"):
        find_browser()


def grids_page(**wishes):
    """The page of strategies against rows, and its words."""
    from ormbench.report.charts import draw_all  # noqa: PLC0415 - matplotlib is slow to import

    found = batch_runs.digested(**wishes)
    page = html.render(found, draw_all(found))
    return page, Outline(page).words


def test_numbers_that_nobody_asked_for_are_dashes_and_a_reason_unfolds():
    skipped = {batch_runs.cell_id("add_all", 1_000): ("SKIPPED", "predicted 9 s an operation")}
    left = batch_runs.left("load_data", 10, "UNSUPPORTED: asyncpg has no LOAD DATA")
    page, words = grids_page(status=skipped, left_out=(left,))
    assert "not asked for" not in words
    assert page.count('<td class="aside">\u2013</td>') == 3
    assert "\u2013: not in this plan" in words
    assert "<summary>SKIPPED</summary>predicted 9 s an operation</details>" in page
    assert "is that in the first block" in words
    assert "is that in the first block" not in Outline(html.render(sample())).words
    assert "Without numbers (2)" in words
    assert "1 left out before it began, 16 OK, 1 SKIPPED" in words


def test_the_page_says_what_each_lane_does_and_names_the_largest_doubt(page):
    words = Outline(page).words
    lanes = {(one.cell.scenario, one.cell.lane) for one in sample().cells} - {("empty", "nothing")}
    assert f"what each lane does: {len(lanes)}" in words
    assert "Largest doubt" in words
    assert "Largest doubt" not in Outline(html.render(unusable())).words


@pytest.mark.browser
def test_a_wide_table_on_a_phone_keeps_its_names_and_its_caption_in_view(browser, tmp_path):
    broken = {batch_runs.cell_id("copy", 1_000): ("ERROR", "TypeError: " + "too long " * 30)}
    path = tmp_path / "report.html"
    path.write_text(grids_page(status=broken)[0], encoding="utf-8")
    with Visit(browser, path.as_uri(), width=400, height=800) as visit:
        edges = visit.page.evaluate(
            """() => {
              const box = document.querySelector(".scroll:has(.strategies)");
              box.scrollLeft = 60;
              const right = box.getBoundingClientRect().right;
              const heads = [...box.querySelectorAll("thead th")].slice(0, 3);
              const rows = [...box.querySelectorAll("tbody tr")].map(one => one.offsetHeight);
              return {
                scrolled: box.scrollLeft,
                name: box.querySelector("tbody th").getBoundingClientRect().left
                  - box.getBoundingClientRect().left,
                seen: heads.filter(one => one.getBoundingClientRect().right <= right).length,
                caption: box.querySelector("caption").offsetWidth - box.clientWidth,
                uneven: Math.max(...rows) / Math.min(...rows),
              };
            }"""
        )
    assert edges["scrolled"] > 0
    assert edges["name"] <= 2
    assert edges["seen"] == 3
    assert edges["caption"] <= 0
    assert edges["uneven"] < 2
