// Requests as a worker builds them, for tests of what answers them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "protocol/cluster_map.h"
#include "protocol/messages.h"

namespace longtail::test {

/// The first n keys, from 1 up, that belong to a partition.
inline std::vector<Key> KeysOf(PartitionId partition, std::uint32_t partition_count,
                               std::size_t n) {
  std::vector<Key> keys;
  for (Key key = 1; keys.size() < n; ++key) {
    if (PartitionOf(key, partition_count) == partition) keys.push_back(key);
  }
  return keys;
}

/// One section of a push, with what it points at.
struct PushPart {
  PartitionId partition{};
  TableId table{};
  std::uint32_t dim = 1;
  std::uint64_t sequence = 0;
  std::vector<Key> keys{};
  std::vector<float> gradients{};
  std::vector<std::uint32_t> counts{};  ///< Empty: one for each key.
  TableKind kind = TableKind::kWeights;
  std::string packed{};  ///< Of a count table, which has none of the two before.
};

/// A push of epoch 1 that owns its data.
inline std::shared_ptr<PushRequest> MakePush(SessionId session, std::uint64_t step,
                                             std::vector<PushPart> parts) {
  auto push = std::make_shared<PushRequest>();
  auto owned = std::make_shared<std::vector<PushPart>>(std::move(parts));
  push->session = session;
  push->request = 71;
  push->epoch = 1;
  push->step = step;
  for (PushPart& part : *owned) {
    const bool has_counts = part.kind == TableKind::kCounts;
    if (part.counts.empty() && !has_counts) part.counts.assign(part.keys.size(), 1);
    push->sections.push_back({.partition = part.partition,
                              .table = part.table,
                              .dim = part.dim,
                              .sequence = part.sequence,
                              .keys = part.keys,
                              .counts = part.counts,
                              .gradients = part.gradients,
                              .kind = part.kind,
                              .packed = AsBytes(part.packed)});
  }
  push->owners.push_back(std::move(owned));
  return push;
}

/// One section of a pull. Its rows are answered by value.
struct PullPart {
  PartitionId partition{};
  TableId table{};
  std::uint32_t dim = 1;
  std::vector<Key> keys{};
  TableKind kind = TableKind::kWeights;
};

/// A pull of epoch 1 that owns its keys.
inline std::shared_ptr<PullRequest> MakePull(std::uint64_t request, std::uint64_t step,
                                             std::vector<PullPart> parts) {
  auto pull = std::make_shared<PullRequest>();
  auto owned = std::make_shared<std::vector<PullPart>>(std::move(parts));
  pull->request = request;
  pull->epoch = 1;
  pull->step = step;
  for (const PullPart& part : *owned) {
    pull->sections.push_back({.partition = part.partition,
                              .table = part.table,
                              .dim = part.dim,
                              .keys = part.keys,
                              .target = {},
                              .kind = part.kind});
  }
  pull->owners.push_back(std::move(owned));
  return pull;
}

}  // namespace longtail::test
