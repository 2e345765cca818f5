"""How long things take, as people see it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from app.web.performance import INDENT, Bar, _waterfall
from app.web.templatetags.show import few, took
from tests.factories import ProjectFactory
from tests.web import scene
from tests.web.scene import TRACE

MS = 1000


def texts(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def rows(page: str) -> list[str]:
    return [texts(row) for row in re.findall(r"<tr><th scope.*?</tr>", page, re.DOTALL)]


def test_endpoints_with_their_percentiles(shop: scene.Shop, ada: Client) -> None:
    for _ in range(9):
        scene.served(shop, "/cart", 10 * MS)
    scene.served(shop, "/cart", 1_000 * MS, status="internal_error")
    scene.served(shop, "/pay", 20 * MS)
    cart, pay = rows(ada.get("/acme/performance/").content.decode())
    assert re.match(
        r"/cart http.server Shop &lt; 0.01 (9|1\d)\.?\d* ms (9\d\d|1\d\d\d|1\.\d+) m?s 10% 10 98", cart
    ), cart
    assert pay.startswith("/pay http.server Shop &lt; 0.01")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["/slow", "/often", "/failing"]),
        ("sort=count", ["/often", "/slow", "/failing"]),
        ("sort=failed", ["/failing", "/slow", "/often"]),
        ("sort=p95", ["/slow", "/failing", "/often"]),
        ("q=OFT", ["/often"]),
        ("q=%25", []),
        ("environment=staging", []),
        ("project=till", []),
        ("period=nonsense&sort=x", ["/slow", "/often", "/failing"]),
        ("q=%00", ["/slow", "/often", "/failing"]),
    ],
)
def test_sorting_and_narrowing(shop: scene.Shop, ada: Client, query: str, names: list[str]) -> None:
    ProjectFactory.create(organization=shop.organization, slug="till")
    scene.served(shop, "/slow", 5_000 * MS)
    for _ in range(3):
        scene.served(shop, "/often", 300 * MS)
    scene.served(shop, "/failing", 500 * MS, status="unavailable")
    page = ada.get(f"/acme/performance/?{query}").content.decode()
    assert [row.split()[0] for row in rows(page)] == names


def test_an_endpoint_of_any_name(shop: scene.Shop, ada: Client) -> None:
    name = "GET /a?b=c&d=<script>/ü #%"
    scene.served(shop, name, 20 * MS)
    page = ada.get("/acme/performance/").content.decode()
    (address,) = re.findall(r'href="(/acme/performance/shop/\?name=[^"]+)"', page)
    found = ada.get(address.replace("&amp;", "&")).content.decode()
    assert "GET /a?b=c&amp;d=&lt;script&gt;/ü #%" in found
    assert TRACE[:12] in found
    assert "1 transactions in 24 steps" in found


def test_an_endpoint_without_anything(shop: scene.Shop, ada: Client) -> None:
    assert b"Nothing in this time" in ada.get("/acme/performance/shop/").content
    assert b"Nothing in this time" in ada.get("/acme/performance/shop/?name=%00").content


def test_a_trace_is_drawn_from_its_root(shop: scene.Shop, ada: Client) -> None:
    scene.served(shop)
    page = ada.get(f"/acme/traces/{TRACE}/").content.decode()
    names = [texts(one) for one in re.findall(r'<span class="name mono">.*?</b>[^<]*</span>', page)]
    assert names == ["http.server /pay", "queue.publish orders", "http.client GET /rates", "db select 1"]
    for text in ("retries", "partition", "Linux", "lcp", "4 spans in 250 ms", ">internal_error<"):
        assert text in page, text


def test_a_profile_is_downloaded_from_its_trace(shop: scene.Shop, ada: Client) -> None:
    scene.served(shop)
    page = ada.get(f"/acme/traces/{TRACE}/").content.decode()
    assert "profile.json" not in page
    scene.profiled(shop)
    page = ada.get(f"/acme/traces/{TRACE}/").content.decode()
    (address,) = re.findall(r'href="(/acme/files/[^"]+)"', page)
    assert ada.get(address).content == b'{"version":"1"}'
    assert ada.get(address.replace("/shop/", "/other/")).status_code == 404
    assert ada.get(re.sub(r"/\d+/(\d+)/$", r"/99999999999999999999/\1/", address)).status_code == 404


def test_a_trace_shows_only_projects_one_sees(shop: scene.Shop, ada: Client) -> None:
    foreign = scene.Shop(shop.user, shop.organization, ProjectFactory.create(), shop.key)
    scene.served(foreign)
    assert b"Nothing of this trace is kept" in ada.get(f"/acme/traces/{TRACE}/").content


@pytest.mark.parametrize("trace", ["x", "0" * 32, "a" * 31, "%00"])
def test_what_is_no_trace_is_not_there(shop: scene.Shop, ada: Client, trace: str) -> None:
    assert ada.get(f"/acme/traces/{trace}/").status_code == 404


@pytest.mark.parametrize("at", ["", "x", "1", "9" * 17, "9" * 40, "-1"])
def test_any_time_may_be_asked_around(shop: scene.Shop, ada: Client, at: str) -> None:
    assert ada.get(f"/acme/traces/{TRACE}/?at={at}").status_code == 200


@pytest.mark.parametrize(("trace", "leads"), [(TRACE, True), ("a/b", False), (7, False), (None, False)])
def test_an_error_leads_to_its_trace(shop: scene.Shop, ada: Client, trace: Any, leads: bool) -> None:
    issue = shop.happened(data={"contexts": {"trace": {"trace_id": trace}}})
    page = ada.get(f"/acme/issues/{issue.short_id}/").content.decode()
    assert ("/acme/traces/" in page) == leads


def test_a_trace_leads_to_its_logs_and_back(shop: scene.Shop, ada: Client) -> None:
    scene.served(shop)
    assert f"/acme/logs/?trace={TRACE}" in ada.get(f"/acme/traces/{TRACE}/").content.decode()
    assert f"/acme/traces/{TRACE}/" in ada.get(f"/acme/logs/?trace={TRACE}").content.decode()


def test_pages_ask_a_fixed_number_of_questions(
    shop: scene.Shop, ada: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        scene.served(shop, f"/page/{number}x")
    for address in (
        "/acme/performance/",
        "/acme/performance/shop/?name=/page/1x&op=http.server",
        f"/acme/traces/{TRACE}/",
    ):
        with django_assert_max_num_queries(11):
            assert ada.get(address).status_code == 200


def row(span_id: str, parent_id: str, start: int = 0) -> Any:
    from app.base import clock
    from app.store.traces import SpanRow

    return SpanRow(1, span_id, parent_id, span_id, "op", "ok", clock.from_micros(start), 10, {})


def drawn(*spans: Any) -> list[tuple[int, str]]:
    bars: list[Bar] = _waterfall([], list(spans), {1: "Shop"})
    return [(len(bar.indent) // len(INDENT), bar.name) for bar in bars]


def test_children_stand_below_their_parents_in_order() -> None:
    assert drawn(row("c", "a", 9), row("b", "a", 5), row("a", "", 0), row("d", "b", 6)) == [
        (0, "a"), (1, "b"), (2, "d"), (1, "c"),
    ]  # fmt: skip


def test_orphans_circles_and_twins_are_drawn_once() -> None:
    assert drawn(row("a", "gone"), row("b", "c", 2), row("c", "b", 1), row("d", "d"), row("a", "")) == [
        (0, "a"), (0, "d"), (0, "b"), (1, "c"),
    ]  # fmt: skip
    deep = [row(str(n), str(n - 1)) for n in range(3000)]
    assert len(drawn(*deep)) == 3000


@pytest.mark.parametrize(
    ("micros", "text"),
    [(None, "–"), (0, "0 µs"), (310, "310 µs"), (12_000, "12 ms"), (1234, "1.23 ms"), (3_400_000, "3.4 s"),
     (126_000_000, "2.1 min"), (7_200_000_000, "2 h"), (999_000, "999 ms")],
)  # fmt: skip
def test_durations(micros: int | None, text: str) -> None:
    assert took(micros) == text


def test_small_numbers() -> None:
    shown = [few(n) for n in (0, 0.0069, 0.028, 1, 12.4, 1234.5)]
    assert shown == ["0", "< 0.01", "0.028", "1", "12", "1.2k"]
