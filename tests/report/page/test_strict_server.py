"""Behind the default policy of Jenkins, which removes scripts and styles, every fact is readable in order.

https://www.jenkins.io/doc/book/security/configuring-content-security-policy/
"""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from retspec.records import Verdict
from retspec.report.page import render_page
from tests.report.formats.sample import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.report.page.browser import Page

POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
ITS_OWN = ("Content Security Policy", "'allow-scripts' permission is not set")
"""What the policy itself writes to the console."""
BARE_SHAPES = """[...document.querySelectorAll(".verdict")].filter((each) => each.checkVisibility())
  .filter((each) => !(each.querySelector("svg.shape").getBoundingClientRect().width >= 14
    && each.querySelector("use").getBBox().width > 0)).map((each) => each.outerHTML)"""


@contextmanager
def _served(text: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/report.html"
        finally:
            server.shutdown()


def test_jenkins_leaves_every_fact_in_order(page: Page) -> None:
    page.resize(1200)
    with _served(render_page([sample()])) as url:
        page.visit(url)
        text = " ".join(page.evaluate("document.querySelector('main').textContent").split())
        assert page.evaluate("getComputedStyle(document.body).margin") == "8px", "styles are not removed"
        assert page.evaluate("document.querySelector('.tools')") is None, "scripts are not removed"
        assert page.evaluate(BARE_SHAPES) == []
        assert [each for each in page.complaints if not any(map(each.__contains__, ITS_OWN))] == []
        assert [each for each in page.requests if each != "data:,"] == []
    place = text.index("Needs a look")
    for result in [each for each in sample().results if each.verdict is Verdict.MISSED]:
        facts = [
            f"missed {result.criterion.id}",
            "observed",
            "required",
            " ".join(result.reason.split()),
            f"What to do: {result.criterion.advice.replace('`', '')}",
            f"At {result.criterion.mark.file}:{result.criterion.mark.line}",
        ]
        for fact in facts:
            place = text.index(fact, place)
