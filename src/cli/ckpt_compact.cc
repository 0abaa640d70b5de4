#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "checkpoint/compaction.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "io/open_store.h"
#include "longtail/checkpoint.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {

absl::StatusOr<CommandOutcome> CkptCompact(const CkptRequest& request,
                                           const CkptCompactOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest,
                            checkpoint::Compact(*store, options.name, options.as));
  const CheckpointInfo info = server::InfoOf(manifest, {.store = "", .name = options.as});
  if (request.form == OutputForm::kJson) {
    return CommandOutcome{.output = LineOf({{"name", options.as},
                                            {"from", options.name},
                                            {"objects", manifest.blobs.size()},
                                            {"rows", info.rows},
                                            {"bytes", info.bytes}})};
  }
  return CommandOutcome{.output = absl::StrCat("checkpoint ", SafeText(options.as), ": all that ",
                                               SafeText(options.name),
                                               " has, in full: ", CountedText(info.rows, "row"),
                                               " in ", CountedText(manifest.blobs.size(), "object"),
                                               ", ", CountedText(info.bytes, "byte"), "\n")};
}

}  // namespace longtail::cli
