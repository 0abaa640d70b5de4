#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "checkpoint/serving_export.h"
#include "checkpoint/store_listing.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "io/open_store.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

struct Source {
  std::unique_ptr<BlobStore> store;
  std::string name;
  Manifest manifest;
};

absl::StatusOr<Source> OpenSource(const std::string& address, const std::string& name) {
  Source source;
  LONGTAIL_ASSIGN_OR_RETURN(source.store, OpenExistingStore(address));
  source.name = name;
  if (name.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(const checkpoint::StoreListing listing,
                              checkpoint::ListStore(*source.store));
    if (listing.checkpoints.empty()) {
      return absl::NotFoundError(
          absl::StrCat(source.store->Describe(), ": has no checkpoint: want one to serve"));
    }
    source.name = listing.checkpoints.back().name;
  }
  LONGTAIL_ASSIGN_OR_RETURN(source.manifest, server::ReadManifest(*source.store, source.name));
  return source;
}

std::string JsonOf(const std::string& name, const checkpoint::ServingExport& done) {
  json tables = json::array();
  for (const checkpoint::ServedTable& table : done.tables) {
    tables.push_back({{"table", table.table},
                      {"file", table.file},
                      {"rows", table.rows},
                      {"gone", table.gone},
                      {"bytes", table.bytes}});
  }
  return LineOf({{"checkpoint", name},
                 {"step", done.step},
                 {"base", done.base},
                 {"is_changes", done.is_changes},
                 {"tables", tables},
                 {"removed", done.removed}});
}

std::string AnswerText(const std::string& name, const checkpoint::ServingExport& done,
                       OutputForm form) {
  if (form == OutputForm::kJson) return JsonOf(name, done);
  std::string text = absl::StrCat(
      SafeText(name), ", step ", GroupedText(done.step), ": ",
      done.is_changes ? absl::StrCat("changes since ", SafeText(done.base)) : "all rows", "\n");
  for (const checkpoint::ServedTable& table : done.tables) {
    absl::StrAppend(&text, "  ", SafeText(table.table), ": ", CountedText(table.rows, "row"),
                    done.is_changes ? absl::StrCat(", ", GroupedText(table.gone), " gone") : "",
                    ", ", CountedText(table.bytes, "byte"), " in ", table.file, "\n");
  }
  return text;
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptExportServing(const CkptRequest& request,
                                                 const CkptExportServingOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const Source source, OpenSource(request.store, options.name));
  LONGTAIL_ASSIGN_OR_RETURN(
      const checkpoint::ServingExport done,
      checkpoint::ExportServing(*source.store, source.name, source.manifest, options.to));
  return CommandOutcome{.output = AnswerText(source.name, done, request.form)};
}

void CkptFollowForServing(const CkptRequest& request, const CkptExportServingOptions& options,
                          absl::Duration every, const EndSignals& signals, std::ostream& out,
                          std::ostream& err) {
  std::optional<std::uint64_t> served;
  std::string said;  // The last error: it is said again only after another.
  do {
    const auto step = [&]() -> absl::Status {
      LONGTAIL_ASSIGN_OR_RETURN(const Source source, OpenSource(request.store, {}));
      const std::uint64_t identity = CheckpointIdentity(source.name, source.manifest.created_at);
      if (served == identity) return absl::OkStatus();
      LONGTAIL_ASSIGN_OR_RETURN(
          const checkpoint::ServingExport done,
          checkpoint::ExportServing(*source.store, source.name, source.manifest, options.to));
      served = identity;
      out << AnswerText(source.name, done, request.form) << std::flush;
      return absl::OkStatus();
    };
    const absl::Status status = step();
    const std::string sentence(status.message());
    if (!status.ok() && sentence != said) {
      err << "longtail ckpt export-serving: " << SafeText(sentence) << std::endl;
    }
    said = sentence;
  } while (!signals.WaitFor(every));
}

}  // namespace longtail::cli
