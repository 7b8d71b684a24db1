"""The documentation site: `python -m tools.site FOLDER` writes it, for any server of files or none.

The Markdown of `docs/` as it stands, a page for each operation, code and shipped spec, and the playground. Sphinx makes
it, with MyST for Markdown and Furo for the looks: it is old and alive, links that lead nowhere stop it, and nothing on
its pages asks another host.
"""
