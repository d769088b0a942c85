"""The page itself: one file, no script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from traitlets import Unicode, default

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = _TEMPLATES / "autograder_feedback" / "page.css"


class FeedbackExporter(TemplateExporter):
    """Write the page that `autograder.feedback.MakePage` worked out.

    A course can bring a template of its own: ``c.FeedbackExporter.extra_template_basedirs`` and
    ``template_name``.

    Attributes
    ----------
    language_code : str
        Of the course's text, for screen readers.
    """

    language_code = Unicode("en", help="Language of the page.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    @default("template_extension")
    def _template_extension_default(self) -> str:
        return ".html.j2"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "autograder_feedback"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(_TEMPLATES)]

    output_mimetype = "text/html"

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True  # only what is Markup goes onto the page as it is
        environment.undefined = StrictUndefined  # without MakePage there is no page, and an error
        environment.trim_blocks = environment.lstrip_blocks = True
        return environment

    def _init_resources(self, resources: dict[str, Any] | None) -> dict[str, Any]:
        found: dict[str, Any] = super()._init_resources(resources)  # type: ignore[no-untyped-call]
        style = _STYLE.read_text(encoding="utf-8").strip()
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        found["page_style"] = Markup(style)  # our own file
        found["page_style_hash"] = f"sha256-{digest}"
        found["language_code"] = self.language_code
        return found
