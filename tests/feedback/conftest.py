"""The browser of the browser tests, for the one test here that looks at a page in one."""

from tests.browser.conftest import chromium

__all__ = ["chromium"]
