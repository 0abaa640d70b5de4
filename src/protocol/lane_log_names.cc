#include "protocol/lane_log_names.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace longtail {
namespace {

constexpr std::size_t kDigits = 20;
constexpr std::string_view kGoneBegin = "longtail log gone since microsecond ";

// The number in PREFIX/NUMBER followed by `ending`.
std::optional<std::uint64_t> NumberOf(std::string_view name, std::string_view prefix,
                                      std::string_view ending) {
  if (name.size() != prefix.size() + 1 + kDigits + ending.size()) return std::nullopt;
  if (!name.starts_with(prefix) || name[prefix.size()] != '/' || !name.ends_with(ending)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const char digit : name.substr(prefix.size() + 1, kDigits)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number;
}

std::vector<std::uint64_t> NumbersOf(std::span<const std::string> names, std::string_view prefix,
                                     std::string_view ending) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = NumberOf(name, prefix, ending)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

// How many of the segments end before `log_end`: each ends where the next begins.
std::size_t CountBefore(const std::vector<std::uint64_t>& segments, std::uint64_t log_end) {
  std::size_t count = 0;
  while (count + 1 < segments.size() && segments[count + 1] <= log_end) ++count;
  return count;
}

}  // namespace

std::string LaneLogPrefix(std::string_view server, NodeId lane, std::uint64_t log) {
  return absl::StrCat(std::string(server), "/lane-", static_cast<std::uint32_t>(lane), "/", log);
}

std::vector<LaneLogKey> FindLaneLogs(std::span<const std::string> names, std::string_view server) {
  const std::string begin = absl::StrCat(std::string(server), "/lane-");
  std::vector<LaneLogKey> logs;
  for (const std::string& name : names) {
    if (!name.starts_with(begin)) continue;
    const std::string_view rest = std::string_view(name).substr(begin.size());
    const std::size_t slash = rest.find('/');
    const std::size_t end = slash == rest.npos ? slash : rest.find('/', slash + 1);
    std::uint32_t lane = 0;
    std::uint64_t log = 0;
    if (end == rest.npos || !absl::SimpleAtoi(std::string(rest.substr(0, slash)), &lane) ||
        !absl::SimpleAtoi(std::string(rest.substr(slash + 1, end - slash - 1)), &log)) {
      continue;
    }
    const std::string prefix = LaneLogPrefix(server, NodeId{lane}, log);
    const bool is_gone = name == LaneLogGone(prefix);
    const bool is_whole =
        name == LaneLogName(prefix, 0) || NumberOf(name, prefix, ".base").has_value();
    const auto known = std::ranges::find_if(
        logs, [&](const LaneLogKey& k) { return k.lane == NodeId{lane} && k.log == log; });
    if (known == logs.end()) {
      logs.push_back({NodeId{lane}, log, is_whole, is_gone});
    } else {
      known->is_whole |= is_whole;
      known->is_gone |= is_gone;
    }
  }
  std::ranges::sort(logs, {}, [](const LaneLogKey& k) { return std::pair(k.lane, k.log); });
  return logs;
}

std::vector<std::string> RemovalOf(std::span<const std::string> names, std::string_view prefix) {
  std::vector<std::string> removal;
  for (const std::uint64_t base : NumbersOf(names, prefix, ".base")) {
    removal.push_back(LaneBaseName(prefix, base));
  }
  const std::string all = absl::StrCat(std::string(prefix), "/");
  const std::string beginning = LaneLogName(prefix, 0);
  if (std::ranges::find(names, beginning) != names.end()) removal.push_back(beginning);
  for (const std::string& name : names) {
    if (!name.starts_with(all) || name == LaneLogGone(prefix) ||
        std::ranges::find(removal, name) != removal.end()) {
      continue;
    }
    removal.push_back(name);
  }
  return removal;
}

std::string LaneLogGone(std::string_view prefix) {
  return absl::StrCat(std::string(prefix), "/gone");
}

std::string LaneLogGoneText(absl::Time since) {
  return absl::StrCat(std::string(kGoneBegin), absl::ToUnixMicros(since), "\n");
}

absl::Time LaneLogGoneSince(std::string_view text) {
  std::int64_t micros = 0;
  const bool is_mark = text.starts_with(kGoneBegin) &&
                       absl::SimpleAtoi(std::string(text.substr(kGoneBegin.size())), &micros);
  return is_mark ? absl::FromUnixMicros(micros) : absl::InfinitePast();
}

std::string LaneLogName(std::string_view prefix, std::uint64_t first) {
  return absl::StrFormat("%s/%020u.log", std::string(prefix), first);
}

std::string LaneBaseName(std::string_view prefix, std::uint64_t log_end) {
  return absl::StrFormat("%s/%020u.base", std::string(prefix), log_end);
}

std::string LaneBaseRows(std::string_view prefix, std::uint64_t log_end) {
  return absl::StrFormat("%s/base-%020u", std::string(prefix), log_end);
}

LaneLogFiles FindLaneLog(std::span<const std::string> names, std::string_view prefix) {
  const std::vector<std::uint64_t> bases = FindLaneBases(names, prefix);
  return FindLaneLogFrom(names, prefix, bases.empty() ? std::nullopt : std::optional(bases.back()));
}

std::vector<std::uint64_t> FindLaneBases(std::span<const std::string> names,
                                         std::string_view prefix) {
  return NumbersOf(names, prefix, ".base");
}

LaneLogFiles FindLaneLogFrom(std::span<const std::string> names, std::string_view prefix,
                             std::optional<std::uint64_t> base) {
  LaneLogFiles files{.base = base, .segments = NumbersOf(names, prefix, ".log")};
  const std::size_t before = CountBefore(files.segments, files.base.value_or(0));
  files.segments.erase(files.segments.begin(),
                       files.segments.begin() + static_cast<std::ptrdiff_t>(before));
  return files;
}

std::vector<std::string> SuperfluousOf(std::span<const std::string> names, std::string_view prefix,
                                       std::uint64_t log_end) {
  std::vector<std::string> superfluous;
  for (const std::uint64_t base : NumbersOf(names, prefix, ".base")) {
    if (base < log_end) superfluous.push_back(LaneBaseName(prefix, base));
  }
  // Those of a newer one are being written, or were; names sort by number.
  const std::string all_rows = absl::StrCat(std::string(prefix), "/base-");
  const std::string own_rows = absl::StrCat(LaneBaseRows(prefix, log_end), "/");
  for (const std::string& name : names) {
    if (name.starts_with(all_rows) && name < own_rows) superfluous.push_back(name);
  }
  const std::vector<std::uint64_t> segments = NumbersOf(names, prefix, ".log");
  for (std::size_t i = 0; i < CountBefore(segments, log_end); ++i) {
    superfluous.push_back(LaneLogName(prefix, segments[i]));
  }
  return superfluous;
}

}  // namespace longtail
