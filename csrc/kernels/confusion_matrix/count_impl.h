// Included by one source per instruction set, inside that set's namespace.
//
// Label maps are regions of equal labels: a block whose pixels all agree is counted by one
// addition. The comparison is written so that the compiler turns it into vector instructions.

template <typename Pred, typename Gt>
bool uniform(const Pred* pred, const Gt* gt, std::int64_t block) noexcept {
    const Pred first_pred = pred[0];
    const Gt first_gt = gt[0];
    Pred pred_differs = 0;
    Gt gt_differs = 0;
    for (std::int64_t i = 0; i < block; ++i) {
        pred_differs = static_cast<Pred>(pred_differs | (pred[i] ^ first_pred));
        gt_differs = static_cast<Gt>(gt_differs | (gt[i] ^ first_gt));
    }
    return pred_differs == 0 && gt_differs == 0;
}

template <typename Pred, typename Gt>
std::int64_t count(const ConfusionMatrix& args, const confusion::Slice& slice) noexcept {
    constexpr std::int64_t block = 32;
    const auto* pred = static_cast<const Pred*>(args.pred);
    const auto* gt = static_cast<const Gt*>(args.gt);
    const std::int64_t cells = args.num_labels * args.num_labels;
    const std::int64_t labels = args.num_labels;
    const std::int64_t ignore = args.ignore;
    std::int64_t i = slice.first;
    while (i < slice.last) {
        const std::int64_t left = slice.last - i;
        const bool whole = left >= block;
        if (whole && uniform(pred + i, gt + i, block)) {
            if (gt[i] != ignore) {
                const std::int64_t cell = confusion::cell(gt[i], pred[i], labels);
                if (cell < 0) {
                    return i;
                }
                if (cell < cells) {
                    slice.counts[cell] += block;
                }
            }
            i += block;
            continue;
        }
        const std::int64_t stop = i + (whole ? block : left);
        for (; i < stop; ++i) {
            if (gt[i] == ignore) {
                continue;
            }
            const std::int64_t cell = confusion::cell(gt[i], pred[i], labels);
            if (cell < 0) {
                return i;
            }
            if (cell < cells) {
                ++slice.counts[(i % confusion::lanes) * slice.lane_stride + cell];
            }
        }
    }
    return -1;
}

std::int64_t confusion_count(const ConfusionMatrix& args, const confusion::Slice& slice) noexcept {
    if (args.pred_is_byte) {
        return args.gt_is_byte ? count<std::uint8_t, std::uint8_t>(args, slice)
                               : count<std::uint8_t, std::int32_t>(args, slice);
    }
    return args.gt_is_byte ? count<std::int32_t, std::uint8_t>(args, slice)
                           : count<std::int32_t, std::int32_t>(args, slice);
}
