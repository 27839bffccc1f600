"""What a browser makes of a page: measured in headless Chromium, at several widths."""

import json
import shutil
import subprocess

import pytest

# Runs within the page; what it finds goes to the page around it.
_PROBE = """<script>
let refused = [];
document.addEventListener("securitypolicyviolation", e => refused.push(e.blockedURI));
addEventListener("load", () => {
  const root = document.documentElement, texts = [];
  const overlaps = [], outside = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map(
      t => [t.textContent, t.getBoundingClientRect()]);
    boxes.forEach(([text, a], i) => {
      texts.push(text);
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 ||
          a.bottom > frame.bottom + 1) outside.push(text);
      for (const [other, b] of boxes.slice(i + 1))
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2) overlaps.push([text, other]);
    });
  }
  const broken = [...document.images].filter(i => !i.complete || !i.naturalWidth).length;
  const clipped = [...document.querySelectorAll("table")].filter(
    t => t.scrollWidth > t.parentElement.clientWidth + 1).length;
  parent.postMessage({
    width: innerWidth, scroll: root.scrollWidth, texts, overlaps, outside, refused, broken,
    clipped, images: document.images.length,
    fetched: performance.getEntriesByType("resource").map(e => e.name),
  }, "*");
});
</script>"""

_HOST = """<!DOCTYPE html><title>host</title><body><pre id="found"></pre>%s<script>
const found = [];
addEventListener("message", e => {
  found.push(e.data);
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script></body>"""


def chromium():
    """Chromium's path; the test is skipped where there is none that may read the test's files."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path and "/snap/" not in path:  # those see a /tmp of their own
            return path
    return pytest.skip("no Chromium")


def _run(folder, *arguments):
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    options.append(f"--user-data-dir={folder}/profile")
    done = subprocess.run(
        [chromium(), *options, *arguments], capture_output=True, timeout=240, check=True
    )
    return done.stdout.decode("utf-8", "replace")


def measure(page, folder, widths):
    """What the page is like at some widths, in pixels: a dict for each.

    Chromium's window is never narrower than 500 pixels, so that the page goes into frames.
    """
    page = page.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    (folder / "probe.html").write_text(page.replace("<style>", f"{_PROBE}<style>", 1))
    frame = '<iframe src="probe.html" style="border:0;height:800px;width:{}px"></iframe>'
    (folder / "host.html").write_text(_HOST % "".join(frame.format(w) for w in widths))
    dom = _run(folder, "--virtual-time-budget=20000", "--dump-dom", f"file://{folder}/host.html")
    text = dom.partition('id="found">')[2].partition("</pre>")[0]
    found = {
        one["width"]: one for one in json.loads(text.replace("&lt;", "<").replace("&amp;", "&"))
    }
    return [found[width] for width in widths]


def screenshot(path, folder, width, height):
    """A picture of a page, as PNG bytes."""
    target = folder / "screenshot.png"
    _run(folder, f"--window-size={width},{height}", f"--screenshot={target}", f"file://{path}")
    return target.read_bytes()
