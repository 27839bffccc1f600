#include "bindings/alpha_pair.h"

namespace refpix::bind {
void require_pixels(std::int64_t height, std::int64_t width, const char* name) {
    require(height > 0 && width > 0, std::string(name) + ": maps must have pixels");
    require(width <= INT32_MAX / height, std::string(name) + ": maps have too many pixels");
}

AlphaArrays alpha_arrays(const py::object& pred, const py::object& gt, const py::object& trimap,
                         int ndim) {
    AlphaArrays arrays{array<float>(pred, "pred", ndim), array<float>(gt, "gt", ndim), trimap, {}};
    const Shape shape = shape_of(arrays.pred);
    require_shape(shape_of(arrays.gt), shape, "gt");
    arrays.maps.height = arrays.pred.shape(ndim - 2);
    arrays.maps.width = arrays.pred.shape(ndim - 1);
    require_pixels(arrays.maps.height, arrays.maps.width, "pred");
    arrays.maps.count = arrays.pred.size() / (arrays.maps.height * arrays.maps.width);
    arrays.maps.pred = arrays.pred.data();
    arrays.maps.gt = arrays.gt.data();
    if (!trimap.is_none()) {
        arrays.maps.trimap = shaped_array<std::uint8_t>(trimap, "trimap", shape).data();
    }
    return arrays;
}

}  // namespace refpix::bind
