"""Take the README's pictures of a report, with Chromium: python scripts/report_picture.py REPORT_HTML FOLDER."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

WIDTH = 1400
MARGIN = 12


def edge(page: Page, selector: str, which: str) -> float:
    """Where an element begins (`top`) or ends (`bottom`), in pixels from the top of the page."""
    return float(page.locator(selector).evaluate(f"element => element.getBoundingClientRect().{which}"))


def take(report: Path) -> dict[str, bytes]:
    """Two parts of a report as PNG: from the verdict to the specifications, and the first four plots."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        parts = {
            "report": (0.0, edge(page, "#specs", "bottom") + MARGIN),
            "plots": (edge(page, "#plots", "top") - MARGIN, edge(page, "#plots figure >> nth=3", "bottom") + MARGIN),
        }
        pictures = {
            name: page.screenshot(full_page=True, clip={"x": 0, "y": top, "width": WIDTH, "height": bottom - top})
            for name, (top, bottom) in parts.items()
        }
        browser.close()
    return pictures


def main(report: Path, folder: Path) -> None:
    """Take the pictures and store them with 256 colours, which a page of text and lines does not miss."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in take(report).items():
        path = folder / f"{name}.png"
        Image.open(BytesIO(picture)).convert("RGB").quantize(256).save(path, optimize=True)
        print(f"{path}: {path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
