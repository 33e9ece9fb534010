"""Take the README's picture of a report, with Chromium: python scripts/report_picture.py REPORT_HTML PICTURE_PNG."""

from __future__ import annotations

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1280, 1400


def take(report: Path) -> bytes:
    """The top of a report as PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        picture = page.screenshot()
        browser.close()
    return picture


def main(report: Path, target: Path) -> None:
    """Take the picture and store it with 128 colours, which a page of text and lines does not miss."""
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.open(BytesIO(take(report))).convert("RGB").quantize(128).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
