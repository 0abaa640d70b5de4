#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "checkpoint/store_listing.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "io/open_store.h"
#include "longtail/checkpoint.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

using checkpoint::ListedCheckpoint;
using checkpoint::StoreListing;
using checkpoint::UnfinishedCheckpoint;
using nlohmann::json;

std::string TextOf(const UnfinishedCheckpoint& unfinished) {
  return absl::StrCat(SafeText(unfinished.name), ": no manifest, ",
                      CountedText(unfinished.objects.size(), "object"), ": ",
                      unfinished.is_being_removed
                          ? "its removal has begun, and gc ends it"
                          : "it is being written, or was not written to its end",
                      "\n");
}

std::string TextOf(const StoreListing& listing, const std::string& store) {
  std::string text = absl::StrCat(CountedText(listing.checkpoints.size(), "checkpoint"), " in ",
                                  SafeText(store), "\n");
  std::vector<std::vector<std::string>> lines = {
      {"step", "tables", "rows", "bytes", "own", "saved", "name", "increment on"}};
  std::string damaged;
  for (const ListedCheckpoint& listed : listing.checkpoints) {
    if (!listed.manifest.ok()) {
      absl::StrAppend(&damaged, "damaged: ", SafeText(listed.name), ": ",
                      SafeText(listed.manifest.status().ToString()), "\n");
      continue;
    }
    const CheckpointInfo info = server::InfoOf(*listed.manifest, {});
    lines.push_back({GroupedText(info.step), GroupedText(info.tables.size()),
                     GroupedText(info.rows), GroupedText(info.bytes), GroupedText(info.own_bytes),
                     SafeText(info.created_at), SafeText(listed.name), SafeText(info.base)});
  }
  if (lines.size() > 1) absl::StrAppend(&text, "\n", ColumnsText(lines, 5));
  if (!damaged.empty()) absl::StrAppend(&text, "\n", damaged);
  if (!listing.unfinished.empty()) text += "\n";
  for (const UnfinishedCheckpoint& unfinished : listing.unfinished) text += TextOf(unfinished);
  return text;
}

json JsonOf(const ListedCheckpoint& listed) {
  json document = {{"name", listed.name}};
  if (!listed.manifest.ok()) {
    document["damage"] = std::string(listed.manifest.status().message());
    return document;
  }
  const CheckpointInfo info = server::InfoOf(*listed.manifest, {});
  json tables = json::array();
  for (const TableSpec& spec : info.tables) tables.push_back(spec.name);
  document.update({{"created_at", info.created_at},
                   {"step", info.step},
                   {"partitions", info.partitions},
                   {"tables", std::move(tables)},
                   {"rows", info.rows},
                   {"bytes", info.bytes},
                   {"own_bytes", info.own_bytes},
                   {"increments", info.increments}});
  if (!info.base.empty()) document["base"] = info.base;
  return document;
}

std::string JsonOf(const StoreListing& listing, const std::string& store) {
  json checkpoints = json::array();
  for (const ListedCheckpoint& listed : listing.checkpoints) checkpoints.push_back(JsonOf(listed));
  json unfinished = json::array();
  for (const UnfinishedCheckpoint& one : listing.unfinished) {
    unfinished.push_back({{"name", one.name},
                          {"objects", one.objects.size()},
                          {"is_being_removed", one.is_being_removed}});
  }
  return LineOf({{"store", store},
                 {"checkpoints", std::move(checkpoints)},
                 {"unfinished", std::move(unfinished)}});
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptLs(const CkptRequest& request) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  LONGTAIL_ASSIGN_OR_RETURN(const StoreListing listing, checkpoint::ListStore(*store));
  CommandOutcome outcome;
  for (const ListedCheckpoint& listed : listing.checkpoints) {
    if (!listed.manifest.ok()) outcome.code = kCkptFound;
  }
  outcome.output = request.form == OutputForm::kText ? TextOf(listing, store->Describe())
                                                     : JsonOf(listing, store->Describe());
  return outcome;
}

}  // namespace longtail::cli
