#include "cli/top_answer.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "protocol/lane_leader.h"
#include "protocol/step_mode_names.h"

namespace longtail::cli {
namespace {

constexpr std::size_t kLinesMin = 8;
constexpr std::size_t kColumnsMin = 40;
constexpr std::size_t kBarWidth = 20;
constexpr std::size_t kServersShown = 8;  // Where there are lanes to be shown below.

std::string Clock(absl::Time now) {
  return absl::FormatTime("%H:%M:%S UTC", now, absl::UTCTimeZone());
}

// "950", "12.3k", "4.56M"
std::string RateText(std::uint64_t rate) {
  const auto value = static_cast<double>(rate);
  if (rate < 10'000) return absl::StrCat(rate);
  if (rate < 1'000'000) return absl::StrFormat("%.1fk", value / 1e3);
  return absl::StrFormat("%.2fM", value / 1e6);
}

// The first characters of a line: bytes that continue one are no new column.
std::string Clipped(const std::string& line, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if ((static_cast<unsigned char>(line[i]) & 0xC0U) == 0x80U) continue;
    if (seen++ == columns) return line.substr(0, i);
  }
  return line;
}

std::string Fitted(const std::string& text, const TopView& view) {
  const std::size_t lines = std::max(view.lines, kLinesMin);
  const std::size_t columns = std::max(view.columns, kColumnsMin);
  std::string fitted;
  std::size_t count = 0;
  for (const auto line_text : absl::StrSplit(text, '\n')) {
    const std::string line(line_text);
    if (++count > lines) break;
    absl::StrAppend(&fitted, Clipped(line, columns), "\n");
  }
  // (What is split behind the last line's end is no line.)
  if (text.ends_with('\n') && count <= lines) fitted.pop_back();
  return fitted;
}

struct Sums {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t pulled = 0;
  std::uint64_t pushed = 0;
  std::size_t workers = 0;
  std::size_t late = 0;
};

Sums SumsOf(const ClusterStatus& status) {
  Sums sums;
  for (const Member& member : status.members) {
    sums.late += member.is_late ? 1 : 0;
    sums.workers += member.kind == MemberKind::kWorker ? 1 : 0;
    sums.rows += member.rows;
    sums.bytes += member.bytes;
    sums.pulled += member.rows_pulled_per_second;
    sums.pushed += member.rows_pushed_per_second;
  }
  return sums;
}

std::string Title(const ClusterStatus& status, absl::Time now) {
  std::string text = absl::StrCat("longtail top, ", Clock(now), ", ", SafeText(status.coordinator));
  if (status.map == nullptr) {
    return absl::StrCat(text, ": not formed, waits for ", SafeText(status.waits_for), "\n");
  }
  const ClusterMap& map = *status.map;
  const Sums sums = SumsOf(status);
  absl::StrAppend(
      &text, sums.late == 0 ? ": well\n" : absl::StrCat(": ", sums.late, " LATE\n"),
      CountedText(map.servers.size(), "server"), ", ", CountedText(map.lanes.size(), "lane"), ", ",
      CountedText(sums.workers, "worker"), "; ", StepModeName(map.step_mode), "; map ", map.version,
      ", epoch ", map.epoch,
      status.moves_left == 0 ? ""
                             : absl::StrCat("; ", CountedText(status.moves_left, "move"), " left"),
      "\n", GroupedText(sums.rows), " rows, ",
      absl::StrFormat("%.1f MiB", static_cast<double>(sums.bytes) / (1 << 20)), "; ",
      RateText(sums.pulled), " rows pulled, ", RateText(sums.pushed), " pushed a second\n");
  return text;
}

std::string ServersText(const ClusterStatus& status) {
  std::vector<std::vector<std::string>> lines = {
      {"leads", "rows", "MiB", "pulled/s", "pushed/s", "silent", "server"}};
  std::vector<const Member*> servers;
  for (const Member& member : status.members) {
    if (member.kind == MemberKind::kServer) servers.push_back(&member);
  }
  // Those that something is wrong with are to be seen, however many there are.
  std::stable_partition(servers.begin(), servers.end(), [](const Member* member) {
    return member->is_late || !member->problem.empty();
  });
  for (const Member* member : servers) {
    if (lines.size() > kServersShown) break;
    lines.push_back({absl::StrCat(member->lanes), GroupedText(member->rows),
                     absl::StrFormat("%.1f", static_cast<double>(member->bytes) / (1 << 20)),
                     RateText(member->rows_pulled_per_second),
                     RateText(member->rows_pushed_per_second),
                     absl::StrFormat("%.1f s", static_cast<double>(member->silent_ms) / 1000),
                     absl::StrCat(SafeText(member->name), member->is_late ? "  LATE " : "  ",
                                  SafeText(member->problem))});
  }
  std::string text = ColumnsText(lines, 6);
  if (servers.size() > kServersShown) {
    absl::StrAppend(&text, "  and ", CountedText(servers.size() - kServersShown, "server"),
                    " more\n");
  }
  return servers.empty() ? "" : "\n" + text;
}

std::uint64_t LoadOf(const LaneLoad& lane) {
  return lane.rows_pulled + lane.rows_pushed;
}

std::string LanesText(const ClusterStatus& status, const TopView& view) {
  if (status.lanes.empty() || status.map == nullptr) return "";
  std::vector<LaneLoad> lanes = status.lanes;
  std::ranges::stable_sort(lanes, std::ranges::greater(), LoadOf);
  const std::uint64_t most = LoadOf(lanes[0]);
  std::vector<std::vector<std::string>> lines = {
      {"lane", "rows", "pulled/s", "pushed/s", "leader", ""}};
  for (const LaneLoad& lane : lanes) {
    const auto leader = FindLeader(*status.map, lane.lane);
    lines.push_back({absl::StrCat(static_cast<std::uint32_t>(lane.lane)), GroupedText(lane.rows),
                     RateText(lane.rows_pulled), RateText(lane.rows_pushed),
                     leader ? SafeText(leader->server->name) : "NOBODY",
                     BarText(LoadOf(lane), most, kBarWidth, view.bars)});
  }
  return "\n" + ColumnsText(lines, 4);
}

std::string WorkersText(const ClusterStatus& status) {
  std::string text;
  for (const Member& member : status.members) {
    if (member.kind != MemberKind::kWorker || !member.is_late) continue;
    absl::StrAppend(&text, "worker ", member.number, " ", SafeText(member.name),
                    " LATE: silent for ",
                    absl::StrFormat("%.1f s\n", static_cast<double>(member.silent_ms) / 1000));
  }
  return text;
}

}  // namespace

std::string TopText(const ClusterStatus& status, absl::Time now, const TopView& view) {
  return Fitted(absl::StrCat(Title(status, now), WorkersText(status), ServersText(status),
                             LanesText(status, view)),
                view);
}

std::string TopProblem(const std::string& problem, absl::Time now, const TopView& view) {
  std::string text = absl::StrCat("longtail top, ", Clock(now), "\n");
  std::string left = SafeText(problem);
  const std::size_t columns = std::max(view.columns, kColumnsMin);
  while (left.size() > columns) {  // Between words, where there is one.
    const std::size_t blank = left.rfind(' ', columns);
    const std::size_t end = blank == std::string::npos || blank == 0 ? columns : blank;
    absl::StrAppend(&text, left.substr(0, end), "\n");
    left.erase(0, end == blank ? end + 1 : end);
  }
  return Fitted(absl::StrCat(text, left, "\n"), view);
}

}  // namespace longtail::cli
