#include "serving/table_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/status_macros.h"
#include "protocol/checksum.h"
#include "protocol/value_codec.h"

namespace longtail::serving {
namespace {

absl::Status CheckKind(const ServingFile& file, ServingKind want) {
  if (file.header().kind == want) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      file.what(), want == ServingKind::kRows ? ": has changes: want a file of all rows"
                                              : ": has all rows: want a file of changes"));
}

void PrefetchRow(const std::byte* row, std::size_t bytes) {
  __builtin_prefetch(row);
  if (bytes > 64) __builtin_prefetch(row + 64);
  if (bytes > 128) __builtin_prefetch(row + bytes - 1);
}

}  // namespace

TableReader::TableReader(std::shared_ptr<const ServingFile> rows,
                         std::shared_ptr<const ServingFile> changes)
    : rows_(std::move(rows)), changes_(std::move(changes)), initializer_(spec()), served_(spec()) {}

absl::StatusOr<TableReader> TableReader::Make(std::shared_ptr<const ServingFile> rows,
                                              std::shared_ptr<const ServingFile> changes) {
  LONGTAIL_RETURN_IF_ERROR(CheckKind(*rows, ServingKind::kRows));
  if (changes != nullptr) {
    LONGTAIL_RETURN_IF_ERROR(CheckKind(*changes, ServingKind::kChanges));
    const ServingHeader& base = rows->header();
    const ServingHeader& newer = changes->header();
    if (newer.base != base.checkpoint || newer.spec != base.spec) {
      return absl::FailedPreconditionError(absl::StrCat(
          changes->what(), ": changes of table '", newer.spec.name, "' since checkpoint ",
          ChecksumHex(newer.base), ": want some of table '", base.spec.name, "' since ",
          ChecksumHex(base.checkpoint), ", which ", rows->what(), " has"));
    }
  }
  return TableReader(std::move(rows), std::move(changes));
}

void TableReader::Prefetch(std::uint64_t hash) const {
  if (changes_ != nullptr) changes_->Prefetch(hash);
  rows_->Prefetch(hash);
}

TableReader::Place TableReader::Find(Key key, std::uint64_t hash) const {
  if (changes_ != nullptr) {
    const FoundRow found = changes_->Find(key, hash);
    if (found.what != FoundRow::What::kAbsent) return {.file = changes_.get(), .found = found};
  }
  return {.file = rows_.get(), .found = rows_->Find(key, hash)};
}

bool TableReader::Decode(const Place& place, std::span<float> row) const {
  const ServingHeader& header = place.file->header();
  if (header.values == WireValues::kFloat32) {
    std::memcpy(row.data(), place.found.row, row.size_bytes());
    return true;
  }
  return UnpackRows(header.values, row.size(), {place.found.row, header.row_bytes}, row.data());
}

absl::Status TableReader::DamageError(const Place& place, Key key, std::uint64_t hash) {
  const absl::Status damage = place.file->DamageError(hash);
  return {damage.code(), absl::StrCat(damage.message(), "; key ", key, " needs it")};
}

// What a table's row has before it has weights of its own: sparse/table.cc, StartWeights.
absl::Status TableReader::FillUnseen(Key key, std::uint64_t hash, std::span<float> row) const {
  if (served_.groups() && !served_.groups()->IsOne(hash)) {
    key = served_.groups()->Of(key, hash);
    hash = Mix64(key);
    const Place group = Find(key, hash);
    if (group.found.what == FoundRow::What::kDamaged ||
        (group.found.what == FoundRow::What::kRow && !Decode(group, row))) {
      return DamageError(group, key, hash);
    }
    if (group.found.what == FoundRow::What::kRow) return absl::OkStatus();
  }
  initializer_.Fill(key, row);
  return absl::OkStatus();
}

void TableReader::AskForLines(std::span<const Key> keys, Group& group) const {
  group.keys = keys;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    group.hashes[i] = Mix64(keys[i]);
    Prefetch(group.hashes[i]);
  }
}

void TableReader::AskForRows(Group& group) const {
  for (std::size_t i = 0; i < group.keys.size(); ++i) {
    group.places[i] = Find(group.keys[i], group.hashes[i]);
    const Place& place = group.places[i];
    if (place.found.row != nullptr) PrefetchRow(place.found.row, place.file->header().row_bytes);
  }
}

// Whether the key has a row; if not, `row` is what is asked for.
absl::StatusOr<bool> TableReader::Copy(Key key, std::uint64_t hash, const Place& place,
                                       UnseenKeys unseen, std::span<float> row) const {
  switch (place.found.what) {
    case FoundRow::What::kRow:
      if (!Decode(place, row)) break;
      return true;
    case FoundRow::What::kDamaged:
      break;
    case FoundRow::What::kAbsent:
    case FoundRow::What::kGone:
      if (unseen == UnseenKeys::kZeros) {
        std::ranges::fill(row, 0.0F);
      } else {
        LONGTAIL_RETURN_IF_ERROR(FillUnseen(key, hash, row));
      }
      return false;
  }
  return DamageError(place, key, hash);
}

absl::StatusOr<std::size_t> TableReader::Lookup(std::span<const Key> keys, std::span<float> rows,
                                                UnseenKeys unseen,
                                                std::span<std::uint8_t> found) const {
  const std::size_t dim = spec().dim;
  if (rows.size() != keys.size() * dim || (!found.empty() && found.size() != keys.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat("lookup in table '", spec().name, "': ", keys.size(), " keys with room for ",
                     rows.size(), " floats and ", found.size(), " marks: want ", keys.size() * dim,
                     " floats and ", keys.size(), " marks or none"));
  }
  std::array<Group, 3> groups;  // One whose lines are asked for, one its rows, one that is copied.
  const std::size_t count = (keys.size() + kGroup - 1) / kGroup;
  std::size_t found_count = 0;
  for (std::size_t g = 0; g < count + 2; ++g) {
    if (g < count) {
      AskForLines(keys.subspan(g * kGroup, std::min(kGroup, keys.size() - g * kGroup)),
                  groups[g % 3]);
    }
    if (g >= 1 && g <= count) AskForRows(groups[(g - 1) % 3]);
    if (g < 2) continue;
    const Group& group = groups[(g - 2) % 3];
    for (std::size_t i = 0; i < group.keys.size(); ++i) {
      const std::size_t at = (g - 2) * kGroup + i;
      LONGTAIL_ASSIGN_OR_RETURN(const bool has_row,
                                Copy(group.keys[i], group.hashes[i], group.places[i], unseen,
                                     rows.subspan(at * dim, dim)));
      found_count += has_row ? 1 : 0;
      if (!found.empty()) found[at] = has_row ? 1 : 0;
    }
  }
  return found_count;
}

}  // namespace longtail::serving
