"""Pictures as SVG: a few shapes, and colours that follow the viewer's light or dark theme."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

CHARACTER_PX = 0.56  # of the font's size, the mean width of a character

STYLE = """
svg{--paper:#fff;--edge:#d1d9e0;--ink:#1f2328;--soft:#59636e;--rule:#e4e8ec;
--c0:#0969da;--c1:#9a6700;--c2:#1a7f37;--c3:#cf222e;--c4:#8250df;--c5:#0e8a8a;--c6:#bf3989;--c7:#6e7781;
--ours:#0969da;--other:#b6bec7;--good:#2da44e;--fair:#d4a72c;--bad:#cf4a4a}
@media(prefers-color-scheme:dark){svg{--paper:#0d1117;--edge:#30363d;--ink:#e6edf3;--soft:#9198a1;
--rule:#21262d;--c0:#4493f8;--c1:#d29922;--c2:#3fb950;--c3:#f85149;--c4:#ab7df8;--c5:#39c5cf;
--c6:#db61a2;--c7:#9198a1;--ours:#4493f8;--other:#6e7681;--good:#3fb950;--fair:#d29922;--bad:#f85149}}
text{font-family:system-ui,-apple-system,"Segoe UI","Noto Sans","Helvetica Neue",Arial,sans-serif;
fill:var(--ink)}
.green{fill:var(--good)}.orange{fill:var(--fair)}.red{fill:var(--bad)}.soft{fill:var(--soft)}.strong{font-weight:600}.middle{text-anchor:middle}.end{text-anchor:end}
.paper{fill:var(--paper);stroke:var(--edge)}.rule{stroke:var(--rule);fill:none}
""".replace("\n", "")


@dataclass
class Drawing:
    """A picture of so many pixels, with a title for those who cannot see it."""

    width: int
    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a filled rectangle in a colour of STYLE."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" '
            f'style="fill:var(--{colour})"/>'
        )

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """Draw the paper of a picture or of a part of it."""
        self.parts.append(
            f'<rect class="paper" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" rx="6"/>'
        )

    def text(self, x: float, y: float, text: str, kind: str = "", size: float = 13) -> None:
        """Write a line; `kind` has classes of STYLE, of which `end` and `middle` align it."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" class="{kind}">'
            f"{escape(text)}</text>"
        )

    def rule(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Draw a thin line."""
        self.parts.append(
            f'<line class="rule" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'
        )

    def line(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """Draw a line through points."""
        self.parts.append(
            f'<polyline points="{_joined(points)}" '
            f'style="fill:none;stroke:var(--{colour});stroke-width:1.4"/>'
        )

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """Fill the area within points."""
        self.parts.append(
            f'<polygon points="{_joined(points)}" '
            f'style="fill:var(--{colour});fill-opacity:.45;stroke:var(--{colour});stroke-width:.6"/>'
        )

    def render(self) -> str:
        """Return the file."""
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} height="{self.height}" role="img">'
        title = f"<title>{escape(self.title)}</title>"
        return "\n".join([head, title, f"<style>{STYLE}</style>", *self.parts, "</svg>\n"])


def width_of(text: str, size: float) -> float:
    """Return about how many px a text is wide."""
    return len(text) * size * CHARACTER_PX


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
