#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "checkpoint/difference.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/key_text.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"
#include "io/open_store.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

using checkpoint::ChangedRow;
using checkpoint::CheckpointDifference;
using checkpoint::TableDifference;
using nlohmann::json;

std::string NotesOf(const TableDifference& table) {
  if (!table.is_in_second) return "only in the first";
  if (!table.is_in_first) return "only in the second";
  return table.has_equal_specs ? "" : "specs differ";
}

std::string KeysText(const TableDifference& table) {
  std::string text;
  for (const Key key : table.added_keys) absl::StrAppend(&text, "  added    ", KeyText(key), "\n");
  for (const Key key : table.removed_keys) {
    absl::StrAppend(&text, "  removed  ", KeyText(key), "\n");
  }
  for (const ChangedRow& row : table.changed_rows) {
    absl::StrAppend(&text, "  changed  ", KeyText(row.key), " by up to ", ShortText(row.difference),
                    "\n");
  }
  return text.empty() ? text : absl::StrCat("\ntable ", SafeText(table.name), "\n", text);
}

std::string TextOf(const CheckpointDifference& difference, const CkptDiffOptions& options) {
  std::string text =
      absl::StrCat("from ", SafeText(options.first), " to ", SafeText(options.second), ": ",
                   difference.is_equal() ? "equal" : "they differ", "\n\n");
  std::vector<std::vector<std::string>> lines = {
      {"added", "removed", "changed", "equal", "weights up to", "state up to", "table"}};
  std::string keys;
  for (const TableDifference& table : difference.tables) {
    lines.push_back({GroupedText(table.added), GroupedText(table.removed),
                     GroupedText(table.changed), GroupedText(table.equal),
                     ShortText(table.weights_max), ShortText(table.state_max), SafeText(table.name),
                     NotesOf(table)});
    keys += KeysText(table);
  }
  absl::StrAppend(&text, ColumnsText(lines, 6), keys);
  if (!difference.trainer.empty()) {
    absl::StrAppend(&text, "\nthe trainer's state differs in ",
                    SafeText(absl::StrJoin(difference.trainer, ", ")), "\n");
  }
  return text;
}

// As FloatJson has it: JSON cannot say infinity.
json NumberJson(double value) {
  return FloatJson(static_cast<float>(value)).is_null() ? json(nullptr) : json(value);
}

json JsonOf(const TableDifference& table) {
  json changed = json::array();
  for (const ChangedRow& row : table.changed_rows) {
    changed.push_back({{"key", row.key}, {"difference", NumberJson(row.difference)}});
  }
  return {{"name", table.name},
          {"is_in_first", table.is_in_first},
          {"is_in_second", table.is_in_second},
          {"has_equal_specs", table.has_equal_specs},
          {"added", table.added},
          {"removed", table.removed},
          {"changed", table.changed},
          {"equal", table.equal},
          {"weights_max", NumberJson(table.weights_max)},
          {"state_max", NumberJson(table.state_max)},
          {"added_keys", table.added_keys},
          {"removed_keys", table.removed_keys},
          {"changed_rows", std::move(changed)}};
}

std::string JsonOf(const CheckpointDifference& difference, const CkptDiffOptions& options) {
  json tables = json::array();
  for (const TableDifference& table : difference.tables) tables.push_back(JsonOf(table));
  return LineOf({{"first", options.first},
                 {"second", options.second},
                 {"is_equal", difference.is_equal()},
                 {"tables", std::move(tables)},
                 {"trainer", difference.trainer}});
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptDiff(const CkptRequest& request,
                                        const CkptDiffOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest first, server::ReadManifest(*store, options.first));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest second, server::ReadManifest(*store, options.second));
  LONGTAIL_ASSIGN_OR_RETURN(const CheckpointDifference difference,
                            checkpoint::Compare(*store, first, second, options.keys_max));
  return CommandOutcome{.output = request.form == OutputForm::kText ? TextOf(difference, options)
                                                                    : JsonOf(difference, options),
                        .code = difference.is_equal() ? 0 : kCkptFound};
}

}  // namespace longtail::cli
