// Collects faults from the threads of one batch and keeps the lowest item's, so that what is
// reported does not depend on timing.
#pragma once

#include <mutex>

#include "core/status.h"

namespace refpix {

class FirstFault {
  public:
    void report(Status status) noexcept {
        if (status.ok()) {
            return;
        }
        std::lock_guard lock(mutex_);
        if (first_.ok() || status.item < first_.item) {
            first_ = status;
        }
    }
    Status status() const noexcept { return first_; }

  private:
    std::mutex mutex_;
    Status first_;
};

}  // namespace refpix
