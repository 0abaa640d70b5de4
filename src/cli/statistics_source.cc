#include "cli/statistics_source.h"

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "protocol/format_limits.h"
#include "protocol/manifest.h"

namespace longtail::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file:";

fs::path PathOf(const std::string& address) {
  const std::string_view text = address;
  return text.starts_with(kFileScheme) ? text.substr(kFileScheme.size()) : text;
}

absl::StatusOr<std::string> ReadText(const std::string& address) {
  const fs::path path = PathOf(address);
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (!file || error) {
    return absl::UnavailableError(absl::StrCat("statistics '", address, "': cannot be read"));
  }
  if (size > kStatisticsBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("statistics '", address, "': ", size,
                                                   " bytes: want at most ", kStatisticsBytesMax));
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

bool IsStatisticsFile(const std::string& address) {
  const fs::path path = PathOf(address);
  std::error_code ignored;
  return path.filename() != kManifestBlobName && fs::is_regular_file(path, ignored);
}

absl::StatusOr<StatisticsSource> OpenStatistics(const std::string& address,
                                                const std::string& table) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, ReadText(address));
  StatisticsSource source{.address = address, .file = {}, .selected = {}};
  LONGTAIL_ASSIGN_OR_RETURN(source.file, DecodeStatisticsFile(address, text));
  std::vector<std::string> names;
  for (std::size_t i = 0; i < source.file.tables.size(); ++i) {
    names.push_back(source.file.tables[i].spec.name);
    if (table.empty() || table == names.back()) source.selected.push_back(i);
  }
  if (table.empty() || !source.selected.empty()) return source;
  return absl::NotFoundError(absl::StrCat("table '", table, "': statistics '", address, "' have [",
                                          absl::StrJoin(names, ", "), "]"));
}

}  // namespace longtail::cli
