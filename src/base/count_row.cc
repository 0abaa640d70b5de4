#include "base/count_row.h"

namespace longtail {
namespace {

template <typename T>
void AppendDense(std::span<const CountEntry> entries, std::uint32_t dim, std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + dim * sizeof(T), '\0');
  for (const CountEntry& entry : entries) {
    const auto count = static_cast<T>(entry.count);
    std::memcpy(out.data() + begin + entry.column * sizeof(T), &count, sizeof(T));
  }
}

}  // namespace

void AppendCountRow(std::span<const CountEntry> entries, std::uint32_t dim, std::string& out) {
  if (entries.empty()) return;
  count_row::FormCheck form;
  std::uint32_t begin = 0;
  for (const CountEntry& entry : entries) {
    form.Add(entry.column - begin, entry.count);
    begin = entry.column + 1;
  }
  if (form.IsDense(dim)) {
    out.push_back(static_cast<char>(form.width()));
    switch (form.width()) {
      case 1:
        return AppendDense<std::int8_t>(entries, dim, out);
      case 2:
        return AppendDense<std::int16_t>(entries, dim, out);
      case 4:
        return AppendDense<std::int32_t>(entries, dim, out);
      default:
        return AppendDense<std::int64_t>(entries, dim, out);
    }
  }
  out.push_back('\0');
  begin = 0;
  for (const CountEntry& entry : entries) {
    AppendVarint(entry.column - begin, out);
    AppendVarint(ZigZag(static_cast<std::uint64_t>(entry.count)), out);
    begin = entry.column + 1;
  }
}

void AppendSizedRow(std::span<const std::byte> packed, std::string& out) {
  AppendVarint(packed.size(), out);
  if (packed.empty()) return;
  out.append(reinterpret_cast<const char*>(packed.data()), packed.size());
}

bool TakeSizedRow(std::span<const std::byte>& bytes, std::span<const std::byte>& packed) {
  std::span<const std::byte> rest = bytes;
  std::uint64_t size = 0;
  if (!TakeVarint(rest, kCountRowBytesMax, size) || size > rest.size()) return false;
  packed = rest.first(static_cast<std::size_t>(size));
  bytes = rest.subspan(packed.size());
  return true;
}

std::optional<std::string> WrongSizedRows(std::span<const std::byte> bytes, std::size_t rows,
                                          std::uint32_t dim) {
  for (std::size_t row = 0; row < rows; ++row) {
    std::span<const std::byte> packed;
    if (!TakeSizedRow(bytes, packed)) {
      return "row " + std::to_string(row) + " of " + std::to_string(rows) +
             " is cut short, or has a size that is none";
    }
    const char* const wrong = VisitCountRow(packed, dim, [](std::uint32_t, std::int64_t) {});
    if (wrong != nullptr) {
      return "row " + std::to_string(row) + " of " + std::to_string(rows) + " is " + wrong;
    }
  }
  if (bytes.empty()) return std::nullopt;
  return std::to_string(bytes.size()) + " bytes after row " + std::to_string(rows) + ", the last";
}

std::uint32_t CountRowTotal(std::span<const std::byte> packed, std::uint32_t dim) {
  CountTotal total;
  VisitCountRow(packed, dim, [&](std::uint32_t, std::int64_t count) { total.Add(count); });
  return total.value();
}

bool MergeCounts(std::span<const CountEntry> a, std::span<const CountEntry> b,
                 std::vector<CountEntry>& sums) {
  sums.clear();
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i].column < b[j].column) {
      sums.push_back(a[i++]);
    } else if (b[j].column < a[i].column) {
      sums.push_back(b[j++]);
    } else {
      CountEntry sum{.column = a[i].column, .count = 0};
      if (!AddCounts(a[i++].count, b[j++].count, sum.count)) return false;
      if (sum.count != 0) sums.push_back(sum);
    }
  }
  sums.insert(sums.end(), a.begin() + static_cast<std::ptrdiff_t>(i), a.end());
  sums.insert(sums.end(), b.begin() + static_cast<std::ptrdiff_t>(j), b.end());
  return true;
}

}  // namespace longtail
