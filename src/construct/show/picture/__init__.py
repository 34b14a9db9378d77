"""Pictures of a construction and of a pass, as SVG text that asks nothing of the network.

parts     what each part of a transformer reads and writes, from its weights
svg       elements, text that fits, the colours of theme.css in light and dark
diagram   the layers of a construction over the fields of its residual stream
cells     what a field holds at a token, as a picture shows it
stream    the residual stream of one prompt

Written with `xml.etree`: a diagram is boxes, lines and text, the same byte for byte wherever it
is drawn, and text stays text. A library for plots would give none of these three.
"""

from construct.show.picture.diagram import diagram as diagram
from construct.show.picture.stream import stream as stream
