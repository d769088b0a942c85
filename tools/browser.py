"""A real Chromium in front of a real JupyterLab: shared by browser tests, bench and look."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, Route, sync_playwright

from learn import Lab

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
RUN_TIMEOUT_MS = 240_000
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"
SCROLLER = f"{NOTEBOOK} .jp-WindowedPanel-outer"


def chromium_path() -> str | None:
    """Return the Chromium of this machine, or None."""
    named = os.environ.get("CRS_CHROMIUM")
    if named:
        return named
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def extra_config(folder: Path) -> Path:
    """Write settings for a driven browser to ``folder``: the app in reach, every cell drawn.

    The look is JupyterLab's own, whatever theme this user has chosen.
    """
    labconfig = folder / "labconfig"
    labconfig.mkdir(parents=True, exist_ok=True)
    (labconfig / "default_setting_overrides.json").write_text(
        json.dumps({"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}})
    )
    (folder / "jupyter_server_config.json").write_text(
        json.dumps(
            {
                "LabApp": {
                    "expose_app_in_browser": True,
                    "user_settings_dir": str(folder / "user-settings"),
                }
            }
        )
    )
    return folder


@contextmanager
def running_browser(executable: str) -> Iterator[Browser]:
    """Run a headless Chromium until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
        )
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, *, width: int = 1280, height: int = 1600) -> Page:
    """Open a page that reaches this machine only, as the course must work offline.

    Addresses that it was refused are kept in ``page.refused``.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    refused: set[str] = set()

    def route(request_route: Route) -> None:
        url = request_route.request.url
        if url.startswith(("http://localhost:", "http://127.0.0.1:", "data:", "blob:")):
            request_route.continue_()
        else:
            refused.add(url)
            request_route.abort()

    page.route("**/*", route)
    page.refused = refused  # type: ignore[attr-defined]
    return page


def open_notebook(page: Page, lab: Lab, path: str) -> Locator:
    """Open a notebook of the lab's root and wait for its kernel; return its panel."""
    # reset: no tabs of an earlier page.
    page.goto(lab.address(quote(path)) + "&reset", wait_until="domcontentloaded")
    page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
    page.evaluate("() => window.jupyterapp.restored.then(() => null)")
    page.wait_for_function(
        "path => window.jupyterapp.shell.currentWidget?.context?.path === path",
        arg=path,
        timeout=60_000,
    )
    page.evaluate(
        """async () => {
            const panel = window.jupyterapp.shell.currentWidget;
            await panel.context.ready;
            await panel.sessionContext.ready;
            await panel.revealed;
        }"""
    )
    page.wait_for_function(
        """() => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel;
            return kernel && kernel.status === 'idle';
        }""",
        timeout=60_000,
    )
    return page.locator(NOTEBOOK)


def run_all(page: Page, *, timeout_ms: float = RUN_TIMEOUT_MS, settle_ms: float = 1500) -> None:
    """Choose Run, Run All Cells from the menu, and wait until every cell has run.

    ``settle_ms`` more are waited, as figures are drawn a little after the kernel is done.
    """
    page.locator(".lm-MenuBar-item", has_text="Run").first.click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp.shell.currentWidget;
            const cells = panel.content.widgets.filter(
                c => c.model.type === 'code' && c.model.sharedModel.getSource().trim());
            const kernel = panel.sessionContext.session.kernel;
            const ran = cells.every(c => c.model.executionState === 'idle'
                && c.model.executionCount !== null);
            const failed = cells.some(c => c.model.outputs.toJSON().some(
                o => o.output_type === 'error'));
            return cells.length && kernel.status === 'idle' && (ran || failed);
        }""",
        timeout=timeout_ms,
    )
    page.wait_for_timeout(settle_ms)


def cell_errors(page: Page) -> list[str]:
    """Return ``Name: message`` of every exception shown in the notebook."""
    errors: list[str] = page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(c => c.model.type === 'code')
            .flatMap(c => c.model.outputs.toJSON())
            .filter(o => o.output_type === 'error')
            .map(o => `${o.ename}: ${o.evalue}`)"""
    )
    return errors


def only_the_notebook(page: Page) -> None:
    """Fold the side bar away, so that the notebook has the width of the page."""
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.evaluate("() => window.jupyterapp.shell.collapseRight()")
    page.wait_for_timeout(300)


def screenshot_pages(page: Page, out: Path, stem: str) -> list[Path]:
    """Photograph the whole open notebook, page after page, and return the files."""
    scroller = page.locator(SCROLLER).first
    total, visible = scroller.evaluate("e => [e.scrollHeight, e.clientHeight]")
    step = max(visible - 60, 200)
    out.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    top = 0
    while True:
        scroller.evaluate("(e, top) => { e.scrollTop = top; }", top)
        page.wait_for_timeout(400)
        file = out / f"{stem}-{len(files) + 1:02d}.png"
        page.locator(NOTEBOOK).first.screenshot(path=file)
        files.append(file)
        if top + visible >= total or len(files) >= 80:
            return files
        top += step
