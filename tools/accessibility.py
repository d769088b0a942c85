"""Check what a notebook shows with axe-core, inside the notebook's own content alone.

JupyterLab's frame (menus, side bars, cell editors) is not the course's to mend, so it is left out:
the check looks at rendered Markdown and at outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from playwright.sync_api import Page

PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
CONTENT = (f"{PANEL} .jp-RenderedMarkdown", f"{PANEL} .jp-OutputArea-output")
GRAVE = ("serious", "critical")


@dataclass(frozen=True)
class Violation:
    """One rule that the content breaks.

    Attributes
    ----------
    rule : str
        The name of the rule in axe-core.
    impact : str
        ``serious`` or ``critical``.
    help : str
        What the rule asks for.
    nodes : tuple of str
        The markup of the elements that break it, shortened.
    """

    rule: str
    impact: str
    help: str
    nodes: tuple[str, ...]


def violations_in_notebook(page: Page, *, leave_out: Sequence[str] = ()) -> list[Violation]:
    """Return the serious and critical violations in the open notebook's own content.

    Parameters
    ----------
    page : Page
        A page with a notebook open and run.
    leave_out : sequence of str
        Rules of axe-core that are not checked.

    Returns
    -------
    list of Violation
        Empty where the content is clean.

    Raises
    ------
    ValueError
        Where the notebook shows no content to check.
    """
    present = [selector for selector in CONTENT if page.locator(selector).count()]
    if not present:
        message = "The open notebook shows no Markdown and no output: nothing to check."
        raise ValueError(message)
    # JupyterLab's body is 0 pixels high, with its overflow hidden, around parts that are placed
    # absolutely. axe-core takes what lies in it for hidden, and would check no contrast at all.
    page.add_style_tag(content="html, body { height: 100% !important; }")
    return _violations(page, present, leave_out)


def violations_on_page(page: Page) -> list[Violation]:
    """Return the serious and critical violations on a whole page that is not JupyterLab's.

    Parameters
    ----------
    page : Page
        Any page that is open.

    Returns
    -------
    list of Violation
        Empty where the page is clean.
    """
    return _violations(page, ["html"], ())


def _violations(page: Page, parts: list[str], leave_out: Sequence[str]) -> list[Violation]:
    """Run axe-core on parts of a page."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    result = page.evaluate(
        """([selectors, rules]) => axe.run(
            { include: selectors.map(s => [s]) },
            {
                resultTypes: ['violations'],
                rules: Object.fromEntries(rules.map(rule => [rule, { enabled: false }])),
            })""",
        [parts, list(leave_out)],
    )
    return [
        Violation(
            rule=found["id"],
            impact=found["impact"],
            help=found["help"],
            nodes=tuple(f"{node['target']}: {node['html'][:200]}" for node in found["nodes"]),
        )
        for found in result["violations"]
        if found["impact"] in GRAVE
    ]
