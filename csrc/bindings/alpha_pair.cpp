#include "bindings/alpha_pair.h"

namespace refpix::bind {
namespace {

void require_shape(const py::array& given, const py::array& wanted, const char* name) {
    for (py::ssize_t axis = 0; axis < wanted.ndim(); ++axis) {
        require(given.shape(axis) == wanted.shape(axis),
                std::string(name) + ": wrong size along axis " + std::to_string(axis) +
                    ": expected " + std::to_string(wanted.shape(axis)) + " as in pred, got " +
                    std::to_string(given.shape(axis)));
    }
}

}  // namespace

void require_pixels(std::int64_t height, std::int64_t width, const char* name) {
    require(height > 0 && width > 0, std::string(name) + ": maps must have pixels");
    require(width <= INT32_MAX / height, std::string(name) + ": maps have too many pixels");
}

AlphaArrays alpha_arrays(const py::object& pred, const py::object& gt, const py::object& trimap,
                         int ndim) {
    AlphaArrays arrays{array<float>(pred, "pred", ndim), array<float>(gt, "gt", ndim), trimap, {}};
    require_shape(arrays.gt, arrays.pred, "gt");
    arrays.maps.height = arrays.pred.shape(ndim - 2);
    arrays.maps.width = arrays.pred.shape(ndim - 1);
    require_pixels(arrays.maps.height, arrays.maps.width, "pred");
    arrays.maps.count = arrays.pred.size() / (arrays.maps.height * arrays.maps.width);
    arrays.maps.pred = arrays.pred.data();
    arrays.maps.gt = arrays.gt.data();
    if (!trimap.is_none()) {
        const auto labels = array<std::uint8_t>(trimap, "trimap", ndim);
        require_shape(labels, arrays.pred, "trimap");
        arrays.maps.trimap = labels.data();
    }
    return arrays;
}

}  // namespace refpix::bind
