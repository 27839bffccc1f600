"""Training data made by composition: HIM pictures and videos, to the pixel of the published ones.

``him_image`` and ``him_video`` return arrays and write nothing; ``HimImageSamples`` makes endless
training data of the first. ``generate_images`` and ``generate_videos`` write whole datasets.
"""

from refpix.synthesis._engines import Engine
from refpix.synthesis._files import OutputError
from refpix.synthesis._glt_objects import GltObjects, read_objects
from refpix.synthesis._runs import Summary
from refpix.synthesis.generate import (
    VideoJob,
    generate_images,
    generate_videos,
    image_lists,
    published_videos,
    video_lists,
)
from refpix.synthesis.glt_crop_files import (
    CROP_SETS,
    CropSummary,
    coco_pictures,
    generate_crops,
    published_sets,
)
from refpix.synthesis.glt_crops import (
    CROP_CURES,
    CropBox,
    CropCure,
    crop_box,
    glt_crop,
    glt_crop_jpegs,
    glt_crops,
)
from refpix.synthesis.glt_generate import (
    GltSummary,
    attribute_spread,
    generate_glt,
    published_layout,
)
from refpix.synthesis.glt_splits import (
    PUBLISHED_RUNS,
    SPLIT_CURES,
    CategoryOrder,
    GltRun,
    SplitCure,
    glt_splits,
)
from refpix.synthesis.him_image import IMAGE_CURES, HimImage, ImageCure, him_image, matte_path
from refpix.synthesis.him_video import VIDEO_CURES, HimVideo, Level, VideoCure, him_video
from refpix.synthesis.samples import HimImageSamples, HimImageStream

__all__ = [
    "CROP_CURES",
    "CROP_SETS",
    "IMAGE_CURES",
    "PUBLISHED_RUNS",
    "SPLIT_CURES",
    "VIDEO_CURES",
    "CategoryOrder",
    "CropBox",
    "CropCure",
    "CropSummary",
    "Engine",
    "GltObjects",
    "GltRun",
    "GltSummary",
    "HimImage",
    "HimImageSamples",
    "HimImageStream",
    "HimVideo",
    "ImageCure",
    "Level",
    "OutputError",
    "SplitCure",
    "Summary",
    "VideoCure",
    "VideoJob",
    "attribute_spread",
    "coco_pictures",
    "crop_box",
    "generate_crops",
    "generate_glt",
    "generate_images",
    "generate_videos",
    "glt_crop",
    "glt_crop_jpegs",
    "glt_crops",
    "glt_splits",
    "him_image",
    "him_video",
    "image_lists",
    "matte_path",
    "published_layout",
    "published_sets",
    "published_videos",
    "read_objects",
    "video_lists",
]
