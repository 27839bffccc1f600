#include "kernels/jpeg_decode/nvjpeg_decoder.h"

#include <atomic>
#include <new>
#include <shared_mutex>
#include <vector>

#include "core/thread_pool.h"
#include "kernels/jpeg_decode/nvjpeg_flight.h"
#include "kernels/jpeg_decode/nvjpeg_lane.h"

namespace refpix::nvjpeg {
namespace {

// Calls whose device work may wait at once before the next has to; each has its staging memory.
constexpr std::int64_t most_flights = 3;
// Of a thread: while the device works on the one, the host fills the other.
constexpr std::int64_t lanes_per_thread = 2;
// The library's buffers grow in steps of this, so that they seldom do.
constexpr std::size_t padding_bytes = std::size_t{1} << 20;

// Whether it is the file that failed, not the engines: they may be there and yet not usable, as in
// containers without the driver's part for them.
bool is_the_files(Status status) noexcept {
    return status == Status::bad_jpeg || status == Status::jpeg_not_supported ||
           status == Status::incomplete_bitstream;
}

// While it lives, a device is the current one of this thread.
class OnDevice {
  public:
    explicit OnDevice(int device) noexcept {
        error_ = cudaGetDevice(&before_);
        error_ = error_ == cudaSuccess ? cudaSetDevice(device) : error_;
    }
    ~OnDevice() { cudaSetDevice(before_); }
    OnDevice(const OnDevice&) = delete;
    OnDevice& operator=(const OnDevice&) = delete;
    cudaError_t error() const noexcept { return error_; }

  private:
    int before_ = 0;
    cudaError_t error_ = cudaSuccess;
};

// A stream object for looking at files before a flight.
struct Parser {
    Owned<Stream> stream;
    static bool busy() noexcept { return false; }
};

}  // namespace

struct BatchDecoder::Contents {
    std::shared_ptr<const Library> library;
    DecoderOptions options;
    Owned<Handle> hardware, hybrid;  // outlive all that is made of them
    Pool<Parser> parsers;
    Pool<Flight> flights;
    Pool<Lane> lanes;
    std::shared_mutex closing;  // shared while decoding
    bool closed = false;
    std::atomic<bool> engines_failed{false};

    const Api& api() const noexcept { return library->api; }

    Status open(Owned<Handle>* handle, Backend backend) {
        const unsigned flags = library->at_least(12, 1) ? upsampling_with_interpolation : 0;
        const Status status = handle->make(api().Destroy, [&](Handle* made) {
            return api().CreateEx(backend, nullptr, nullptr, flags, made);
        });
        if (status == Status::success && api().SetDeviceMemoryPadding != nullptr) {
            api().SetDeviceMemoryPadding(padding_bytes, handle->get());
        }
        if (status == Status::success && api().SetPinnedMemoryPadding != nullptr) {
            api().SetPinnedMemoryPadding(padding_bytes, handle->get());
        }
        return status;
    }

    // Without engines the handle may still come into being.
    bool has_engines() const noexcept {
        if (hardware.get() == nullptr) {
            return false;
        }
        unsigned engines = 1, cores = 1;
        return api().GetHardwareDecoderInfo == nullptr ||
               (api().GetHardwareDecoderInfo(hardware.get(), &engines, &cores) == Status::success &&
                engines > 0);
    }

    Picture picture(const Batch& batch, std::int64_t item) const noexcept {
        return {batch.files.data(item),
                static_cast<std::size_t>(batch.files.length(item)),
                batch.pictures[2 * item],
                batch.pictures[2 * item + 1],
                batch.roi == nullptr ? nullptr : batch.roi + 4 * item,
                batch.sizes[2 * item],
                batch.sizes[2 * item + 1],
                batch.pixels + batch.offsets[item]};
    }

    Taken look(Flight& flight, const Picture& picture, std::int64_t i) {
        Pool<Parser>::Lease parser(parsers, options.threads);
        if (parser.empty()) {
            parser.put(std::make_unique<Parser>());
            if (parser->stream.make(api().JpegStreamDestroy, [&](Stream* made) {
                    return api().JpegStreamCreate(hardware.get(), made);
                }) != Status::success) {
                parser.drop();
                return Taken::no;
            }
        }
        return flight.supported(parser->stream.get(), picture, i);
    }

    // What the engines take of `items`; what they do not take is added to `rest`.
    cudaError_t fly(const Batch& batch, const std::vector<std::int64_t>& items, cudaStream_t stream,
                    std::vector<std::int64_t>* rest) {
        const auto count = static_cast<std::int64_t>(items.size());
        std::vector<Picture> pictures;
        for (const std::int64_t item : items) {
            pictures.push_back(picture(batch, item));
        }
        std::vector<Taken> taken(items.size(), Taken::no);
        std::vector<Status> verdicts(items.size(), Status::not_initialized);
        Pool<Flight>::Lease flight(flights, most_flights);
        if (flight.empty()) {
            flight.put(Flight::create(api(), hardware.get()));
        }
        cudaError_t error = cudaSuccess;
        if (!flight.empty()) {
            error = flight->wait();
            if (error == cudaSuccess && flight->prepare(count) == Status::success) {
                parallel_for(count, options.threads, [&](std::int64_t i) {
                    const OnDevice device(options.device);  // a thread has a current one of its own
                    const auto k = static_cast<std::size_t>(i);
                    try {
                        taken[k] = look(*flight, pictures[k], i);
                    } catch (const std::bad_alloc&) {
                        taken[k] = Taken::no;
                    }
                });
                error = flight->decode(pictures, taken, options.staging_bytes, stream, &verdicts);
            }
            if (flight->bloated(options.staging_bytes)) {
                flight.drop();
            }
        }
        std::int64_t failed = 0, good = 0;
        for (std::size_t k = 0; k < items.size(); ++k) {
            const Status verdict = verdicts[k];
            if (taken[k] != Taken::no && verdict == Status::success) {
                batch.done[items[k]] = engine_hardware;
                ++good;
            } else if (taken[k] == Taken::no || !is_the_files(verdict)) {
                rest->push_back(items[k]);
                failed += taken[k] != Taken::no && verdict != Status::allocator_failure;
            }
        }
        if (failed > 0 && good == 0) {
            engines_failed = true;  // not to be tried, picture by picture, in every batch
        }
        return error;
    }

