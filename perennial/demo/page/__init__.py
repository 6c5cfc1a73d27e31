"""The picture of a run: one HTML file that needs nothing else, drawn by hand in SVG."""

from perennial.demo.page.document import render

__all__ = ["render"]
