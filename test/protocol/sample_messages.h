// Messages for tests of the codec: one fixed of each kind, and random ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "longtail/table_spec.h"
#include "protocol/messages.h"

namespace longtail::test {

struct NamedMessage {
  std::string name;  ///< As its golden file.
  Message message;
};

/// One message of each kind, no field of it zero or like another.
std::vector<NamedMessage> SampleMessages();

/// A spec with each field set; `alternative` chooses rule and initializer.
TableSpec SampleSpec(std::size_t alternative);

/// A spec that says something of all that the second version of its form added.
TableSpec SampleLaterSpec();

/// Of a count table, and one of its rows, of which there are three (sample_counts.cc).
TableSpec SampleCountSpec();
std::string SampleCountRow(std::uint64_t number);

/// Messages with sections of count tables.
std::vector<NamedMessage> SampleCounts();
Message RandomCounts(Rng& rng);

/// The samples of compact forms (sample_compact.cc), and random ones: what their bytes say need not
/// make sense, what their sections say of the sizes of arrays does.
std::shared_ptr<const CompactPull> SampleCompactPull();
std::shared_ptr<const CompactPush> SampleCompactPush();
CompactPullReply SampleCompactPullReply();
Message RandomCompact(Rng& rng);

/// Of what replicas say (sample_replication.cc).
LaneEntries SampleLaneEntries();
Message RandomReplication(Rng& rng);

/// Of a table (sample_statistics.cc).
TableStatistics SampleStatistics();
TableStatistics RandomStatistics(Rng& rng);

/// Messages that say little.
Message RandomShort(Rng& rng);

/// A message of any kind and any legal content, empty arrays and odd sizes included.
Message RandomMessage(Rng& rng);

/// Every field in words: two messages with the same text are equal. A new field does not compile
/// here until it is named.
std::string InWords(const Message& message);

}  // namespace longtail::test
