"""A picture to draw on, in the coordinates of the picture as it is stored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from refpix.viz.palette import CENTRE, IGNORED, SKELETON, Colour, code_colour, joint_colour
from refpix.viz.text import font, printable

__all__ = ["Canvas"]

_DARK: Colour = (16, 18, 22)
_OVERSAMPLED_PIXELS = 12_000_000  # of the layer that lines are drawn on: bounds memory


class Canvas:
    """A picture, enlarged if small, and overlays on it.

    Areas (`labels`, `mask`) are blended in at once. Lines, dots and text go to a layer of their
    own, drawn larger and reduced in `finish`, which smooths them. All coordinates are pixels of
    the picture that was given; x grows to the right, y downwards; pixel (0, 0) covers 0 to 1.

    Attributes:
        source_size: width and height of the picture that was given.
        size: width and height of the one drawn on.
        line: width of lines in pixels of the latter.
    """

    def __init__(self, image: Image.Image | npt.NDArray[np.uint8], side: int | None = None) -> None:
        """Takes a copy of a picture.

        Args:
            image: RGB picture, or uint8 (H, W, 3) or (H, W).
            side: length of the longer side of the result. None keeps the picture's own, but
                enlarges small ones to 480.

        Raises:
            ValueError: no picture of that kind, or an empty one.
        """
        picture = image if isinstance(image, Image.Image) else _from_array(image)
        self.source_size = picture.size
        longest = max(picture.size)
        factor = (max(longest, 480) if side is None else side) / longest
        self.size = (
            max(1, round(picture.width * factor)),
            max(1, round(picture.height * factor)),
        )
        picture = picture.convert("RGB")
        self._picture = picture.resize(self.size, Image.Resampling.BICUBIC)
        self.line = max(2, round(max(self.size) / 150))
        pixels = self.size[0] * self.size[1]
        self._fine = 3 if pixels * 9 <= _OVERSAMPLED_PIXELS else 2
        if pixels * 4 > _OVERSAMPLED_PIXELS:
            self._fine = 1
        self._layer: Image.Image | None = None

    def _draw(self) -> ImageDraw.ImageDraw:
        if self._layer is None:
            fine = (self.size[0] * self._fine, self.size[1] * self._fine)
            self._layer = Image.new("RGBA", fine, (0, 0, 0, 0))
        return ImageDraw.Draw(self._layer)

    def _points(self, points: npt.ArrayLike) -> list[tuple[float, float]]:
        """Points of the picture on the layer, kept within reach of it."""
        scale = np.array(self.size, dtype=np.float64) * self._fine / np.array(self.source_size)
        limit = 4.0 * max(self.size) * self._fine
        given = np.nan_to_num(np.asarray(points, dtype=np.float64).reshape(-1, 2))
        placed = np.clip(np.clip(given, -1e9, 1e9) * scale, -limit, limit)
        return [(float(x), float(y)) for x, y in placed]

    def _corners(self, box: npt.ArrayLike) -> tuple[float, float, float, float]:
        """The corners of a box on the layer, sorted."""
        (xa, ya), (xb, yb) = self._points(box)
        return min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)

    def _blend(self, area: Image.Image, colours: Image.Image, opacity: float) -> None:
        weight = area.point([round(v * opacity) for v in range(256)])
        self._picture.paste(colours, (0, 0), weight)

    def _outline(self, area: Image.Image, width: int) -> Image.Image:
        """The rim of an area ("L", 0 or 255), within it."""
        inner = area.filter(ImageFilter.MinFilter(2 * max(1, width) + 1))
        return ImageChops.subtract(area, inner)

    def labels(
        self,
        label_map: npt.NDArray[np.integer],
        palette: npt.NDArray[np.uint8],
        *,
        opacity: float = 0.7,
        contours: bool = True,
    ) -> list[int]:
        """Blends a label map in; label 0 stays clear.

        Args:
            label_map: integers (h, w), stretched over the picture whatever its size.
            palette: uint8 (k, 3); labels without an entry are gray.
            opacity: 0 to 1.
            contours: draw a white line around the whole, and thin ones between the parts.

        Returns:
            The labels that occur, without 0, ascending.
        """
        known = (label_map >= 0) & (label_map < min(len(palette), 255))
        indices = np.where(known, label_map, 255).astype(np.uint8)
        colours = np.full((256, 3), IGNORED, dtype=np.uint8)
        colours[: min(len(palette), 255)] = palette[:255]
        parts = Image.fromarray(indices).resize(self.size, Image.Resampling.NEAREST)
        shown = np.asarray(parts)
        area = Image.fromarray(np.where(shown > 0, np.uint8(255), np.uint8(0)))
        self._blend(area, Image.fromarray(colours[shown]), opacity)
        if contours:
            edges = np.zeros(shown.shape, dtype=np.uint8)
            edges[:, 1:] |= shown[:, 1:] != shown[:, :-1]
            edges[1:] |= shown[1:] != shown[:-1]
            white = Image.new("RGB", self.size, (255, 255, 255))
            self._blend(Image.fromarray(edges * np.uint8(255)), white, 0.55)
            rim = self._outline(area, max(1, self.line // 2))
            self._blend(rim.filter(ImageFilter.GaussianBlur(0.6)), white, 0.95)
        return [int(label) for label in np.unique(label_map) if label != 0]

    def mask(
        self,
        mask: npt.NDArray[np.bool_] | npt.NDArray[np.uint8],
        colour: Colour,
        *,
        opacity: float = 0.45,
        contours: bool = True,
    ) -> None:
        """Blends a mask in, e.g. one decoded from run lengths.

        Args:
            mask: bool or uint8 (h, w), set where it is not 0; stretched over the picture.
            colour: of the area and its rim.
            opacity: 0 to 1.
            contours: draw the rim.
        """
        stored = Image.fromarray(np.where(mask, np.uint8(255), np.uint8(0)))
        area = stored.resize(self.size, Image.Resampling.NEAREST)
        plain = Image.new("RGB", self.size, colour)
        self._blend(area, plain, opacity)
        if contours:
            self._blend(self._outline(area, max(1, self.line // 2)), plain, 1.0)

    def box(self, box: npt.ArrayLike, colour: Colour, label: str = "") -> None:
        """Draws a box with a dark rim, so that it shows on any ground.

        Args:
            box: x0, y0, x1, y1; reversed corners are sorted.
            colour: of the line.
            label: written on a chip at its corner.
        """
        x0, y0, x1, y1 = self._corners(box)
        draw, fine = self._draw(), self._fine
        thin, wide = max(1, fine * self.line // 4), fine * self.line
        radius = 2 * wide
        outer = (x0 - wide / 2, y0 - wide / 2, x1 + wide / 2, y1 + wide / 2)
        rim = (outer[0] - thin, outer[1] - thin, outer[2] + thin, outer[3] + thin)
        draw.rounded_rectangle(rim, radius, outline=(*_DARK, 170), width=wide + 2 * thin)
        draw.rounded_rectangle(outer, radius, outline=(*colour, 255), width=wide)
        if label:
            self._chip(label, outer[0], outer[1], colour)

    def _chip(self, label: str, x: float, y: float, colour: Colour) -> None:
        """Text on a patch of colour whose lower left corner is at a point, moved into view."""
        size = max(11, 4 * self.line) * self._fine
        face = font(size, label)
        words = printable(label, face)
        draw = self._draw()
        left, top, right, bottom = draw.textbbox((0, 0), words, font=face)
        wide, high = right - left + size * 0.7, bottom - top + size * 0.5
        x = min(max(x, 0), max(0, self.size[0] * self._fine - wide))
        y = min(max(y - high if y >= high else y, 0), max(0, self.size[1] * self._fine - high))
        draw.rounded_rectangle((x, y, x + wide, y + high), size * 0.2, fill=(*colour, 235))
        ink = (255, 255, 255) if sum(colour) < 420 else _DARK
        draw.text((x + size * 0.35 - left, y + size * 0.25 - top), words, fill=ink, font=face)

    def pose(self, keypoints: npt.ArrayLike) -> None:
        """Draws a COCO skeleton: the person's left, right and middle in their colours.

        Args:
            keypoints: (17, 3), x, y and visibility: 0 is not drawn; of a pose that has 2s, points
                of visibility 1 (labelled but hidden) are hollow.

        Raises:
            ValueError: another shape.
        """
        pose = np.asarray(keypoints, dtype=np.float64)
        if pose.shape != (17, 3):
            raise ValueError(f"keypoints: expected shape (17, 3), got {pose.shape}")
        points = self._points(pose[:, :2])
        shown = pose[:, 2] > 0
        solid = pose[:, 2] >= max(1.0, min(2.0, float(pose[:, 2].max())))
        draw, wide = self._draw(), round(self._fine * self.line * 1.15)
        limbs = [(a, b) for a, b in SKELETON if shown[a] and shown[b]]
        for a, b in limbs:
            draw.line((points[a], points[b]), fill=(*_DARK, 150), width=round(wide * 1.7))
        for a, b in limbs:
            draw.line((points[a], points[b]), fill=(*joint_colour(a, b), 255), width=wide)
        for joint in np.flatnonzero(shown).tolist():
            x, y = points[joint]
            radius = wide * (0.8 if joint < 5 else 1.05)
            colour = joint_colour(joint)
            fill = colour if solid[joint] else _DARK
            rim = _DARK if solid[joint] else colour
            draw.ellipse(
                (x - radius, y - radius, x + radius, y + radius),
                fill=(*fill, 255),
                outline=(*rim, 255),
                width=max(1, round(wide * 0.35)),
            )

    def codes(
        self, codes: Sequence[int] | npt.NDArray[np.integer], box: npt.ArrayLike, columns: int = 6
    ) -> None:
        """Draws parsing codes as a grid over the person's box, the number in each cell.

        Args:
            codes: row by row; 48 make 8 rows.
            box: x0, y0, x1, y1.
            columns: of the grid.
        """
        if len(codes) == 0:
            return
        x0, y0, x1, y1 = self._corners(box)
        rows = -(-len(codes) // columns)
        wide, high = (x1 - x0) / columns, (y1 - y0) / rows
        draw, fine = self._draw(), self._fine
        size = round(min(wide * 0.52, high * 0.52, 9.0 * self.line * fine))
        face = font(max(size, 1))
        for i, code in enumerate(codes):
            x, y = x0 + i % columns * wide, y0 + i // columns * high
            draw.rectangle(
                (x, y, x + wide, y + high),
                fill=(*code_colour(int(code)), 96),
                outline=(255, 255, 255, 170),
                width=max(1, fine * self.line // 4),
            )
            if size >= 6 * fine:  # smaller numbers cannot be read
                draw.text(
                    (x + wide / 2, y + high / 2),
                    str(int(code)),
                    fill=(255, 255, 255, 255),
                    font=face,
                    anchor="mm",
                    stroke_width=max(1, size // 9),
                    stroke_fill=(*_DARK, 210),
                )

    def outline(self, points: npt.ArrayLike, colour: Colour = CENTRE) -> None:
        """Draws a closed line through points, (n, 2) of x and y: a polygon or a contour."""
        corners = self._points(points)
        if len(corners) > 1:
            draw, wide = self._draw(), self._fine * self.line
            draw.line([*corners, corners[0]], fill=(*_DARK, 150), width=round(wide * 1.6))
            draw.line([*corners, corners[0]], fill=(*colour, 255), width=wide, joint="curve")

    def scribble(self, points: npt.ArrayLike, colour: Colour, marked: int = -1) -> None:
        """Draws an open line through points, (n, 2) of x and y, and a dot at each.

        Args:
            points: in order; those of one pixel are its middle.
            colour: of line and dots.
            marked: place of a point that gets a larger, white dot; -1 for none.
        """
        stops = self._points(np.asarray(points, np.float64).reshape(-1, 2) + 0.5)
        draw, wide = self._draw(), self._fine * self.line
        if len(stops) > 1:
            draw.line(stops, fill=(*_DARK, 150), width=round(wide * 1.3))
            draw.line(stops, fill=(*colour, 255), width=max(1, round(wide * 0.7)), joint="curve")
        dots = sorted(enumerate(stops), key=lambda dot: dot[0] == marked)
        for place, (x, y) in dots:
            radius = wide * (1.5 if place == marked else 0.75)
            draw.ellipse(
                (x - radius, y - radius, x + radius, y + radius),
                fill=(255, 255, 255, 255) if place == marked else (*colour, 255),
                outline=(*_DARK, 255),
                width=max(1, round(wide * 0.3)),
            )

    def finish(self) -> Image.Image:
        """The picture with everything on it, RGB."""
        if self._layer is None:
            return self._picture
        layer = self._layer if self._fine == 1 else self._layer.reduce(self._fine)
        return Image.alpha_composite(self._picture.convert("RGBA"), layer).convert("RGB")


def _from_array(image: npt.NDArray[np.uint8]) -> Image.Image:
    array = np.asarray(image)
    colour = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if array.dtype != np.uint8 or not colour or array.size == 0:
        raise ValueError(f"image: expected uint8 (H, W, 3), got {array.dtype} {array.shape}")
    return Image.fromarray(np.ascontiguousarray(array))
