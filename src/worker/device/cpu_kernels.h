// The kernels of kernel_list.h on the calling thread.
#pragma once

#include <cstddef>

namespace longtail::device {

/// Runs a kernel by its number. Needs `call` of the kernel's type.
void RunOnCpu(std::size_t kernel, const void* call);

}  // namespace longtail::device
