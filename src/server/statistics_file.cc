// WriteStatisticsFile of longtail/cluster.h.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "longtail/cluster.h"
#include "protocol/statistics_json.h"
#include "protocol/utc_text.h"

namespace longtail {

absl::Status WriteStatisticsFile(const std::string& path, std::uint64_t step,
                                 const std::vector<TableReport>& tables) {
  const std::size_t slash = path.rfind('/');
  const bool has_directory = slash != std::string::npos;
  const std::string directory = has_directory ? path.substr(0, slash + 1) : "./";
  LONGTAIL_ASSIGN_OR_RETURN(const auto store, OpenStore(absl::StrCat("file:", directory)));
  return store->Write(has_directory ? path.substr(slash + 1) : path,
                      EncodeStatisticsFile({.created_at = UtcText(absl::Now()),
                                            .library_version = LONGTAIL_VERSION,
                                            .step = step,
                                            .tables = tables}));
}

}  // namespace longtail
