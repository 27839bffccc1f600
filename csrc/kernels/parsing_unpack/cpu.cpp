#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/parsing_unpack/parse.h"
#include "kernels/parsing_unpack/parsing_unpack.h"

namespace refpix::cpu {

Status parsing_unpack_count(const ParsingUnpack& args) noexcept {
    const Status bounds = args.text.check();
    if (!bounds.ok()) {
        return bounds;
    }
    args.offsets[0] = 0;
    for (std::int64_t item = 0; item < args.text.count; ++item) {
        const std::int64_t codes =
            parsing_codes::count(args.text.data(item), args.text.length(item));
        if (args.strict && codes != parsing_code_count) {
            return {Fault::codes_wrong_count, item, args.text.length(item)};
        }
        args.offsets[item + 1] = args.offsets[item] + codes;
    }
    return {};
}

Status parsing_unpack(const ParsingUnpack& args) noexcept {
    FirstFault faults;
    parallel_for(args.text.count, args.threads, [&](std::int64_t item) {
        const auto fail = parsing_codes::parse(args.text.data(item), args.text.length(item),
                                               args.strict ? parsing_code_range : 0,
                                               args.codes + args.offsets[item]);
        faults.report({fail.fault, item, fail.position});
    });
    return faults.status();
}

}  // namespace refpix::cpu