    cudaError_t step(const Batch& batch, std::int64_t item, cudaStream_t stream) {
        const OnDevice device(options.device);
        if (device.error() != cudaSuccess) {
            return device.error();
        }
        Pool<Lane>::Lease lane(lanes, lanes_per_thread * options.threads);
        if (lane.empty()) {
            lane.put(Lane::create(api(), hybrid.get()));
        }
        cudaError_t error = cudaSuccess;
        if (!lane.empty()) {
            if (lane->decode(picture(batch, item), stream, &error) == Status::success) {
                batch.done[item] = engine_hybrid;
            }
            if (lane->bloated()) {
                lane.drop();
            }
        }
        return error;
    }

    cudaError_t walk(const Batch& batch, const std::vector<std::int64_t>& items,
                     cudaStream_t stream) {
        std::atomic<int> first_error{0};
        parallel_for(static_cast<std::int64_t>(items.size()), options.threads, [&](std::int64_t i) {
            int error = 0;
            try {
                error = step(batch, items[static_cast<std::size_t>(i)], stream);
            } catch (const std::bad_alloc&) {
                return;  // left to the CPU
            }
            int none = 0;
            first_error.compare_exchange_strong(none, error);
        });
        return static_cast<cudaError_t>(first_error.load());
    }

    cudaError_t decode(const Batch& batch, cudaStream_t stream) {
        std::vector<std::int64_t> flying, walking;
        for (std::int64_t item = 0; item < batch.files.count; ++item) {
            batch.done[item] = engine_none;
            if (batch.engines[item] == engine_hardware && hardware.get() != nullptr &&
                !engines_failed) {
                flying.push_back(item);
            } else if (batch.engines[item] >= engine_hybrid) {
                walking.push_back(item);
            }
        }
        cudaError_t error = cudaSuccess;
        if (!flying.empty()) {
            error = fly(batch, flying, stream, &walking);
        }
        return error == cudaSuccess ? walk(batch, walking, stream) : error;
    }
};

BatchDecoder::BatchDecoder(std::unique_ptr<Contents> contents) : contents_(std::move(contents)) {}

BatchDecoder::~BatchDecoder() {
    close();
}

std::unique_ptr<BatchDecoder> BatchDecoder::create(std::shared_ptr<const Library> library,
                                                   const DecoderOptions& options,
                                                   std::string* error) {
    auto contents = std::make_unique<Contents>();
    contents->library = std::move(library);
    contents->options = options;
    const OnDevice device(options.device);
    if (device.error() != cudaSuccess) {
        *error = cudaGetErrorString(device.error());
        cudaGetLastError();
        return nullptr;
    }
    const Status status = contents->open(&contents->hybrid, Backend::standard);
    if (status != Status::success) {
        *error = contents->library->path + ": nvjpegCreateEx: " + status_text(status);
        return nullptr;
    }
    if (options.hardware) {
        contents->open(&contents->hardware, Backend::hardware);
        if (!contents->has_engines()) {
            contents->hardware.reset();
        }
    }
    return std::unique_ptr<BatchDecoder>(new BatchDecoder(std::move(contents)));
}

bool BatchDecoder::has_hardware() const noexcept {
    return contents_->hardware.get() != nullptr;
}

const Library& BatchDecoder::library() const noexcept {
    return *contents_->library;
}

int BatchDecoder::decode(const Batch& batch, DeviceStream stream) noexcept {
    const std::shared_lock lock(contents_->closing);
    for (std::int64_t item = 0; item < batch.files.count; ++item) {
        batch.done[item] = engine_none;
    }
    if (contents_->closed) {
        return 0;
    }
    const OnDevice device(contents_->options.device);
    if (device.error() != cudaSuccess) {
        return device.error();
    }
    try {
        return contents_->decode(batch, stream);
    } catch (const std::bad_alloc&) {
        return cudaErrorMemoryAllocation;
    }
}

void BatchDecoder::close() noexcept {
    const std::lock_guard lock(contents_->closing);
    if (contents_->closed) {
        return;
    }
    contents_->closed = true;
    const OnDevice device(contents_->options.device);
    contents_->flights.clear();  // each waits for its last use
    contents_->lanes.clear();
    contents_->parsers.clear();
    contents_->hardware.reset();
    contents_->hybrid.reset();
}

Pools BatchDecoder::pools() const {
    Pools pools;
    contents_->flights.visit([&](const Flight& flight) {
        ++pools.flights;
        pools.staging_bytes += flight.staging_bytes();
    });
    contents_->lanes.visit([&](const Lane& lane) {
        ++pools.lanes;
        pools.staging_bytes += lane.staging_bytes();
    });
    return pools;
}

}  // namespace refpix::nvjpeg
