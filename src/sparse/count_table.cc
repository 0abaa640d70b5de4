#include "sparse/count_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace longtail::sparse {
namespace {

// Keys whose cache misses overlap.
constexpr std::size_t kGroup = 16;

// Calls visit(key's index, hash, candidate row) for each key, of a group all lines and then all
// records and places having been fetched.
template <typename Visit>
void InGroups(std::span<const Key> keys, const RowIndex& index, const CountStore& store,
              Visit&& visit) {
  std::array<std::uint64_t, kGroup> hashes;
  std::array<std::uint32_t, kGroup> rows;
  for (std::size_t begin = 0; begin < keys.size(); begin += kGroup) {
    const std::size_t n = std::min(kGroup, keys.size() - begin);
    for (std::size_t i = 0; i < n; ++i) {
      hashes[i] = Mix64(keys[begin + i]);
      index.Prefetch(hashes[i]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      rows[i] = index.Candidate(hashes[i]);
      if (rows[i] != RowIndex::kNone) __builtin_prefetch(store.records().Header(rows[i]));
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (rows[i] != RowIndex::kNone) store.PrefetchBytes(rows[i]);
    }
    for (std::size_t i = 0; i < n; ++i) visit(begin + i, hashes[i]);
  }
}

void Unpack(std::span<const std::byte> packed, std::uint32_t dim,
            std::vector<CountEntry>& entries) {
  entries.clear();
  const char* const wrong =
      VisitCountRow(packed, dim, [&](std::uint32_t column, std::int64_t count) {
        entries.push_back({.column = column, .count = count});
      });
  LONGTAIL_CHECK(wrong == nullptr);
}

}  // namespace

CountTable::CountTable(const TableSpec& spec, std::uint32_t rows_max)
    : spec_(spec), store_(rows_max) {
  LONGTAIL_CHECK(spec.kind == TableKind::kCounts);
}

void CountTable::Pull(std::span<const Key> keys, std::string& rows) {
  std::uint64_t lacking = 0;
  InGroups(keys, index_, store_, [&](std::size_t i, std::uint64_t hash) {
    const std::uint32_t row = index_.Find(keys[i], hash, store_.records());
    if (row != RowIndex::kNone) return AppendSizedRow(store_.BytesOf(row), rows);
    distinct_.Add(hash);
    ++lacking;
    AppendSizedRow({}, rows);
  });
  done_.pulls += keys.size();
  done_.pulls_by_bucket.front() += lacking;
  done_.pulls_by_bucket.back() += keys.size() - lacking;
  uses_.Sample(keys, nullptr);
}

CountPushResult CountTable::Push(std::span<const Key> keys, std::span<const std::byte> changes) {
  CountPushResult result;
  InGroups(keys, index_, store_, [&](std::size_t i, std::uint64_t hash) {
    std::span<const std::byte> change;
    LONGTAIL_CHECK(TakeSizedRow(changes, change));
    index_.MoveOn(1, store_.records());
    Add(keys[i], hash, change, result);
  });
  LONGTAIL_CHECK(changes.empty());
  uses_.Sample(keys, nullptr);
  done_.pushes += keys.size();
  done_.rows_created += result.created;
  done_.non_finite_refused += result.refused_overflow;
  done_.full_refused += result.refused_full;
  return result;
}

void CountTable::Add(Key key, std::uint64_t hash, std::span<const std::byte> change,
                     CountPushResult& result) {
  if (change.empty()) return;
  std::uint32_t row = index_.Find(key, hash, store_.records());
  if (row == RowIndex::kNone) {
    if (store_.IsFull()) {
      ++result.refused_full;
      return;
    }
    ++result.created;
    distinct_.Add(hash);
    Write(Create(key, hash), change);
    return;
  }
  Unpack(store_.BytesOf(row), dim(), entries_);
  Unpack(change, dim(), change_);
  if (!MergeCounts(entries_, change_, sums_)) {
    ++result.refused_overflow;
    return;
  }
  packed_.clear();
  AppendCountRow(sums_, dim(), packed_);
  Write(row, AsBytes(packed_));
}

std::uint32_t CountTable::Create(Key key, std::uint64_t hash) {
  const std::uint32_t row = store_.Create(key);
  index_.Insert(row, hash, store_.records());
  if (changes_ != nullptr) changes_->Create(store_.records(), row);
  return row;
}

void CountTable::Write(std::uint32_t row, std::span<const std::byte> packed) {
  if (cut_ != nullptr) cut_->Keep(store_, row);
  if (changes_ != nullptr) changes_->Change(store_.records(), row);
  store_.Replace(row, packed);
}

std::span<const std::byte> CountTable::Find(Key key) const {
  const std::uint32_t row = index_.Find(key, Mix64(key), store_.records());
  if (row == RowIndex::kNone) return {};
  return store_.BytesOf(row);
}

absl::Status CountTable::Import(const CountRowView& row) {
  const char* const wrong =
      row.packed.size() > kCountRowBytesMax
          ? "larger than any"
          : VisitCountRow(row.packed, dim(), [](std::uint32_t, std::int64_t) {});
  if (wrong != nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", spec_.name, "': key ", row.key, ": row of counts: ", wrong));
  }
  const std::uint64_t hash = Mix64(row.key);
  std::uint32_t number = index_.Find(row.key, hash, store_.records());
  if (number == RowIndex::kNone) {
    if (store_.IsFull()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("table '", spec_.name, "': key ", row.key, ": this partition holds ",
                       row_count(), " rows, which is its limit: want more partitions"));
    }
    distinct_.Add(hash);
    number = Create(row.key, hash);
  }
  Write(number, row.packed);
  return absl::OkStatus();
}

std::uint64_t CountTable::BeginCut() {
  LONGTAIL_CHECK(cut_ == nullptr);
  cut_ = std::make_unique<CountCut>(store_);
  return store_.row_bytes() + row_count() * sizeof(Key);
}

std::uint64_t CountTable::BeginCutOfChanges() {
  LONGTAIL_CHECK(cut_ == nullptr);
  LONGTAIL_CHECK(knows_changes());
  cut_ = std::make_unique<CountCut>(store_, *changes_);
  const std::uint64_t mean = row_count() == 0 ? 0 : store_.row_bytes() / row_count();
  return cut_->CountRows() * (mean + sizeof(Key));
}

void CountTable::MarkChanges() {
  changes_before_ = std::exchange(changes_, std::make_unique<RowChanges>());
}

void CountTable::KeepChanges(ChangesSince since) {
  if (since == ChangesSince::kUnknown) changes_.reset();
  if (since == ChangesSince::kMarkBefore && changes_before_ != nullptr) {
    changes_->Prepend(*changes_before_, store_.records(), [](Key) { return true; });
  }
  changes_before_.reset();
}

}  // namespace longtail::sparse
