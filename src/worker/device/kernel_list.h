// All kernels, as the calls that describe them. A call travels to a device as its number and bytes,
// so that a device may be a library of its own, loaded at run time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "worker/device/kernels/bias.h"
#include "worker/device/kernels/cache.h"
#include "worker/device/kernels/column_sums.h"
#include "worker/device/kernels/cross_layer.h"
#include "worker/device/kernels/dense_update.h"
#include "worker/device/kernels/distinct.h"
#include "worker/device/kernels/dot_interaction.h"
#include "worker/device/kernels/dropout.h"
#include "worker/device/kernels/factorization.h"
#include "worker/device/kernels/logistic_loss.h"
#include "worker/device/kernels/logit_head.h"
#include "worker/device/kernels/narrow.h"
#include "worker/device/kernels/pool.h"
#include "worker/device/kernels/segment_sum.h"

namespace longtail::device {

/// The largest call, in bytes.
inline constexpr std::size_t kCallBytesMax = 192;

/// Raised when the fields of a call change and its size does not.
inline constexpr std::uint64_t kCallsRevision = 3;

template <typename... Calls>
struct KernelList {
  static constexpr std::size_t kCount = sizeof...(Calls);
  static_assert((std::is_trivially_copyable_v<Calls> && ...));
  static_assert(((sizeof(Calls) <= kCallBytesMax) && ...));

  /// The number of a call's kernel.
  template <typename Call>
  static constexpr std::size_t kIndexOf = [] {
    std::size_t index = 0;
    std::size_t found = kCount;
    ((std::is_same_v<Call, Calls> ? found = index : 0, ++index), ...);
    return found;
  }();

  /// One function for each call, in order.
  template <template <typename> class FunctionOf>
  static constexpr auto MakeTable() {
    return std::array{&FunctionOf<Calls>::Run...};
  }

  /// Changes with the calls, their order and their sizes: two builds that differ in it cannot talk.
  static constexpr std::uint64_t Fingerprint() {
    std::uint64_t print = kCount + (kCallsRevision << 32);
    ((print = print * 0x100000001B3U + sizeof(Calls)), ...);
    return print;
  }
};

using Kernels = KernelList<
    HashKeysCall, MarkHeadsCall, NumberKeysCall, PoolCall, PoolLinearCall, BagsOfKeysCall,
    SegmentSumCall, MarkLongSegmentsCall, LongSegmentSumCall, DotInteractionCall, DotGradientCall,
    PairSumsCall, PairGradientsCall, SharedGradientPartsCall, LogitHeadCall,
    LogitInputGradientsCall, LogitWeightPartsCall, CrossCall, CrossGradientCall, AddCall, BiasCall,
    ReluGradientCall, ColumnPartsCall, AddPartsCall, DropoutCall, LogisticLossCall, SumPartsCall,
    DenseSgdCall, DenseMomentumCall, DenseAdagradCall, DenseAdamCall, NarrowCall, WidenCall,
    CacheProbeCall, CacheSetsCall, CacheInsertCall, CacheReadCall, CacheWriteCall>;

}  // namespace longtail::device
