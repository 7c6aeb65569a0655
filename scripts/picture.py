"""Draw the README's picture: the Slack messages of a real run of the demo, as the local runner's page shows a channel.

    .venv/bin/python -m scripts.picture           # runs the demo, then writes docs/slack.png; needs chromium and an emoji font

On Debian: apt-get install chromium fonts-noto-color-emoji.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from local.slack_page import page

_OUT = Path(__file__).resolve().parent.parent / "docs" / "slack.png"
_WIDTH = 1120
_CHANNEL = "billing-ops"
# A page that reloads itself or waits for a pointer makes no picture; two columns fit a README better than one long one.
_STYLE = (
    "nav{display:none}main>h1{position:static;padding:10px 16px}.messages{columns:2;column-gap:0;padding:4px 0}"
    ".message{break-inside:avoid;padding:7px 14px}body{min-height:0;font-size:14px}.header{font-size:16px}"
    ".fields{display:flex;flex-wrap:wrap;gap:2px 24px}"
)


def main() -> int:
    """Run the demo, draw its channel, take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        saved, html = Path(folder) / "messages.json", Path(folder) / "channel.html"
        if subprocess.run([sys.executable, "-m", "scripts.demo", "--save", str(saved)], check=False).returncode:
            return 1
        html.write_text(drawn(json.loads(saved.read_text())))
        photograph(html, _OUT)
    print(f"wrote {_OUT}")
    return 0


def drawn(messages: list[dict[str, object]]) -> str:
    """Return the page of the channel, each message at the story's time."""
    posts = [(float(str(each["at"])), each["payload"]) for each in messages if each["channel"] == _CHANNEL]
    found = page(_CHANNEL, sorted({str(each["channel"]) for each in messages}), posts)
    found = re.sub(r'<meta http-equiv="refresh"[^>]*>', "", found)
    found = found.replace("</style>", f"{_STYLE}</style>").replace("</h1>", '</h1><div class="messages">').replace("</main>", "</div></main>")
    return found + "<script>document.documentElement.dataset.height = document.body.scrollHeight</script>"


def photograph(html: Path, out: Path) -> None:
    """Take a picture of a page, as high as what is on it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or "chromium"
    browser = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=2"]
    measured = subprocess.run([*browser, f"--window-size={_WIDTH},800", "--dump-dom", html.as_uri()], capture_output=True, text=True, check=True)
    found = re.search(r'data-height="(\d+)"', measured.stdout)
    height = int(found[1]) if found else 800
    subprocess.run([*browser, f"--window-size={_WIDTH},{height}", f"--screenshot={out}", html.as_uri()], capture_output=True, check=True)


if __name__ == "__main__":
    sys.exit(main())
