"""refpix behind the functions that the golden checks of the matting datasets call.

Thin calls of the public API; see ``../shared/golden/README.md`` for how the checks are run.
``--resize`` reaches the checks only: it is read from their command line here.
"""

import sys

from refpix import synthesis


def pass_order():
    """The check's ``--resize``, which it does not hand over."""
    arguments = sys.argv
    for i, argument in enumerate(arguments):
        if argument == "--resize":
            return arguments[i + 1]
        if argument.startswith("--resize="):
            return argument.partition("=")[2]
    return "auto"


def image_him(sample_id, fg_paths, bg_paths):
    made = synthesis.him_image(sample_id, fg_paths, bg_paths, order=pass_order())
    return made and {
        "image": made.image,
        "bg": made.background,
        "alphas": made.alphas,
        "fgs": made.foregrounds,
    }


def video_him(name, level, data_dir, valid_videos, bg_files, bg_videos, clip_len):
    made = synthesis.him_video(
        name,
        level,
        data_dir=data_dir,
        videos=valid_videos,
        pictures=bg_files,
        folders=bg_videos,
        clip_len=clip_len,
        order=pass_order(),
    )
    return made and {"frames": made.frames, "alphas": made.alphas}
