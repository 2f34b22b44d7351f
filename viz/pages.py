"""A page that only shows something: no scripts, and a policy that forbids every request. And what a policy needs."""

from __future__ import annotations

import base64
import hashlib
from html import escape

STATIC = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {hashes}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def static_page(title: str, style: str, body: str, inner: str) -> str:
    """The text of a page with a style sheet; `inner` is that of the SVG pictures in `body`. `title` is escaped."""
    hashes = f"{csp_hash(style)} {csp_hash(inner)}"
    return STATIC.format(hashes=hashes, title=escape(title), style=style, body=body)


def csp_hash(text: str) -> str:
    """What a Content-Security-Policy says to allow this one style sheet or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
