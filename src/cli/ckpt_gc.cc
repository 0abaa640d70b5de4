#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "io/open_store.h"

namespace longtail::cli {
namespace {

using checkpoint::Removal;
using checkpoint::RetentionPlan;
using checkpoint::UnfinishedCheckpoint;
using nlohmann::json;

std::string TextOf(const Removal& removal, bool is_dry_run) {
  std::string text = absl::StrCat(is_dry_run ? "would remove " : "removed ", SafeText(removal.name),
                                  ": ", CountedText(removal.objects.size(), "object"));
  if (removal.has_manifest) {
    return absl::StrCat(text, ", ", CountedText(removal.bytes, "byte"), ", saved ",
                        SafeText(removal.created_at), "\n");
  }
  return absl::StrCat(
      text, removal.was_begun ? " that a removal before left\n" : " without a manifest\n");
}

std::string TextOf(const RetentionPlan& plan, const std::vector<Removal>& removed,
                   bool is_dry_run) {
  std::string text;
  std::uint64_t bytes = 0;
  std::uint64_t objects = 0;
  for (const Removal& removal : removed) {
    text += TextOf(removal, is_dry_run);
    bytes += removal.bytes;
    objects += removal.objects.size();
  }
  absl::StrAppend(&text, is_dry_run ? "would free " : "freed ", CountedText(bytes, "byte"), " in ",
                  CountedText(objects, "object"), "; ", CountedText(plan.kept.size(), "checkpoint"),
                  " kept", plan.kept.empty() ? "" : ": ", SafeText(absl::StrJoin(plan.kept, ", ")),
                  "\n");
  for (const UnfinishedCheckpoint& unfinished : plan.unfinished) {
    absl::StrAppend(&text, "left alone: ", SafeText(unfinished.name), ": ",
                    CountedText(unfinished.objects.size(), "object"),
                    " without a manifest: it may be under way (--unfinished removes it)\n");
  }
  return text;
}

json JsonOf(const Removal& removal) {
  json document = {{"name", removal.name},
                   {"objects", removal.objects.size()},
                   {"bytes", removal.bytes},
                   {"has_manifest", removal.has_manifest},
                   {"was_begun", removal.was_begun}};
  if (removal.has_manifest) document["created_at"] = removal.created_at;
  return document;
}

std::string JsonOf(const RetentionPlan& plan, const std::vector<Removal>& removed,
                   bool is_dry_run) {
  json removals = json::array();
  for (const Removal& removal : removed) removals.push_back(JsonOf(removal));
  json unfinished = json::array();
  for (const UnfinishedCheckpoint& one : plan.unfinished) {
    unfinished.push_back({{"name", one.name}, {"objects", one.objects.size()}});
  }
  return LineOf({{"is_dry_run", is_dry_run},
                 {"removed", std::move(removals)},
                 {"kept", plan.kept},
                 {"unfinished", std::move(unfinished)}});
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptGc(const CkptRequest& request, const CkptGcOptions& options,
                                      absl::Time now) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  LONGTAIL_ASSIGN_OR_RETURN(const checkpoint::StoreListing listing, checkpoint::ListStore(*store));
  LONGTAIL_ASSIGN_OR_RETURN(const RetentionPlan plan,
                            checkpoint::PlanRetention(listing, options.policy, now));
  std::vector<Removal> removed;
  if (options.is_dry_run) {
    removed = plan.removals;
  } else {
    const absl::Status status = checkpoint::Remove(
        *store, plan, [&](const Removal& removal) { removed.push_back(removal); });
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(status.message(), "; ", removed.size(), " of ",
                                       plan.removals.size(), " checkpoints were removed before"));
    }
  }
  return CommandOutcome{.output = request.form == OutputForm::kText
                                      ? TextOf(plan, removed, options.is_dry_run)
                                      : JsonOf(plan, removed, options.is_dry_run)};
}

}  // namespace longtail::cli
