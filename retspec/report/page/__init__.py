"""The HTML page of one or several results: a pure function of them, imported only when a page is made."""

from retspec.report.page.rendering import render_fragment, render_page

__all__ = ["render_fragment", "render_page"]
