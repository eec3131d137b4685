"""Markdown as HTML that may stand in a page, whoever wrote it. Pure."""

import nh3
from markdown_it import MarkdownIt

# HTML in the text is shown as it stands. Images would be fetched from elsewhere, and tell who reads; they are links.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["table", "strikethrough"])
    .disable("image")
)
_TAGS = {
    *("a", "br", "code", "em", "s", "strong"),
    *("blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)


def html_of(markdown: str) -> str:
    """What a page shows of a note. Scripts, styles, images and links other than http, https and mailto are left out."""
    return _CLEANER.clean(_MARKDOWN.render(markdown))
