#include "io/eviction_audit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace longtail {
namespace {

constexpr mode_t kFileMode = 0666;  // Less the umask.
constexpr std::string_view kHeader = "table\tkey\treason\tcount\tlast_step\tstep\n";
constexpr std::array<const char*, 4> kReasonNames = {"idle", "score", "norm", "budget"};

bool WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EvictionAudit>> EvictionAudit::Open(const std::string& path) {
  const auto error = [&] {
    return absl::UnavailableError(
        absl::StrCat("eviction audit '", path, "': ", std::generic_category().message(errno)));
  };
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (file < 0) return error();
  std::unique_ptr<EvictionAudit> audit(new EvictionAudit(file));
  struct stat found {};
  if (::fstat(file, &found) != 0) return error();
  if (found.st_size == 0 && !WriteAll(file, kHeader)) return error();
  return audit;
}

EvictionAudit::~EvictionAudit() {
  ::close(file_);
}

void EvictionAudit::Append(const std::vector<EvictedKeys>& evictions) {
  text_.clear();
  std::uint64_t keys = 0;
  std::uint64_t left_out = 0;
  for (const EvictedKeys& table : evictions) {
    for (const EvictedKey& row : table.keys) {
      absl::StrAppend(&text_, table.table, "\t", row.key, "\t",
                      kReasonNames[static_cast<std::size_t>(row.reason)], "\t", row.count, "\t",
                      row.last_step, "\t", row.step, "\n");
    }
    keys += table.keys.size();
    left_out += table.left_out;
  }
  if (!WriteAll(file_, text_)) left_out += keys;
  if (left_out != 0) unaudited_.fetch_add(left_out, std::memory_order_relaxed);
}

}  // namespace longtail
