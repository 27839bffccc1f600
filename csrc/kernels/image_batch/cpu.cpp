#include <new>
#include <vector>

#include "core/thread_pool.h"
#include "kernels/base64_decode/decode.h"
#include "kernels/image_batch/image_batch.h"
#include "kernels/image_normalize/slot.h"
#include "kernels/image_resize/resizer.h"
#include "kernels/jpeg_decode/reader.h"

namespace refpix::cpu {
namespace {

constexpr std::size_t kept_payload_bytes = std::size_t{64} << 20;

// What a thread keeps between images, so that no image asks for fresh pages.
struct Workspace {
    std::vector<std::uint8_t> payload;
    JpegReader reader;
    resize::Resizer resizer;

    // After an item, whatever became of it: one giant is not to be paid for ever after.
    void tidy() {
        reader.close();
        if (payload.size() > kept_payload_bytes) {
            std::vector<std::uint8_t>().swap(payload);
        }
    }
};

Status payload_of(const ImageBatch& args, std::int64_t item, Workspace& workspace,
                  const std::uint8_t** data, std::int64_t* size) {
    *data = args.payloads.data(item);
    *size = args.payloads.length(item);
    if (!args.base64) {
        return {};
    }
    const std::int64_t capacity = base64_capacity(*size);
    if (static_cast<std::int64_t>(workspace.payload.size()) < capacity) {
        workspace.payload.resize(capacity);
    }
    const std::uint8_t* text = *data;
    *data = workspace.payload.data();
    return base64_decode_item(text, *size, {}, workspace.payload.data(), size);
}

Status decode_into(const ImageBatch& args, const normalize::Table& table, std::int64_t item,
                   Workspace& workspace) {
    const std::uint8_t* data = nullptr;
    std::int64_t size = 0;
    Status status = payload_of(args, item, workspace, &data, &size);
    if (!status.ok()) {
        return status;
    }
    JpegOptions options;
    options.allow_truncated = args.allow_truncated;
    options.pixel_limit = args.pixel_limit;
    JpegReader& reader = workspace.reader;
    status = reader.open(data, size, options);
    if (!status.ok()) {
        return status;
    }
    const std::int64_t height = reader.height();
    const std::int64_t width = reader.width();
    args.sizes[2 * item] = height;
    args.sizes[2 * item + 1] = width;

    resize::Resizer& resizer = workspace.resizer;
    normalize::Slot slot =
        normalize::slot_of(table, args.out, item, args.out_height, args.out_width, false);
    resizer.begin({height, width, args.out_height, args.out_width, 3, args.filter, args.order,
                   resize::Layout::planar},
                  {normalize::Slot::emit, &slot});
    slot.plane_stride = resizer.plane_stride();
    for (std::int64_t y = 0; y < height;) {
        std::int64_t room = 0;
        std::uint8_t* rows = resizer.space(&room);
        std::int64_t got = 0;
        status = reader.read(rows, resizer.source_stride(), room, &got);
        if (!status.ok()) {
            return status;
        }
        resizer.commit(got);
        y += got;
    }
    return {};
}

}  // namespace

Status image_batch(const ImageBatch& args) noexcept {
    const Status bounds = args.payloads.check();
    if (!bounds.ok()) {
        return bounds;
    }
    const normalize::Table table = normalize::make_table(args.mean, args.std, args.type);
    parallel_for(args.payloads.count, args.threads, [&](std::int64_t item) {
        Status status;
        args.sizes[2 * item] = args.sizes[2 * item + 1] = 0;
        thread_local Workspace workspace;
        try {
            status = decode_into(args, table, item, workspace);
        } catch (const std::bad_alloc&) {
            status = {Fault::out_of_memory, item, -1};
        }
        workspace.tidy();
        args.faults[2 * item] = static_cast<std::int64_t>(status.fault);
        args.faults[2 * item + 1] = status.position;
    });
    return {};
}

}  // namespace refpix::cpu
