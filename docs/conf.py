"""How the documentation is built: ``make docs``."""

import builtins
import sys
from importlib.metadata import version as _version
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.pycode import ModuleAnalyzer
from sphinx.transforms.post_transforms import SphinxPostTransform

sys.path.insert(0, str(Path(__file__).parent))  # for constructors

project = "gh_artifacts_async"
author = "gh_artifacts_async contributors"
copyright = author  # noqa: A001  Sphinx's name
release = version = _version("gh-artifacts-async")

extensions = [
    "constructors",
    "myst_parser",
    "options",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
language = "en"
smartquotes_action = "De"  # no curly quotes: a literal in an alias is to be copied
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["ours.css"]
html_search_scorer = str(Path(__file__).parent / "search.js")
copybutton_exclude = ".linenos, .gp, .go"  # a copied console block has its commands alone
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
python_display_short_literal_types = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = False
napoleon_use_rtype = False

doctest_global_setup = """
import os
import tempfile
os.chdir(tempfile.mkdtemp())
"""
nitpick_ignore = [
    # What autodoc writes as a role itself.
    ("py:class", "collections.abc.Callable"),
    ("py:obj", "gh_artifacts_async.results.T_co"),
    # What docstrings name for who reads the source, and no page has.
    ("py:attr", "ArchiveDirectory.folders"),
    ("py:data", "BLOCK"),
    ("py:data", "MAX_DICTIONARY"),
    ("py:data", "gh_artifacts_async.archive.inflate.BLOCK"),
]


class _Builtins(SphinxPostTransform):
    """Take the links from Python's own types, before ``bytes`` finds a field of that name."""

    default_priority = 5  # before links are resolved

    def run(self, **_options):
        """Replace each of them by its text."""
        for node in list(self.document.findall(pending_xref)):
            if node.get("reftype") == "class" and hasattr(builtins, node["reftarget"]):
                node.replace_self(node.children)


class _Names(SphinxPostTransform):
    """Say which names and options fit a column of a table on a phone; the style sheet breaks only those that do not."""

    default_priority = 900

    def run(self, **_options):
        """Give each of them a class."""
        for node in self.document.findall(nodes.literal):
            words = node.astext().split()
            if max(map(len, words), default=0) > 24:  # noqa: PLR2004
                node["classes"].append("long")
            elif len(words) == 1:
                node["classes"].append("short")


def _link_annotation(app, env, node, text):
    """Link a name in a signature where it is one of ours, and leave it as it is where it is not."""
    if node.get("refdomain") != "py" or "refwarn" in node:  # a role in a text has refwarn, and must lead somewhere
        return None
    name = node["reftarget"].rpartition(".")[2]
    for module in ("gh_artifacts_async", "gh_artifacts_async.archive", "gh_artifacts_async.testing"):
        python = env.get_domain("py")
        found = python.resolve_any_xref(env, node["refdoc"], app.builder, f"{module}.{name}", node, text)
        if found:
            return found[0][1]
    return text


def _keep_colons(_app, what, _name, _object, _options, lines):
    """Keep napoleon from taking the first words of a property's docstring, up to a colon, for its type."""
    if what in {"attribute", "data", "property"}:
        lines[:0] = ["..", ""]  # an empty comment


def _document_alias(_app, what, name, _object, _options, lines):
    """Take the docstring of an alias from the module that defines it."""
    if what == "data":
        for module in ("settings", "events", "results", "archive.end_record"):
            found = ModuleAnalyzer.for_module(f"gh_artifacts_async.{module}").find_attr_docs()
            lines[:] = found.get(("", name.rpartition(".")[2]), lines)


def _hide_constructor(_app, _what, name, _object, _options, _signature, _returns):
    """Show no arguments of a class that only calls of the client make."""
    return ("", "") if name.rpartition(".")[2] in {"ArtifactStream", "RemoteArchive"} else None


def setup(app):
    """Connect them all."""
    app.add_post_transform(_Builtins)
    app.add_post_transform(_Names)
    app.connect("autodoc-process-signature", _hide_constructor)
    app.connect("missing-reference", _link_annotation)
    app.connect("autodoc-process-docstring", _document_alias, priority=300)
    app.connect("autodoc-process-docstring", _keep_colons, priority=400)
