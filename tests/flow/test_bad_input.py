"""Whatever comes in: a clear 4xx or an event with a note; never a 500, never a lost neighbour."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import uuid
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import brotli
import psutil
import pytest
from playwright.sync_api import Browser

from app.base.shortid import short_id
from tests.flow.dashboard import Dashboard
from tests.flow.everything import EVERYTHING, OLD_SHAPES, WRONG, paths, spoilt
from tests.flow.installation import Installation, folder, installation, wait_for
from tests.flow.sending import Answer, Sender, at_once, dumps, envelope

MB = 1024 * 1024
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture(scope="module")
def tocsin() -> Iterator[Installation]:
    with folder() as data:
        with installation(data) as tocsin:
            yield tocsin
        log = tocsin.log.read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 2000 :][:6000]


@pytest.fixture(scope="module")
def sender(tocsin: Installation) -> Sender:
    return Sender(tocsin.line["dsn"])


def stored(tocsin: Installation, ids: list[str]) -> set[str]:
    rows = tocsin.rows("SELECT event_id FROM app_event WHERE event_id = ANY(%s::uuid[])", ids)
    return {event_id.hex for (event_id,) in rows}


def refused(tocsin: Installation) -> list[str]:
    return [reason for (reason,) in tocsin.rows("SELECT reason FROM app_quarantined ORDER BY id")]


def deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def bomb(squeeze: Any, begin: bytes = b"", megabytes: int = 256) -> bytes:
    """Zeros in next to nothing, behind a beginning that may look good; MAX_ENVELOPE is 100 MB."""
    pieces = itertools.chain([begin], itertools.repeat(bytes(16 * MB), megabytes // 16))
    return b"".join([*(squeeze(piece) for piece in pieces), squeeze.finish()])


class Zlib:
    """zlib (15) or gzip (31) in the manner of brotli's compressor."""

    def __init__(self, format_: int) -> None:
        self.stream = zlib.compressobj(1, zlib.DEFLATED, format_)
        self.finish = self.stream.flush

    def __call__(self, piece: bytes) -> bytes:
        return self.stream.compress(piece)


class Brotli:
    def __init__(self) -> None:
        self.stream = brotli.Compressor(quality=1)
        self.finish = self.stream.finish

    def __call__(self, piece: bytes) -> bytes:
        return bytes(self.stream.process(piece))


#: An envelope that is in order as far as anybody can read.
FAIR = b'{}\n{"type":"attachment","filename":"core","length":%d}\n' % 1024**3


def post(sender: Sender, body: bytes, project: str = "", key: str = "", **headers: str) -> Answer:
    auth = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key or sender.key}"}
    return sender.post(f"/api/{project or sender.project}/envelope/", body, auth | headers)


def item(header: bytes, payload: bytes = b"{}") -> bytes:
    return b"{}\n" + header + b"\n" + payload + b"\n"


