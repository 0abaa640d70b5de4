#include "examples/common/metrics/count_bucket.h"

namespace longtail::examples {

CountBucket BucketOf(std::uint64_t count) {
  std::size_t index = 0;
  while (count > kCountBuckets[index].last) ++index;  // The last bucket has no upper bound.
  return static_cast<CountBucket>(index);
}

}  // namespace longtail::examples
