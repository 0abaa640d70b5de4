#include "server/snapshot_name.h"

#include <charconv>

#include "absl/strings/str_format.h"

namespace longtail::server {
namespace {

// Takes the number that `text` begins with.
std::optional<std::uint32_t> TakeNumber(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool TakeCharacter(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string SnapshotName(std::string_view checkpoint, SnapshotPlace place) {
  return absl::StrFormat("%s/p%05d-%04d.snapshot", std::string(checkpoint),
                         static_cast<std::uint32_t>(place.partition), place.chunk);
}

std::optional<SnapshotPlace> PlaceOfSnapshot(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view rest = name.substr(slash + 1);
  if (!TakeCharacter(rest, 'p')) return std::nullopt;
  const std::optional<std::uint32_t> partition = TakeNumber(rest);
  if (!partition || !TakeCharacter(rest, '-')) return std::nullopt;
  const std::optional<std::uint32_t> chunk = TakeNumber(rest);
  if (!chunk) return std::nullopt;
  const SnapshotPlace place{.partition = PartitionId{*partition}, .chunk = *chunk};
  // The width of the numbers and the ending are as written, or the name is another's.
  if (SnapshotName(name.substr(0, slash), place) != name) return std::nullopt;
  return place;
}

}  // namespace longtail::server
