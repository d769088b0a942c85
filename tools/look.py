"""Run a notebook in a real JupyterLab and write pictures of it, so that its author can look.

Usage: .venv-grading/bin/python tools/look.py NOTEBOOK.ipynb OUT_DIR [--width 1280] [--height 1400]
       [--no-run] [--click SELECTOR ...] [--element SELECTOR ...]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import accessibility
import browser
import learn


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 1 where a cell of the notebook failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1400)
    parser.add_argument("--no-run", action="store_true", help="do not run the cells")
    parser.add_argument("--click", action="append", default=[], help="click this first; repeatable")
    parser.add_argument(
        "--element", action="append", default=[], help="also photograph this alone; repeatable"
    )
    options = parser.parse_args(arguments)

    executable = browser.chromium_path()
    if executable is None:
        print("There is no Chromium on this machine. Install one first.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="look-") as temporary:
        root = Path(temporary) / "root"
        # The notebook's whole folder, as assignments may lie beside their data.
        shutil.copytree(
            options.notebook.resolve().parent,
            root,
            ignore=shutil.ignore_patterns("*.py", "crs", "__pycache__", ".*", "work"),
        )
        config = browser.extra_config(Path(temporary) / "config")
        print(f"Starting JupyterLab on a copy of {options.notebook}", flush=True)
        with (
            learn.running_lab(root, port=0, start=options.notebook.name, configs=(config,)) as lab,
            browser.running_browser(executable) as chromium,
        ):
            page = browser.new_page(chromium, width=options.width, height=options.height)
            console: list[str] = []
            page.on("console", lambda m: console.append(m.text) if m.type == "error" else None)
            browser.open_notebook(page, lab, options.notebook.name)
            browser.only_the_notebook(page)
            if not options.no_run:
                print("Running all cells", flush=True)
                browser.run_all(page)
            for selector in options.click:
                page.locator(selector).first.click()
                page.wait_for_timeout(800)
            files = browser.screenshot_pages(page, options.out, options.notebook.stem)
            for number, selector in enumerate(options.element, 1):
                file = options.out / f"element-{number:02d}.png"
                page.locator(selector).first.screenshot(path=file)
                files.append(file)
            errors = browser.cell_errors(page)
            violations = accessibility.violations_in_notebook(page)
            refused = page.refused  # type: ignore[attr-defined]
    for text in console[:20]:
        print(f"browser console error: {text}")
    for url in sorted(refused):
        print(f"refused a request off this machine: {url}")
    for violation in violations:
        print(f"accessibility, {violation.impact}: {violation.rule}: {violation.help}")
        print("".join(f"    {node}\n" for node in violation.nodes[:5]), end="")
    for error in errors:
        print(f"a cell failed: {error}")
    print("\n".join(str(file) for file in files))
    print("Next: look at these pictures.")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
