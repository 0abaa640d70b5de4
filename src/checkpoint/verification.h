// Reads all of a checkpoint and says all that is wrong with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "checkpoint/damage.h"
#include "io/blob_store.h"

namespace longtail::checkpoint {

struct Verification {
  std::string name;
  std::uint64_t objects = 0;  ///< That were read, the manifest too.
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;  ///< Of chunks that could be read.
  std::vector<Damage> damages;

  bool is_whole() const { return damages.empty(); }
};

/// Reads every object and goes on after damage. Checked are: sizes and checksums; that each
/// partition is there with each chunk, the last of which says so; what chunks say of themselves
/// against the manifest; that each key is in its partition, and once; widths and numbers of rows;
/// that the trainer's entries unpack. Of an increment also that each partition has all layers from
/// a full one on, in the order in which they were cut, and as many rows as the manifest says.
///
/// Errors: NotFound (no such checkpoint); what the store says, once it does not answer three times
///         in a row: that is no damage.
/// Cost:   memory of a chunk, and 16 bytes for each row of one partition, of an increment up to 32
///         beside that for each; up to a second for each of
///         the first eight objects whose checksum is wrong, to look for the bit.
absl::StatusOr<Verification> VerifyCheckpoint(BlobStore& store, const std::string& name);

}  // namespace longtail::checkpoint
