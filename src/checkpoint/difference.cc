#include "checkpoint/difference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <span>

#include "base/count_row.h"
#include "base/status_macros.h"
#include "checkpoint/checkpoint_rows.h"

namespace longtail::checkpoint {
namespace {

// A table, and where it stands in the manifests: nowhere if only one has it.
struct Pair {
  const TableSpec* first = nullptr;
  const TableSpec* second = nullptr;
  std::size_t first_place = 0;
  std::size_t second_place = 0;
};

std::vector<Pair> PairsOf(const Manifest& first, const Manifest& second,
                          CheckpointDifference& difference) {
  std::vector<Pair> pairs;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < first.tables.size(); ++i) {
    places[first.tables[i].spec.name] = i;
    pairs.push_back({.first = &first.tables[i].spec, .first_place = i});
    difference.tables.push_back({.name = first.tables[i].spec.name, .is_in_first = true});
  }
  for (std::size_t i = 0; i < second.tables.size(); ++i) {
    const TableSpec& spec = second.tables[i].spec;
    const auto found = places.find(spec.name);
    const std::size_t at = found == places.end() ? pairs.size() : found->second;
    if (at == pairs.size()) {
      pairs.emplace_back();
      difference.tables.push_back({.name = spec.name});
    }
    pairs[at].second = &spec;
    pairs[at].second_place = i;
    difference.tables[at].is_in_second = true;
    difference.tables[at].has_equal_specs = pairs[at].first == nullptr || *pairs[at].first == spec;
  }
  return pairs;
}

bool HaveEqualBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

// The largest absolute difference; infinite if it is not finite.
double MaxDifference(std::span<const float> a, std::span<const float> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (HaveEqualBits(a.subspan(i, 1), b.subspan(i, 1))) continue;
    const double difference = std::abs(double{a[i]} - double{b[i]});
    if (!std::isfinite(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

// The same of rows of counts: exact but for the rounding of a double.
double MaxDifference(std::span<const std::byte> a, std::span<const std::byte> b,
                     std::uint32_t dim) {
  std::map<std::uint32_t, std::pair<double, double>> counts;
  VisitCountRow(a, dim, [&](std::uint32_t column, std::int64_t count) {
    counts[column].first = static_cast<double>(count);
  });
  VisitCountRow(b, dim, [&](std::uint32_t column, std::int64_t count) {
    counts[column].second = static_cast<double>(count);
  });
  double largest = 0;
  for (const auto& [column, both] : counts) {
    largest = std::max(largest, std::abs(both.first - both.second));
  }
  return largest;
}

// Keeps the `keys_max` that differ most; of equal ones those that came first.
void Note(const ChangedRow& row, std::size_t keys_max, std::vector<ChangedRow>& rows) {
  const auto place = std::ranges::upper_bound(rows, row.difference, std::ranges::greater(),
                                              &ChangedRow::difference);
  if (rows.size() == keys_max && place == rows.end()) return;
  rows.insert(place, row);
  if (rows.size() > keys_max) rows.pop_back();
}

class TableComparison {
 public:
  TableComparison(const Pair& pair, std::size_t keys_max, TableDifference& difference)
      : keys_max_(keys_max), difference_(difference) {
    if (pair.first != nullptr && pair.second != nullptr && pair.first->dim == pair.second->dim) {
      if (pair.first->kind == pair.second->kind) dim_ = pair.first->dim;
      has_counts_ = pair.first->kind == TableKind::kCounts;
    }
  }

  // Both hold the rows of one part of the key space.
  void Add(const SortedRows& first, const SortedRows& second) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < first.size() || j < second.size()) {
      const bool has_both = i < first.size() && j < second.size();
      if (j == second.size() || (has_both && first.at(i).key < second.at(j).key)) {
        Name(first.at(i++).key, difference_.removed, difference_.removed_keys);
      } else if (i == first.size() || first.at(i).key > second.at(j).key) {
        Name(second.at(j++).key, difference_.added, difference_.added_keys);
      } else {
        AddRow(first.at(i++), second.at(j++));
      }
    }
  }

 private:
  void Name(Key key, std::uint64_t& count, std::vector<Key>& keys) const {
    if (count++ < keys_max_) keys.push_back(key);
  }

  void AddRow(const StoredRow& a, const StoredRow& b) {
    if (a.count == b.count && a.last_step == b.last_step && HaveEqualBits(a.values, b.values) &&
        std::ranges::equal(a.packed, b.packed)) {
      ++difference_.equal;
      return;
    }
    ++difference_.changed;
    double weights = 0;
    if (dim_ != 0 && has_counts_) {
      weights = MaxDifference(a.packed, b.packed, dim_);
      difference_.weights_max = std::max(difference_.weights_max, weights);
    } else if (dim_ != 0) {
      weights = MaxDifference(a.values.first(dim_), b.values.first(dim_));
      difference_.weights_max = std::max(difference_.weights_max, weights);
      if (a.values.size() == b.values.size()) {
        difference_.state_max = std::max(
            difference_.state_max, MaxDifference(a.values.subspan(dim_), b.values.subspan(dim_)));
      }
    }
    Note({.key = a.key, .difference = weights}, keys_max_, difference_.changed_rows);
  }

  const std::size_t keys_max_;
  TableDifference& difference_;
  std::uint32_t dim_ = 0;  // 0: rows are of different widths, or kinds.
  bool has_counts_ = false;
};

void CompareTrainers(const Manifest& first, const Manifest& second,
                     std::vector<std::string>& differ) {
  std::map<std::string, const ManifestTrainerBlob*> entries;
  for (const ManifestTrainerBlob& blob : first.trainer) entries[blob.name] = &blob;
  for (const ManifestTrainerBlob& blob : second.trainer) {
    const auto found = entries.find(blob.name);
    if (found == entries.end()) {
      differ.push_back(blob.name);
      continue;
    }
    if (found->second->bytes != blob.bytes || found->second->checksum != blob.checksum) {
      differ.push_back(blob.name);
    }
    entries.erase(found);
  }
  for (const auto& [name, blob] : entries) differ.push_back(name);
  std::ranges::sort(differ);
}

}  // namespace

bool CheckpointDifference::is_equal() const {
  return trainer.empty() && std::ranges::all_of(tables, &TableDifference::is_equal);
}

absl::StatusOr<CheckpointDifference> Compare(BlobStore& store, const Manifest& first,
                                             const Manifest& second, std::size_t keys_max) {
  CheckpointDifference difference;
  const std::vector<Pair> pairs = PairsOf(first, second, difference);
  CompareTrainers(first, second, difference.trainer);
  LONGTAIL_ASSIGN_OR_RETURN(const CheckpointRows first_rows, CheckpointRows::Open(store, first));
  LONGTAIL_ASSIGN_OR_RETURN(const CheckpointRows second_rows, CheckpointRows::Open(store, second));
  std::vector<TableComparison> comparisons;
  std::vector<std::size_t> first_places;
  std::vector<std::size_t> second_places;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    comparisons.emplace_back(pairs[i], keys_max, difference.tables[i]);
    if (pairs[i].first != nullptr) first_places.push_back(pairs[i].first_place);
    if (pairs[i].second != nullptr) second_places.push_back(pairs[i].second_place);
  }
  const SortedRows none;
  const auto rows_of = [&](const std::vector<std::size_t>& places,
                           const std::vector<SortedRows>& rows, bool is_there,
                           std::size_t place) -> const SortedRows& {
    if (!is_there) return none;
    return rows[static_cast<std::size_t>(std::ranges::find(places, place) - places.begin())];
  };
  const std::uint32_t parts = std::min(first.partition_count, second.partition_count);
  for (std::uint32_t part = 0; part < parts; ++part) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<SortedRows> a,
                              first_rows.Read(part, parts, first_places));
    LONGTAIL_ASSIGN_OR_RETURN(const std::vector<SortedRows> b,
                              second_rows.Read(part, parts, second_places));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      comparisons[i].Add(
          rows_of(first_places, a, pairs[i].first != nullptr, pairs[i].first_place),
          rows_of(second_places, b, pairs[i].second != nullptr, pairs[i].second_place));
    }
  }
  return difference;
}

}  // namespace longtail::checkpoint
