"""Pictures with their annotations drawn, through Pillow alone."""

from refpix.viz.canvas import Canvas
from refpix.viz.glt import draw_glt, draw_glt_rows
from refpix.viz.palette import PARSING_NAMES, PARSING_PALETTE, SKELETON
from refpix.viz.refcocom import draw_refcocom, draw_refcocom_rows
from refpix.viz.refhcm import draw_batch, draw_refhcm, draw_rows, unnormalise
from refpix.viz.refhuman import draw_refhuman, draw_refhuman_rows
from refpix.viz.sample import draw_sample
from refpix.viz.sheet import contact_sheet

__all__ = [
    "PARSING_NAMES",
    "PARSING_PALETTE",
    "SKELETON",
    "Canvas",
    "contact_sheet",
    "draw_batch",
    "draw_glt",
    "draw_glt_rows",
    "draw_refcocom",
    "draw_refcocom_rows",
    "draw_refhcm",
    "draw_refhuman",
    "draw_refhuman_rows",
    "draw_rows",
    "draw_sample",
    "unnormalise",
]
