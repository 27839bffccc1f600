#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/jpeg_encode/encoder.h"

namespace refpix::cpu {
namespace {

JpegPicture picture_of(const JpegEncode& args, std::int64_t item) noexcept {
    JpegPicture picture;
    picture.image = args.images + item * args.height * args.width * args.channels;
    picture.height = args.height;
    picture.width = args.width;
    picture.channels = args.channels;
    picture.canvas_height = args.canvas_height;
    picture.canvas_width = args.canvas_width;
    picture.x = args.positions == nullptr ? 0 : args.positions[2 * item];
    picture.y = args.positions == nullptr ? 0 : args.positions[2 * item + 1];
    picture.quality = args.quality;
    return picture;
}

Status encode_item(const JpegEncode& args, std::int64_t item,
                   Ragged<std::uint8_t>* files) noexcept {
    const JpegPicture picture = picture_of(args, item);
    if (picture.x < 0 || picture.y < 0 || picture.x > picture.canvas_width - picture.width ||
        picture.y > picture.canvas_height - picture.height) {
        return {Fault::image_bad_roi, item, -1};
    }
    Status status;
    if (jpeg_encode_patch(picture, item, files, &status)) {
        return status;
    }
    JpegFile file;
    const bool done = file.encode(picture) && files->set(item, file.data(), file.size());
    return done ? Status{} : Status{Fault::out_of_memory, item, -1};
}

}  // namespace

Status jpeg_encode(const JpegEncode& args, Ragged<std::uint8_t>* files) noexcept {
    if (!files->resize(args.count)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(encode_item(args, item, files)); });
    return faults.status();
}

}  // namespace refpix::cpu
