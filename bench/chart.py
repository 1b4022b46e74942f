"""Charts as SVG text, readable on light and on dark pages."""

import html
import math

WIDTH, MARGIN, LABELS, FIGURES = 860, 24, 190, 150  # of the drawing, its border, the text left and right of the bars
BAR, ROW, HEADING = 14, 46, 40  # heights: of one bar, of the pair of a row, of a group's heading
PANEL, AXIS = 200, 50  # of curves: height, and width of the text left of them

STYLE = """
  svg { font: 13px system-ui, sans-serif }
  .page { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .quiet { fill: #59636e } .title { font-weight: 600 }
  .ours { fill: #0969da } .theirs { fill: #afb8c1 }
  .axis { stroke: #d0d7de } .curve { fill: none; stroke-width: 2 } .our-curve { stroke: #0969da } .their-curve { stroke: #8c959f }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .quiet { fill: #9198a1 }
    .ours { fill: #4493f8 } .theirs { fill: #656c76 }
    .axis { stroke: #3d444d } .our-curve { stroke: #4493f8 } .their-curve { stroke: #9198a1 }
  }
"""


def _text(x, y, words, kind="text"):
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{html.escape(words)}</text>'


def _bar(x, y, width, kind):
    return f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{max(width, 1):.1f}" height="{BAR}" rx="2"/>'


def _row(y, row, left, unit):
    """Two bars, ours above theirs, which is `unit` long.  `row`: what, ratio, our figure, their figure."""
    what, ratio, ours, theirs = row
    second = y + BAR + 2
    return [
        _text(MARGIN, y + BAR + 5, what),
        _bar(left, y, ratio * unit, "ours"),
        _text(left + ratio * unit + 6, y + BAR - 3, ours),
        _bar(left, second, unit, "theirs"),
        _text(left + unit + 6, second + BAR - 3, theirs, "quiet"),
    ]


def _legend(y, ours, theirs):
    return [
        _bar(MARGIN, y - 11, BAR, "ours"),
        _text(MARGIN + 20, y, ours),
        _bar(MARGIN + LABELS, y - 11, BAR, "theirs"),
        _text(MARGIN + LABELS + 20, y, theirs),
    ]


def _head(title, notes):
    """Its parts, and where it ends."""
    y = MARGIN + 12
    parts = [_text(MARGIN, y, title, "text title")]
    for note in notes:
        y += 19
        parts.append(_text(MARGIN, y, note, "quiet"))
    return parts, y + 28


def _page(title, parts, height):
    page = f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
    head += f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
    return "\n".join([head, page, *parts, "</svg>\n"])


def relative_bars(title, notes, names, groups):
    """The SVG text of a chart in which the second program's bars are all of one length in each group.

    `notes` are lines below the title, `names` are the two programs', and `groups` are (heading, rows), a row being
    (what, ratio of the first to the second, text at the first's bar, text at the second's).
    """
    left = MARGIN + LABELS
    parts, y = _head(title, notes)
    parts += _legend(y, names[0], f"{names[1]}, the length of whose bars is 1")
    for heading, rows in groups:
        y += HEADING
        parts.append(_text(MARGIN, y, heading, "text title"))
        y += 14
        unit = (WIDTH - left - FIGURES - MARGIN) / max([1, *(row[1] for row in rows)])
        for row in rows:
            parts += _row(y, row, left, unit)
            y += ROW
        y -= 10
    return _page(title, parts, y + MARGIN)


def _panel(y, curves, right, logarithmic):
    """Two curves of (x, y) points, over x from 0 to `right`."""
    bottom, width = y + PANEL, WIDTH - 2 * MARGIN - AXIS
    values = [value for curve in curves for _, value in curve if value > 0 or not logarithmic]
    scale = math.log10 if logarithmic else float
    low = math.floor(scale(min(values))) if logarithmic else 0
    high = math.ceil(scale(max(values))) if logarithmic else max(values) or 1

    def place(point):
        height = (scale(max(point[1], 10**low if logarithmic else 0)) - low) / (high - low or 1)
        return MARGIN + AXIS + point[0] / right * width, bottom - height * PANEL

    parts = []
    for step in range(5) if not logarithmic else range(high - low + 1):
        value = 10 ** (low + step) if logarithmic else step * high / 4
        _, at = place((0, value))
        parts.append(f'<path class="axis" d="M{MARGIN + AXIS} {at:.1f}h{width}"/>')
        parts.append(_text(MARGIN, at + 4, f"{value:g}" if logarithmic else f"{value:.3g}", "quiet"))
    for step in range(1, 5):
        parts.append(_text(MARGIN + AXIS + step * width / 4 - 20, bottom + 18, f"{step * right / 4:g}", "quiet"))
    for curve, kind in reversed(list(zip(curves, ("our-curve", "their-curve")))):
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in map(place, curve))
        parts.append(f'<path class="curve {kind}" d="M{path}"/>')
    return parts


def curves(title, notes, names, panels, logarithmic):
    """The SVG text of panels of two programs' curves over a common x.

    `panels` are (heading, [points of the first program, of the second]), and `logarithmic` says of each whether its
    values are drawn so.
    """
    parts, y = _head(title, notes)
    parts += _legend(y, *names)
    right = max(x for _, both in panels for curve in both for x, _ in curve)
    for (heading, both), is_logarithmic in zip(panels, logarithmic):
        parts.append(_text(MARGIN, y + HEADING, heading, "text title"))
        y += HEADING + 20
        parts += _panel(y, both, right, is_logarithmic)
        y += PANEL + 20
    return _page(title, parts, y + MARGIN)
