#include "kernels/jpeg_decode/nvjpeg_flight.h"

#include <new>

namespace refpix::nvjpeg {
namespace {

std::int64_t staged_bytes(const Picture& picture, Taken taken) noexcept {
    return 3 *
           (taken == Taken::box ? picture.rows * picture.columns : picture.height * picture.width);
}

}  // namespace

std::unique_ptr<Flight> Flight::create(const Api& api, Handle handle) {
    std::unique_ptr<Flight> flight(new (std::nothrow) Flight(api, handle));
    if (flight != nullptr && flight->make() != Status::success) {
        flight.reset();
    }
    return flight;
}

Flight::~Flight() {
    last_use_.wait();
}

Status Flight::make() {
    const Status status = state_.make(
        api_.JpegStateDestroy, [&](State* made) { return api_.JpegStateCreate(handle_, made); });
    if (status == Status::success && api_.DecodeBatchedPreAllocate != nullptr) {
        // Makes the library keep a pool of memory. What it says does not matter.
        api_.DecodeBatchedPreAllocate(handle_, state_.get(), 1, 1, 1, Sampling::s444,
                                      OutputFormat::rgb_interleaved);
    }
    return status;
}

Status Flight::prepare(std::int64_t count) {
    params_.reserve(static_cast<std::size_t>(count));
    while (static_cast<std::int64_t>(params_.size()) < count) {
        Owned<Params> made;
        Status status = made.make(api_.DecodeParamsDestroy, [&](Params* params) {
            return api_.DecodeParamsCreate(handle_, params);
        });
        if (status == Status::success) {
            status = api_.DecodeParamsSetOutputFormat(made.get(), OutputFormat::rgb_interleaved);
        }
        if (status == Status::success && api_.DecodeParamsSetExifOrientation != nullptr) {
            status = api_.DecodeParamsSetExifOrientation(made.get(), Orientation::normal);
        }
        if (status != Status::success) {
            return status;
        }
        params_.push_back(std::move(made));
    }
    return Status::success;
}

Taken Flight::supported(Stream parsed, const Picture& picture, std::int64_t i) noexcept {
    // Reading all of the file, not only its header, is what finds damage before the engines do.
    if (api_.JpegStreamParse(handle_, picture.data, picture.size, 0, 0, parsed) !=
        Status::success) {
        return Taken::no;
    }
    int unsupported = 1;  // 0 is the library's yes
    const Params params = params_[static_cast<std::size_t>(i)].get();
    const bool boxes = api_.DecodeBatchedEx != nullptr && api_.DecodeBatchedSupportedEx != nullptr;
    if (boxes && picture.box != nullptr) {
        const Status set = api_.DecodeParamsSetROI(
            params, static_cast<int>(picture.box[0]), static_cast<int>(picture.box[1]),
            static_cast<int>(picture.columns), static_cast<int>(picture.rows));
        if (set == Status::success &&
            api_.DecodeBatchedSupportedEx(handle_, parsed, params, &unsupported) ==
                Status::success &&
            unsupported == 0) {
            return Taken::box;
        }
    }
    unsupported = 1;
    if (api_.DecodeParamsSetROI(params, 0, 0, -1, -1) != Status::success) {
        return Taken::no;
    }
    const Status status = boxes
                              ? api_.DecodeBatchedSupportedEx(handle_, parsed, params, &unsupported)
                              : api_.DecodeBatchedSupported(handle_, parsed, &unsupported);
    return status == Status::success && unsupported == 0 ? Taken::whole : Taken::no;
}

cudaError_t Flight::decode(const std::vector<Picture>& pictures, const std::vector<Taken>& taken,
                           std::int64_t limit, cudaStream_t stream, std::vector<Status>* verdicts) {
    Load load;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        if (taken[i] == Taken::no) {
            continue;
        }
        const std::int64_t bytes = staged_bytes(pictures[i], taken[i]);
        if (!load.items.empty() && load.bytes + bytes > limit) {
            const cudaError_t error = carry(pictures, taken, load, stream, verdicts);
            if (error != cudaSuccess) {
                return error;
            }
            load = {};
        }
        load.items.push_back(static_cast<std::int64_t>(i));
        load.places.push_back(load.bytes);
        load.bytes += bytes;
    }
    return load.items.empty() ? cudaSuccess : carry(pictures, taken, load, stream, verdicts);
}

