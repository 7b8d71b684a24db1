"""Sphinx's settings for the site."""

from netc import __version__

project = "netc"
version = release = __version__
project_copyright = "the authors of netc"
extensions = ["myst_parser", "tools.site.examples"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # as GitHub makes them: links of the documents go there
suppress_warnings = [
    "misc.highlighting_failure",  # examples of what is wrong
    "myst.header",  # the references go from a chapter to its entries
]
highlight_language = "none"  # what a page shows without a language is what a terminal prints
html_theme = "furo"
html_title = "netc"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