GOOD = envelope(dumps({"message": "good", "platform": "python"}))
#: What must be answered with a 4xx, and by which.
REFUSED: dict[str, tuple[Callable[[Sender], Answer], set[int]]] = {
    "wrong key": (lambda s: post(s, GOOD, key="0" * 32), {403}),
    "a key that is none": (lambda s: post(s, GOOD, key="nonsense"), {400, 403}),
    "unknown project": (lambda s: post(s, GOOD, project="999999"), {403, 404}),
    "a project that is no number": (lambda s: post(s, GOOD, project="shop"), {400, 404}),
    "no key at all": (lambda s: s.post(f"/api/{s.project}/envelope/", GOOD, {}), {401}),
    "an empty body": (lambda s: s.envelope(b""), {400}),
    "no envelope": (lambda s: s.envelope(b"hello\nworld\n"), {400}),
    "an envelope header that is a list": (lambda s: s.envelope(b"[]\n{}\n{}"), {400}),
    "an envelope header nested 10,000 deep": (lambda s: s.envelope(b'{"a":' + deep(10_000) + b"}\n"), {400}),
    "an item header nested 10,000 deep": (lambda s: s.envelope(item(deep(10_000))), {400}),
    "an item header that is no JSON": (lambda s: s.envelope(item(b"{type: event}")), {400}),
    "a length beyond the end": (lambda s: s.envelope(item(b'{"type":"event","length":99}')), {400}),
    "a length below nothing": (lambda s: s.envelope(item(b'{"type":"event","length":-1}')), {400}),
    "a length of 2**70": (lambda s: s.envelope(item(b'{"type":"event","length":%d}' % 2**70)), {400}),
    "a length that is no number": (lambda s: s.envelope(item(b'{"type":"event","length":"2"}')), {400}),
    "gzip cut in half": (lambda s: s.envelope(gzip.compress(GOOD)[: len(GOOD) // 2], **GZIP), {400}),
    "gzip that is none": (lambda s: s.envelope(GOOD, **GZIP), {400}),
    "brotli that is none": (lambda s: s.envelope(b"\xff" * 99, **{"Content-Encoding": "br"}), {400}),
    "zstd that is none": (lambda s: s.envelope(GOOD, **{"Content-Encoding": "zstd"}), {400}),
    "an encoding nobody knows": (lambda s: s.envelope(GOOD, **{"Content-Encoding": "rot13"}), {400, 415}),
    "a body over 20 MB": (lambda s: s.envelope(b"{}\n" + bytes(21 * MB)), {413}),
    "a zip bomb": (lambda s: s.envelope(bomb(Zlib(31)), **GZIP), {400, 413}),
    "an empty store body": (lambda s: s.store(b""), {400}),
}  # fmt: skip

JSON_HEAD = b'{"event_id":"%s","message":"odd",'
#: What is accepted and must become an event although something in it is wrong.
EVENTS: dict[str, bytes] = {
    "NaN": b'"extra":{"load":NaN}}',
    "Infinity": b'"extra":{"load":[Infinity,-Infinity,1e999]}}',
    "a lone surrogate": b'"extra":{"\\ud800":"\\udfff half"},"tags":{"a":"\\ud83d"}}',
    "NUL bytes": b'"extra":{"\\u0000":"a\\u0000b"},"logger":"\\u0000","environment":"pro\\u0000d"}',
    "a huge integer": b'"extra":{"n":%d},"timestamp":%d,"user":{"id":%d}}' % (2**70, 2**70, -(2**70)),
    "raw bytes that are no UTF-8": b'"extra":{"name":"\xff\xfe\xc3("}}',
    "a key twice": b'"level":"info","level":"error","extra":{"a":1,"a":2}}',
    "attributes nobody knows": b'"no_such":{"thing":[1]},"tags":{"":"","a b":"c","x":null}}',
    "attribute access in a format": b'"logentry":{"message":"{a.__class__.__mro__} {0[0]} {}","params":[1]}}',
    "a wide format": b'"logentry":{"message":"%60000000s %(a)60000000d","params":["x"]}}',
    "a wide format by name": b'"logentry":{"message":"{a:>600000000}","params":{"a":"x"}}}',
    "a text of 800 KB": b'"extra":{"long":"' + b"x" * 800_000 + b'"}}',
    "20,000 tags": b'"tags":' + json.dumps({f"k{i}": str(i) for i in range(20_000)}).encode() + b"}",
    "5,000 frames": b'"exception":{"values":[{"type":"E","value":"deep","stacktrace":{"frames":'
    + json.dumps([{"function": f"f{i}", "lineno": i} for i in range(5_000)]).encode() + b"}}]}}",
    "2,000 exceptions": b'"exception":'
    + json.dumps([{"type": f"E{i}", "value": "chain"} for i in range(2_000)]).encode() + b"}",
}  # fmt: skip
#: Accepted or refused at once; if accepted, stored with a note or quarantined with a reason.
EITHER: dict[str, bytes] = {
    "a 2 MB event": b'"extra":{"long":"' + b"x" * 2 * MB + b'"}}',
    "nested 10,000 deep": b'"extra":' + deep(10_000) + b"}",
    "10,000 objects deep": b'"extra":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "JSON that ends too early": b'"extra":{"a":',
    "JSON with a comma too many": b'"extra":{},}',
    "JSON that ends after a comma": b"",
    "a control character": b'"extra":{"a":"\x00\x1f"}}',
}


def with_neighbour(tocsin: Installation, sender: Sender, bad: Callable[[], Answer]) -> Answer:
    """The answer to `bad`; good events sent at the same moment, before and after it, were all stored."""
    ids = [uuid.uuid4().hex for _ in range(4)]
    good = [partial(sender.message, "a good neighbour", each) for each in ids]
    answers = at_once([*good[:2], bad, *good[2:]], threads=5)
    answer = answers.pop(2)
    assert {each.status for each in answers} == {200}
    wait_for(lambda: stored(tocsin, ids) == set(ids), "the good neighbours stored")
    return answer


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_an_event_is_refused_in_words(tocsin: Installation, sender: Sender, case: str) -> None:
    send, allowed = REFUSED[case]
    answer = with_neighbour(tocsin, sender, lambda: send(sender))
    assert answer.status in allowed, answer
    assert answer.json["detail"], answer
    assert answer.headers["x-sentry-error"]
    assert answer.headers["access-control-allow-origin"] == "*"


def as_store(sender: Sender, payload: bytes) -> Answer:
    """The same event the old way: base64 of zlib."""
    return sender.store(base64.b64encode(zlib.compress(payload)))


@pytest.mark.parametrize("case", EVENTS)
def test_an_odd_event_is_an_event(tocsin: Installation, sender: Sender, case: str) -> None:
    before = len(refused(tocsin))
    new, old = uuid.uuid4().hex, uuid.uuid4().hex
    payload = JSON_HEAD % new.encode() + EVENTS[case]
    answer = with_neighbour(tocsin, sender, lambda: sender.envelope(envelope(payload, new)))
    assert (answer.status, answer.json["id"]) == (200, new)
    answer = as_store(sender, JSON_HEAD % old.encode() + EVENTS[case])
    assert (answer.status, answer.json["id"]) == (200, old)
    wait_for(lambda: stored(tocsin, [new, old]) == {new, old}, f"{case} stored both ways")
    assert len(refused(tocsin)) == before


@pytest.mark.parametrize("case", EITHER)
def test_what_turns_out_to_be_no_event_is_kept_with_the_reason(
    tocsin: Installation, sender: Sender, case: str
) -> None:
    before = len(refused(tocsin))
    event_id = uuid.uuid4().hex
    payload = JSON_HEAD % event_id.encode() + EITHER[case]
    answer = with_neighbour(tocsin, sender, lambda: sender.envelope(envelope(payload, event_id)))
    if answer.status != 200:
        assert answer.status in (400, 413), answer
        assert answer.json["detail"]
        return
    wait_for(lambda: stored(tocsin, [event_id]) or len(refused(tocsin)) > before, f"{case} stored or refused")
    assert all(reason and "Traceback" not in reason for reason in refused(tocsin))


def every_spoilt_event() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every attribute with every wrong value, in today's shape and in the old ones."""
    for (path, (name, wrong)), base in itertools.chain(
        ((case, EVERYTHING) for case in itertools.product(paths(EVERYTHING), WRONG.items())),
        ((case, OLD_SHAPES) for case in itertools.product(paths(OLD_SHAPES), WRONG.items())),
    ):
        yield f"{'.'.join(map(str, path))} = {name}", spoilt(base, path, wrong)


def test_a_wrong_type_in_any_attribute_never_costs_the_event(tocsin: Installation, sender: Sender) -> None:
    cases = {uuid.uuid4().hex: case for case in every_spoilt_event()}
    before = len(refused(tocsin))
    answers = at_once([partial(sender.event, event, each) for each, (_, event) in cases.items()])
    assert {answer.status for answer in answers} == {200}

    def missing() -> list[str]:
        return [cases[each][0] for each in cases.keys() - stored(tocsin, list(cases))]

    wait_for(lambda: not missing() or len(refused(tocsin)) > before, "every spoilt event stored", 90)
    assert missing() == []
    assert refused(tocsin)[before:] == []


def addresses(tocsin: Installation, ids: list[str]) -> list[str]:
    """Where the pages of these events are."""
    rows = tocsin.rows(
        """SELECT app_organization.slug, app_project.slug, app_issue.number, event_id
           FROM app_event JOIN app_issue ON app_issue.id = issue_id
           JOIN app_project ON app_project.id = app_issue.project_id
           JOIN app_organization ON app_organization.id = organization_id
           WHERE event_id = ANY(%s::uuid[])""",
        ids,
    )
    return [f"/{org}/issues/{short_id(slug, number)}/events/{each.hex}/" for org, slug, number, each in rows]


@pytest.mark.needs("chromium")
def test_the_page_of_a_spoilt_event_is_a_page(tocsin: Installation, sender: Sender, browser: Browser) -> None:
    """Every second attribute, each with another wrong value than the one before it."""
    every = list(every_spoilt_event())[:: 2 * len(WRONG) + 1]
    cases = {uuid.uuid4().hex: case for case in every}
    at_once([partial(sender.event, event, each) for each, (_, event) in cases.items()])
    wait_for(lambda: stored(tocsin, list(cases)) == cases.keys(), "the spoilt events stored")
    with browser.new_context() as context:
        dashboard = Dashboard(context.new_page(), tocsin.line)
        dashboard.sign_in()
        for address in addresses(tocsin, list(cases)):
            answer = context.request.get(dashboard.url + address)
            name = cases[address.split("/")[-2]][0]
            assert answer.status == 200, f"{answer.status} for the event with {name}"


def test_one_malformed_event_among_sixty_costs_nobody_else(tocsin: Installation, sender: Sender) -> None:
    ids = [uuid.uuid4().hex for _ in range(60)]
    jobs: list[Callable[[], Answer]] = [partial(sender.message, "one of sixty", each) for each in ids]
    jobs.insert(30, lambda: sender.envelope(envelope(b'{"message": "torn')))
    answers = at_once(jobs, threads=16)
    assert {answer.status for answer in answers} <= {200, 400}
    wait_for(lambda: stored(tocsin, ids) == set(ids), "sixty events stored")


def bombs(sender: Sender) -> dict[str, Callable[[], Answer]]:
    """1 GB by gzip, as the classic goes, and its relatives."""
    packed = base64.b64encode(bomb(Zlib(15), b'{"message":"'))
    return {
        "gzip": partial(sender.envelope, bomb(Zlib(31), FAIR, 1024), **GZIP),
        "deflate": partial(sender.envelope, bomb(Zlib(15), FAIR), **{"Content-Encoding": "deflate"}),
        "br": partial(sender.envelope, bomb(Brotli(), FAIR), **{"Content-Encoding": "br"}),
        "store": partial(sender.store, packed),
        "gzip in gzip": partial(sender.envelope, gzip.compress(bomb(Zlib(31), FAIR)), **GZIP),
    }


def test_zip_bombs_cost_a_bounded_piece_of_memory(tocsin: Installation, sender: Sender) -> None:
    every = bombs(sender)
    before = {process: forget_peak(process) for process in tocsin.family()}
    answers = dict(zip(every, at_once([*every.values()], threads=5), strict=True))
    assert {name for name, answer in answers.items() if answer.status == 200} <= {"store"}, answers
    with_neighbour(tocsin, sender, every["store"])
    grown = {" ".join(each.cmdline())[-60:]: peak(each) - rss for each, rss in before.items()}
    assert max(grown.values()) < 64 * MB, grown


def forget_peak(process: psutil.Process) -> int:
    """What the process has resident now, in bytes; `peak` counts from here."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    return int(process.memory_info().rss)


def peak(process: psutil.Process) -> int:
    """The most memory the process had resident, in bytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
