#include "worker/count_changes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/count_row.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

void EntriesOf(const CountRows& rows, std::size_t row, std::vector<CountEntry>& entries) {
  entries.clear();
  for (std::uint64_t i = rows.begin(row); i < rows.ends[row]; ++i) {
    if (rows.counts[i] == 0) continue;
    entries.push_back({.column = rows.columns[i], .count = rows.counts[i]});
  }
}

// Which rows are of each key: those of key k are rows[begins[k]] up to rows[begins[k + 1]].
struct Occurrences {
  explicit Occurrences(const KeyBatch::Plan& plan)
      : begins(plan.keys.size() + 1), rows(plan.inverse.size()) {
    for (const std::uint32_t key : plan.inverse) ++begins[key + 1];
    for (std::size_t k = 1; k < begins.size(); ++k) begins[k] += begins[k - 1];
    std::vector<std::uint32_t> next(begins.begin(), begins.end() - 1);
    for (std::uint32_t row = 0; row < rows.size(); ++row) rows[next[plan.inverse[row]]++] = row;
  }

  std::vector<std::uint32_t> begins;
  std::vector<std::uint32_t> rows;
};

}  // namespace

absl::Status CheckCountChanges(const TableSpec& spec, std::size_t keys, const CountRows& changes) {
  const auto refuse = [&](const auto&... what) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", spec.name, "': changes of ", keys, " keys: ", what...));
  };
  if (changes.ends.size() != keys) {
    return refuse(changes.ends.size(), " ends of rows: want ", keys);
  }
  if (changes.columns.size() != changes.counts.size()) {
    return refuse(changes.columns.size(), " columns and ", changes.counts.size(),
                  " counts: want as many");
  }
  std::uint64_t begin = 0;
  for (std::size_t row = 0; row < keys; ++row) {
    const std::uint64_t end = changes.ends[row];
    if (end < begin || end > changes.columns.size()) {
      return refuse("row ", row, " ends at ", end, ": want ", begin, "..", changes.columns.size());
    }
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::uint32_t column = changes.columns[i];
      if (column >= spec.dim) {
        return refuse("row ", row, ": column ", column, ": want 0..", spec.dim - 1);
      }
      if (i > begin && column <= changes.columns[i - 1]) {
        return refuse("row ", row, ": column ", column, " after ", changes.columns[i - 1],
                      ": want them to ascend");
      }
    }
    begin = end;
  }
  if (begin == changes.columns.size()) return absl::OkStatus();
  return refuse("the last row ends at ", begin, ": want ", changes.columns.size(),
                ", as many as there are columns");
}

absl::Status PackCountChanges(const TableSpec& spec, const KeyBatch::Plan& plan,
                              const CountRows& changes, std::string& packed,
                              std::vector<std::size_t>& ends) {
  const Occurrences of(plan);
  std::vector<CountEntry> sum;
  std::vector<CountEntry> next;
  std::vector<CountEntry> both;
  std::string row;
  ends.clear();
  for (std::size_t p = 0; p + 1 < plan.begins.size(); ++p) {
    for (std::uint32_t k = plan.begins[p]; k < plan.begins[p + 1]; ++k) {
      EntriesOf(changes, of.rows[of.begins[k]], sum);
      for (std::uint32_t i = of.begins[k] + 1; i < of.begins[k + 1]; ++i) {
        EntriesOf(changes, of.rows[i], next);
        if (!MergeCounts(sum, next, both)) {
          return absl::InvalidArgumentError(absl::StrCat("table '", spec.name, "': key ",
                                                         plan.keys[k],
                                                         ": the sum of its changes is beyond 64 "
                                                         "bits"));
        }
        std::swap(sum, both);
      }
      row.clear();
      AppendCountRow(sum, spec.dim, row);
      AppendSizedRow(AsBytes(row), packed);
    }
    ends.push_back(packed.size());
  }
  return absl::OkStatus();
}

}  // namespace longtail