// One load: when the staging memory is free, into it, and from there to where it belongs.
cudaError_t Flight::carry(const std::vector<Picture>& pictures, const std::vector<Taken>& taken,
                          const Load& load, cudaStream_t stream, std::vector<Status>* verdicts) {
    // The host has to wait: the engines would not (see nvjpeg_decoder.h).
    const cudaError_t waited = wait();
    if (waited != cudaSuccess) {
        return waited;
    }
    if (staging_.reserve(load.bytes) != cudaSuccess) {
        for (const std::int64_t item : load.items) {
            (*verdicts)[static_cast<std::size_t>(item)] = Status::allocator_failure;
        }
        return cudaSuccess;  // no error: others may do with less
    }
    const std::size_t count = load.items.size();
    data_.clear();
    sizes_.clear();
    used_params_.clear();
    images_.assign(count, Image{});
    for (std::size_t k = 0; k < count; ++k) {
        const auto item = static_cast<std::size_t>(load.items[k]);
        const Picture& picture = pictures[item];
        data_.push_back(picture.data);
        sizes_.push_back(picture.size);
        used_params_.push_back(params_[item].get());
        images_[k].channel[0] = staging_.data() + load.places[k];
        images_[k].pitch[0] = static_cast<std::size_t>(
            3 * (taken[item] == Taken::box ? picture.columns : picture.width));
    }
    std::vector<Status> said(count, Status::not_initialized);
    submit(0, static_cast<std::int64_t>(count), stream, &said);
    const cudaError_t error = deliver(pictures, taken, load, said, stream);
    const cudaError_t recorded = last_use_.record(stream);
    for (std::size_t k = 0; k < count; ++k) {
        (*verdicts)[static_cast<std::size_t>(load.items[k])] = said[k];
    }
    return error == cudaSuccess ? recorded : error;
}

// A batch fails as a whole and does not say which picture it was: halves are tried until it is
// found. What the state was used for before must be over: seldom, so that waiting does no harm.
void Flight::submit(std::int64_t first, std::int64_t count, cudaStream_t stream,
                    std::vector<Status>* verdicts) {
    const Status status = call(first, count, stream);
    if (status == Status::success || count == 1) {
        for (std::int64_t k = first; k < first + count; ++k) {
            (*verdicts)[static_cast<std::size_t>(k)] = status;
        }
    } else {
        cudaStreamSynchronize(stream);
        submit(first, count / 2, stream, verdicts);
        cudaStreamSynchronize(stream);
        submit(first + count / 2, count - count / 2, stream, verdicts);
    }
}

Status Flight::call(std::int64_t first, std::int64_t count, cudaStream_t stream) noexcept {
    const Status ready = api_.DecodeBatchedInitialize(
        handle_, state_.get(), static_cast<int>(count), 1, OutputFormat::rgb_interleaved);
    if (ready != Status::success) {
        return ready;
    }
    if (api_.DecodeBatchedEx != nullptr) {
        return api_.DecodeBatchedEx(handle_, state_.get(), data_.data() + first,
                                    sizes_.data() + first, images_.data() + first,
                                    used_params_.data() + first, stream);
    }
    return api_.DecodeBatched(handle_, state_.get(), data_.data() + first, sizes_.data() + first,
                              images_.data() + first, stream);
}

// Pictures that lie side by side in both places are copied in one go.
cudaError_t Flight::deliver(const std::vector<Picture>& pictures, const std::vector<Taken>& taken,
                            const Load& load, const std::vector<Status>& verdicts,
                            cudaStream_t stream) noexcept {
    cudaError_t error = cudaSuccess;
    for (std::size_t k = 0; k < load.items.size() && error == cudaSuccess; ++k) {
        const auto item = static_cast<std::size_t>(load.items[k]);
        const std::uint8_t* staged = staging_.data() + load.places[k];
        if (verdicts[k] != Status::success) {
            continue;
        }
        if (taken[item] == Taken::whole && pictures[item].box != nullptr) {
            error = copy_box(pictures[item], staged, stream);
            continue;
        }
        std::int64_t bytes = staged_bytes(pictures[item], taken[item]);
        for (; k + 1 < load.items.size() && verdicts[k + 1] == Status::success; ++k) {
            const auto next = static_cast<std::size_t>(load.items[k + 1]);
            const bool cropped = taken[next] == Taken::whole && pictures[next].box != nullptr;
            if (cropped || pictures[next].out != pictures[item].out + bytes) {
                break;
            }
            bytes += staged_bytes(pictures[next], taken[next]);
        }
        error = cudaMemcpyAsync(pictures[item].out, staged, static_cast<std::size_t>(bytes),
                                cudaMemcpyDeviceToDevice, stream);
    }
    return error;
}

}  // namespace refpix::nvjpeg
