"""The bundle as it is served; `make test` makes it first."""

import pytest

from fleetkeeper.console.rendering import DIST, asset_url

pytestmark = pytest.mark.skipif(not DIST.exists(), reason="the assets are not bundled")


async def test_an_asset_is_served_for_good_and_compressed(anonymous):
    for name in ("console.js", "device.js", "theme_boot.js", "console.css", "icons.svg", "favicon.svg"):
        answer = await anonymous.get(asset_url(name), headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 200, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"
        compressed = await anonymous.get(asset_url(name), headers={"Accept-Encoding": "gzip"})
        assert compressed.headers["content-encoding"] == "gzip"
        assert compressed.content == answer.content


async def test_nothing_else_is(anonymous):
    for path in ("dist/../rendering.py", "dist/..%2f..%2frendering.py", "dist/", "x", "dist/no.js"):
        assert (await anonymous.get(f"/static/{path}")).status_code == 404, path


def test_the_bundle_is_small():
    scripts = {path: path.stat().st_size for path in DIST.glob("*.js")}
    # Only those who edit a dashboard fetch its editor, most of which is the grid that panels are dragged in.
    editor = {path: size for path, size in scripts.items() if path.name.startswith("editor-")}
    assert len(editor) == 1
    assert sum(editor.values()) < 130_000
    # Only the topology page fetches what draws graphs.
    graphs = {path: size for path, size in scripts.items() if path.name.startswith("cytoscape")}
    assert len(graphs) == 1
    assert sum(graphs.values()) < 480_000
    assert sum(scripts.values()) - sum(editor.values()) - sum(graphs.values()) < 235_000
    assert sum(path.stat().st_size for path in DIST.glob("*.css")) < 150_000
