// One table of one version: rows that changed before all rows, and what a key has without either.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "longtail/serving.h"
#include "serving/served_rows.h"
#include "serving/serving_file.h"
#include "sparse/initializer.h"

namespace longtail::serving {

/// Thread: any; immutable.
class TableReader {
 public:
  /// `changes` may be null.
  ///
  /// Errors: InvalidArgument (a file of the other kind); FailedPrecondition (changes of other
  /// rows).
  static absl::StatusOr<TableReader> Make(std::shared_ptr<const ServingFile> rows,
                                          std::shared_ptr<const ServingFile> changes);

  /// As ServingTable::Lookup.
  absl::StatusOr<std::size_t> Lookup(std::span<const Key> keys, std::span<float> rows,
                                     UnseenKeys unseen, std::span<std::uint8_t> found) const;

  const std::shared_ptr<const ServingFile>& rows() const { return rows_; }
  const std::shared_ptr<const ServingFile>& changes() const { return changes_; }
  const TableSpec& spec() const { return rows_->header().spec; }

 private:
  TableReader(std::shared_ptr<const ServingFile> rows, std::shared_ptr<const ServingFile> changes);

  // A key's row and the file that it is in; null if it has none.
  struct Place {
    const ServingFile* file = nullptr;
    FoundRow found{};
  };

  // Keys whose lines, and then whose rows, are asked for before the first of them is needed: about
  // as many misses as a core has under way.
  static constexpr std::size_t kGroup = 16;

  struct Group {
    std::span<const Key> keys{};
    std::array<std::uint64_t, kGroup> hashes;
    std::array<Place, kGroup> places;
  };

  void AskForLines(std::span<const Key> keys, Group& group) const;
  void AskForRows(Group& group) const;
  absl::StatusOr<bool> Copy(Key key, std::uint64_t hash, const Place& place, UnseenKeys unseen,
                            std::span<float> row) const;
  void Prefetch(std::uint64_t hash) const;
  Place Find(Key key, std::uint64_t hash) const;
  bool Decode(const Place& place, std::span<float> row) const;
  absl::Status FillUnseen(Key key, std::uint64_t hash, std::span<float> row) const;
  static absl::Status DamageError(const Place& place, Key key, std::uint64_t hash);

  std::shared_ptr<const ServingFile> rows_;
  std::shared_ptr<const ServingFile> changes_;
  sparse::Initializer initializer_;
  ServedRows served_;
};

}  // namespace longtail::serving
