// Reads trained rows without a cluster: files made of checkpoints, mapped, looked up in place.
//
// A serving place is a directory that `longtail ckpt export-serving` writes to (docs/SERVING.md). A
// ServingModel follows it: it maps the version that is there, and when a newer one is, maps and
// checks that beside it and then swaps all tables at once. Who looks up waits for nobody, and works
// on the version that it took for as long as it holds it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/ids.h"
#include "longtail/table_spec.h"

namespace longtail {

/// When the checksums of a file are compared with its bytes.
enum class ServingCheck : std::uint8_t {
  kWhole,  ///< Of all of it before its first lookup; that also brings it into memory.
  kOnUse,  ///< Of header and directory at first, of a block of a MiB when a lookup first needs it.
};

/// Where a file's bytes are.
enum class ServingMemory : std::uint8_t {
  kMapped,  ///< In the system's own copy: all processes share it, and it is read when it is needed.
  kCopied,  ///< In this process's memory, in huge pages where the system gives some to those who
            ///< ask: lookups are nearly twice as fast, each process needs as much memory as the
            ///< files.
};

/// What a lookup gives for a key without a row.
enum class UnseenKeys : std::uint8_t {
  kInitialValues,  ///< What a pull would: the values that (table seed, key, column) give; where the
                   ///< table shares rows below a count, those of the key's group.
  kZeros,
};

struct ServingOptions {
  ServingCheck check = ServingCheck::kWhole;
  ServingMemory memory = ServingMemory::kMapped;
  /// Threads that compare checksums, 1..256.
  unsigned check_threads = 1;
  /// How often a ServingModel looks for a newer version; 0: only when Refresh is called.
  std::chrono::milliseconds look_every{1000};
  /// The tables that the program was made for; others that the place has are not mapped, and a
  /// version that lacks one or has another spec of it is refused. Empty: those of the first
  /// version.
  std::vector<TableSpec> tables{};
};

/// One table of one version.
///
/// Thread: any; immutable.
class ServingTable {
 public:
  /// Maps a file of all rows and, if its path is not empty, one of what changed since.
  ///
  /// Errors: NotFound; InvalidArgument (foreign, another format version, not of one table, options
  ///         out of range); DataLoss (truncated, damaged), naming file, offset and cause;
  ///         FailedPrecondition (a spec that options.tables has otherwise; changes of other rows).
  static absl::StatusOr<std::shared_ptr<const ServingTable>> Open(const std::string& rows_path,
                                                                  const std::string& changes_path,
                                                                  const ServingOptions& options);
  ~ServingTable();
  ServingTable(const ServingTable&) = delete;
  ServingTable& operator=(const ServingTable&) = delete;

  /// Copies the rows of the keys; gives how many of them have one. Allocates nothing.
  ///
  /// Shapes: keys [n], repeats allowed; rows [n, dim], in the order of keys; found [n], 1 for a key
  ///         that has a row and 0 for one that has none, or empty.
  /// Errors: InvalidArgument (shapes); with kOnUse also DataLoss naming file and offset, after
  /// which
  ///         rows and found mean nothing.
  absl::StatusOr<std::size_t> Lookup(std::span<const Key> keys, std::span<float> rows,
                                     UnseenKeys unseen, std::span<std::uint8_t> found = {}) const;

  const TableSpec& spec() const;
  std::uint64_t step() const;            ///< Of the training, when the checkpoint was saved.
  std::uint64_t rows() const;            ///< In the file of all rows.
  std::uint64_t changed() const;         ///< Rows in the file of changes.
  std::uint64_t gone() const;            ///< Keys there whose rows went.
  std::uint64_t mapped_bytes() const;    ///< Of its files, wherever they are in memory.
  std::uint64_t damaged_blocks() const;  ///< Found so far; with kOnUse.

 private:
  friend class ServingModel;
  class Impl;
  explicit ServingTable(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

/// All tables of one checkpoint.
///
/// Thread: any; immutable. Its files stay mapped while somebody holds it.
class ServingVersion {
 public:
  /// The table of that name; null if there is none.
  const ServingTable* Find(std::string_view table) const;

  std::span<const std::shared_ptr<const ServingTable>> tables() const { return tables_; }
  std::uint64_t step() const { return step_; }
  const std::string& checkpoint() const { return checkpoint_; }
  const std::string& created_at() const { return created_at_; }  ///< RFC 3339, UTC.

 private:
  friend class ServingModel;
  ServingVersion() = default;

  std::vector<std::shared_ptr<const ServingTable>> tables_;  // Ascending by name.
  std::uint64_t step_ = 0;
  std::string checkpoint_;
  std::string created_at_;
};

/// What a ServingModel has done since it was opened.
struct ServingStatistics {
  std::uint64_t step = 0;      ///< Of the version that is served.
  std::string checkpoint{};    ///< Likewise.
  std::uint64_t versions = 0;  ///< Taken into service, the first one too.
  std::uint64_t refused = 0;  ///< Versions that were not: each once, however often it is looked at.
  std::string last_refusal{};      ///< Why, of the last one; empty if there was none.
  std::uint64_t failed_looks = 0;  ///< Times that the place could not be read.
  double seconds_since_saved = 0;  ///< Age of the checkpoint that is served.
  double seconds_behind = 0;       ///< For how long a newer one is there that is not served; or 0.
  std::uint64_t mapped_bytes = 0;  ///< Of the version that is served.
  std::uint64_t damaged_blocks = 0;  ///< Likewise, found so far; with ServingCheck::kOnUse.
};

/// Follows a serving place.
///
/// Thread: any thread may call; calls may overlap. Owns one thread, unless look_every is 0.
class ServingModel {
 public:
  /// Takes the version that is there into service.
  ///
  /// Errors: NotFound (no such place, or nothing in it yet); those of ServingTable::Open.
  static absl::StatusOr<std::unique_ptr<ServingModel>> Open(const std::string& place,
                                                            const ServingOptions& options);
  ~ServingModel();
  ServingModel(const ServingModel&) = delete;
  ServingModel& operator=(const ServingModel&) = delete;

  /// The version that is served. Take it once a request and look all up in it.
  std::shared_ptr<const ServingVersion> version() const;

  /// Looks for a newer version now. OK also if there is none.
  ///
  /// Errors: why what is there is not served; the version before stays in service.
  absl::Status Refresh();

  ServingStatistics statistics() const;

 private:
  class Impl;
  explicit ServingModel(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace longtail
