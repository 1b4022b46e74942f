"""Bar charts as SVG text, readable on light and on dark pages."""

import html

WIDTH, MARGIN, LABELS, FIGURES = 860, 24, 190, 150  # of the drawing, its border, the text left and right of the bars
BAR, ROW, HEADING = 14, 46, 40  # heights: of one bar, of the pair of a row, of a group's heading

STYLE = """
  svg { font: 13px system-ui, sans-serif }
  .page { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .quiet { fill: #59636e } .title { font-weight: 600 }
  .ours { fill: #0969da } .theirs { fill: #afb8c1 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .quiet { fill: #9198a1 }
    .ours { fill: #4493f8 } .theirs { fill: #656c76 }
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


def _legend(y, names):
    ours, theirs = names
    return [
        _bar(MARGIN, y - 11, BAR, "ours"),
        _text(MARGIN + 20, y, ours),
        _bar(MARGIN + LABELS, y - 11, BAR, "theirs"),
        _text(MARGIN + LABELS + 20, y, f"{theirs}, the length of whose bars is 1"),
    ]


def relative_bars(title, notes, names, groups):
    """The SVG text of a chart in which the second program's bars are all of one length in each group.

    `notes` are lines below the title, `names` are the two programs', and `groups` are (heading, rows), a row being
    (what, ratio of the first to the second, text at the first's bar, text at the second's).
    """
    left = MARGIN + LABELS
    y = MARGIN + 12
    parts = [_text(MARGIN, y, title, "text title")]
    for note in notes:
        y += 19
        parts.append(_text(MARGIN, y, note, "quiet"))
    y += 28
    parts += _legend(y, names)
    for heading, rows in groups:
        y += HEADING
        parts.append(_text(MARGIN, y, heading, "text title"))
        y += 14
        unit = (WIDTH - left - FIGURES - MARGIN) / max([1, *(row[1] for row in rows)])
        for row in rows:
            parts += _row(y, row, left, unit)
            y += ROW
        y -= 10
    height = y + MARGIN
    page = f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
    head += f"<title>{html.escape(title)}</title><style>{STYLE}</style>"
    return "\n".join([head, page, *parts, "</svg>\n"])
