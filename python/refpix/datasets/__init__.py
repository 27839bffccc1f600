"""The datasets, one short file each: schema and composition."""

from refpix.datasets._images import get_base64_from_image, get_image_from_base64
from refpix.datasets._rows import Payloads
from refpix.datasets._sample import sample_path
from refpix.datasets.glt import CocoGLT, GltProtocol
from refpix.datasets.glt_sample import GltSample
from refpix.datasets.him import HimImages, HimVideo
from refpix.datasets.him_item import HimValidation
from refpix.datasets.him_sample import HimSample
from refpix.datasets.him_training import HimTraining
from refpix.datasets.refcocom import RefCocoM
from refpix.datasets.refcocom_sample import RefCocoMExample, RefCocoMInstance, RefCocoMSample
from refpix.datasets.refhcm import RefHCM
from refpix.datasets.refhcm_mixture import RefHCMMixture
from refpix.datasets.refhcm_sample import RefHCMSample, RefHCMTargets, make_targets
from refpix.datasets.refhcm_writer import RefHCMWriter, write_refhcm
from refpix.datasets.refhuman import RefHuman
from refpix.datasets.refhuman_sample import Prompt, RefHumanSample

__all__ = [
    "CocoGLT",
    "GltProtocol",
    "GltSample",
    "HimImages",
    "HimSample",
    "HimTraining",
    "HimValidation",
    "HimVideo",
    "Payloads",
    "Prompt",
    "RefCocoM",
    "RefCocoMExample",
    "RefCocoMInstance",
    "RefCocoMSample",
    "RefHCM",
    "RefHCMMixture",
    "RefHCMSample",
    "RefHCMTargets",
    "RefHCMWriter",
    "RefHuman",
    "RefHumanSample",
    "get_base64_from_image",
    "get_image_from_base64",
    "make_targets",
    "sample_path",
    "write_refhcm",
]
