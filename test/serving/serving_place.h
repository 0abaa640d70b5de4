// Serving places made by hand: every row is known.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/serving_export.h"
#include "longtail/serving.h"
#include "server/scratch_directory.h"
#include "sim/memory_store.h"

namespace longtail::test {

inline constexpr std::size_t kNumberedKeys = 500;

inline Key KeyOf(std::uint64_t i) {
  return RandomBits(2, i, 0);
}

/// Checkpoint n: two tables in which every row has weights n.
inline CheckpointBuilder Numbered(std::uint64_t n) {
  CheckpointBuilder built{.name = "step-" + std::to_string(n),
                          .created_at = "2026-11-29T10:00:00Z",
                          .step = n,
                          .partitions = 4,
                          .chunk_bytes = 1 << 16};
  for (const char* name : {"item", "user"}) {
    BuiltTable table{.spec = SpecOf(name, 4, SgdSpec{}), .value_count = 4};
    for (std::uint64_t i = 0; i < kNumberedKeys; ++i) {
      table.rows[KeyOf(i)] = {
          .count = 1, .last_step = 1, .values = std::vector<float>(4, static_cast<float>(n))};
    }
    built.tables.push_back(std::move(table));
  }
  return built;
}

/// The next one as an increment: each row changed.
inline CheckpointBuilder NextNumbered(const Manifest& base, std::uint64_t n) {
  CheckpointBuilder built = Numbered(n);
  built.base = base;
  for (BuiltTable& table : built.tables) table.whole = table.rows;
  return built;
}

/// A store of checkpoints and a place that is brought up to them.
struct ServingPlace {
  checkpoint::ServingExport Export(const std::string& name, const Manifest& manifest) {
    return Must(checkpoint::ExportServing(store, name, manifest, options));
  }
  checkpoint::ServingExport Export(const CheckpointBuilder& built) {
    return Export(built.name, built.Write(store));
  }

  std::string PathOf(const std::string& file) const { return options.place + "/" + file; }

  sim::MemoryStore store;
  const ScratchDirectory directory;
  checkpoint::ServingExportOptions options{.place = directory.path() + "/place"};
};

/// Changes one byte of a file where it is.
inline void FlipByte(const std::string& path, std::size_t at) {
  std::string bytes = ReadWhole(path);
  bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
  WriteWhole(path, bytes);
}

/// One key looked up.
struct LookedUp {
  std::vector<float> row;
  bool found = false;

  bool operator==(const LookedUp&) const = default;
};

inline LookedUp LookUp(const ServingTable& table, Key key,
                       UnseenKeys unseen = UnseenKeys::kInitialValues) {
  LookedUp result{.row = std::vector<float>(table.spec().dim, -77.0F)};
  std::uint8_t found = 7;
  const std::size_t count = Must(table.Lookup({&key, 1}, result.row, unseen, {&found, 1}));
  result.found = found == 1;
  if (count != found) FAIL("count " << count << " and mark " << int{found});
  return result;
}

}  // namespace longtail::test
