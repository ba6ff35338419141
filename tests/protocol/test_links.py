"""The Link header: where a listing's other pages are."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qs, urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_artifacts_async.protocol.links import (
    PageLinks,
    page_count,
    page_links,
    page_number,
    pages_to_step_back,
    parse_link,
)
from tests.kits.protocol import BASE, GHES, LISTING, values

HERE = BASE.url(LISTING)
ROOT = "https://api.github.com/repositories/1296269/actions/artifacts"
PARTS = {
    "prev": f'<{ROOT}?per_page=10&page=1>; rel="prev"',
    "next": f'<{ROOT}?per_page=10&page=3>; rel="next"',
    "last": f'<{ROOT}?per_page=10&page=9>; rel="last"',
    "first": f'<{ROOT}?per_page=10&page=1>; rel="first"',
}
HAS_NEXT = PageLinks(next_url=f"{ROOT}?per_page=10&page=3", next_page=3, stated=True, previous_page=1)


def _read(value, base=BASE):
    return page_links(value, base=base, url=base.url(LISTING))


@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)), ids="-".join)
def test_the_order_of_the_rels_does_not_matter(order):
    """GitHub promises no order."""
    assert _read(", ".join(PARTS[rel] for rel in order)) == HAS_NEXT


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ('<u>; rel="next"', {"next": "u"}),
        ("<u>; rel=next", {"next": "u"}),
        ("<u>;rel=next", {"next": "u"}),
        ("<u> ; rel = next", {"next": "u"}),
        ('<u>; REL="Next"', {"next": "u"}),
        ('<u>; rel="next last"', {"next": "u", "last": "u"}),
        ('<u>; title="a, b; c=\\"d\\""; rel="next"', {"next": "u"}),
        ('<u>; rel="ne\\xt"', {"next": "u"}),
        ('<u>; rel="\\"a\\" b\\\\"', {'"a"': "u", "b\\": "u"}),
        ('<u>; rel="a\\""', {'a"': "u"}),
        ('<u>; rel="next"; rel="last"', {"next": "u"}),
        ('<u>; hreflang; rel="next"', {"next": "u"}),
        ('<a>; rel="next", <b>; rel="next"', {"next": "a"}),
        ("<a>; rel=prev,<b>; rel=next", {"prev": "a", "next": "b"}),
        ('<a,b;c>; rel="next"', {"next": "a,b;c"}),
        (', <a>; rel="next",, <b>; rel="last",', {"next": "a", "last": "b"}),
        ("< u >; rel=next", {"next": "u"}),
        ("<u>", {}),
        ("<u>; rel", {}),
        ("<u>; title=x", {}),
        ("", {}),
        ("garbage", {}),
        ("<u; rel=next", {}),
        ('<a>; rel="prev", garbage, <b>; rel="next"', {"prev": "a"}),
    ],
)
def test_forms_of_the_header(value, links):
    """RFC 8288: quoted and bare, several rels, several links, empty elements; what cannot be read ends the header."""
    assert parse_link(value) == links


@pytest.mark.parametrize(
    ("value", "links"),
    [
        (None, PageLinks()),
        ("", PageLinks()),
        (PARTS["prev"], PageLinks(stated=True, previous_page=1)),
        (f"{PARTS['prev']}, {PARTS['last']}", PageLinks(stated=True, previous_page=1)),
        (PARTS["next"], PageLinks(next_url=HAS_NEXT.next_url, next_page=3, stated=True)),
        ('</x?page=4>; rel="next"', PageLinks(next_url="https://api.github.com/x?page=4", next_page=4, stated=True)),
        ('<?page=4>; rel="next"', PageLinks(next_url=f"{HERE.partition('?')[0]}?page=4", next_page=4, stated=True)),
        (f'<{ROOT}?after=x>; rel="next"', PageLinks(next_url=f"{ROOT}?after=x", stated=True)),
        ('<http://[x?page=3>; rel="prev"', PageLinks(stated=True, previous_page=3)),
        ("nonsense", PageLinks(stated=True)),
    ],
)
def test_where_a_listing_goes_on(value, links):
    """With ``last`` missing, without any header, with a relative link."""
    assert _read(value) == links


def test_links_of_enterprise_server():
    """Its links are below /api/v3."""
    url = "https://ghe.example/api/v3/repositories/1/actions/artifacts?page=2"
    assert _read(f'<{url}>; rel="next"', GHES).next_url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x?page=2",
        "http://api.github.com/x?page=2",
        "https://api.github.com:8443/x?page=2",
        "https://user:pw@api.github.com/x?page=2",
        "https://api.github.com@evil.example/x?page=2",
        "https://api.github.com\\@evil.example/x?page=2",
        "//evil.example/x?page=2",
        "ftp://api.github.com/x",
        "javascript:alert(1)",
        "//[x",
        "http://[",
    ],
)
def test_a_next_link_to_elsewhere_is_not_followed(url):
    """It would be sent the token: another origin is noted, with what to do, and nothing but its origin is shown."""
    links = _read(f'<{url}>; rel="next"')
    assert links.next_url is None
    assert links.foreign.startswith("the next page's link leaves https://api.github.com for ")
    assert "pw" not in links.foreign
    assert "page=2" not in links.foreign


@given(values)
def test_no_header_breaks_it(value):
    """Any text is read; what is on another origin is no link to follow."""
    links = _read(value)
    assert links.next_url is None or BASE.owns(links.next_url)


@pytest.mark.parametrize(
    "value", ["<" * 8000, "<u>" + "; a=b" * 1600 + " x", "<u>;" + "a" * 8000, '<u>; a="' + "\\" * 8001, ", " * 4000]
)
def test_a_long_wrong_header_takes_no_time(value):
    """No input of a header's length makes the pattern search for long (the test's time limit would end it)."""
    assert parse_link(value) == {}


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://h/x?page=3", 3),
        ("https://h/x?per_page=5&page=10&name=page%3D4", 10),
        ("https://h/x?page=1&page=2", 2),
        ("https://h/x?page=3#page=4", 3),
        ("https://h/x", None),
        ("https://h/x?page=", None),
        ("https://h/x?page=-1", None),
        ("https://h/x?page=two", None),
        ("https://h/x?page=%D9%A3", None),
        ("https://h/x?page=" + "9" * 5000, None),
        ("http://[", None),
    ],
)
def test_page_numbers(url, page):
    """A page is a number of digits; anything else is none."""
    assert page_number(url) == page


_ODD = st.text(st.sampled_from("ab13&=+%;#?/.:@[]\\\t page"), max_size=30)


@given(_ODD, _ODD)
def test_the_usual_url_is_read_like_any_other(path, query):
    """What is read without the standard library's parsers is what they would return."""
    url = f"https://api.github.com/{path}?{query}&page=3"
    values = parse_qs(url.partition("#")[0].partition("?")[2]).get("page", [])
    assert page_number(url) == (int(values[-1]) if values and values[-1].strip().isdigit() else None)
    links = _read(f'<{url}>; rel="next"')
    assert links.next_url is None or urljoin(HERE, links.next_url) == urljoin(HERE, url)


@given(st.lists(st.sampled_from(["first", "prev", "next", "last", "up"]), max_size=5))
def test_rels_as_github_writes_them(rels):
    """They are read like rels in any other form of the grammar."""
    usual = ", ".join(f'<u{number}>; rel="{rel}"' for number, rel in enumerate(rels))
    assert parse_link(usual) == parse_link(usual.replace('; rel="', ' ; rel ="'))


@given(st.integers(0, 10**6), st.integers(1, 100))
def test_page_arithmetic(total, per_page):
    """Pages hold all items, and no page is empty."""
    pages = page_count(total, per_page)
    assert pages * per_page >= total
    assert (pages - 1) * per_page < total or pages == 0


@pytest.mark.parametrize(("fallen", "back"), [(-3, 0), (0, 0), (1, 1), (10, 1), (11, 2)])
def test_steps_back(fallen, back):
    """As far back as items can have moved."""
    assert pages_to_step_back(fallen, 10) == back
