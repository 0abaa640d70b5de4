#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "checkpoint/csv_file.h"
#include "checkpoint/flat_file.h"
#include "checkpoint/npy_file.h"
#include "checkpoint/table_export.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "io/open_store.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

absl::StatusOr<std::size_t> FindTable(const Manifest& manifest, const CkptExportOptions& options) {
  std::vector<std::string> names;
  for (const ManifestTable& table : manifest.tables) names.push_back(table.spec.name);
  if (options.table.empty() && names.size() == 1) return 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == options.table) return i;
  }
  const std::string there =
      absl::StrCat("checkpoint '", options.name, "' has [", absl::StrJoin(names, ", "), "]");
  if (options.table.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("--table is missing: ", there, ": want one"));
  }
  return absl::NotFoundError(absl::StrCat("table '", options.table, "': ", there));
}

absl::StatusOr<std::unique_ptr<checkpoint::TableFile>> CreateFile(
    const TableSpec& spec, const CkptExportOptions& options) {
  if (spec.kind == TableKind::kCounts && options.form != ExportForm::kCsv) {
    return absl::InvalidArgumentError(
        absl::StrCat("table '", spec.name,
                     "' is one of counts, whose rows are no vectors of "
                     "floats: want --format csv"));
  }
  std::unique_ptr<checkpoint::TableFile> file;
  switch (options.form) {
    case ExportForm::kFlat: {
      LONGTAIL_ASSIGN_OR_RETURN(file, checkpoint::FlatFile::Create(options.path));
      break;
    }
    case ExportForm::kNpy: {
      LONGTAIL_ASSIGN_OR_RETURN(file, checkpoint::NpyFile::Create(options.path, options.has_slots));
      break;
    }
    case ExportForm::kCsv: {
      LONGTAIL_ASSIGN_OR_RETURN(file, checkpoint::CsvFile::Create(options.path));
      break;
    }
  }
  return file;
}

std::vector<std::string> FilesOf(const CkptExportOptions& options) {
  if (options.form != ExportForm::kNpy) return {options.path};
  const checkpoint::NpyPaths paths = checkpoint::NpyPathsOf(options.path);
  std::vector<std::string> files = {paths.weights, paths.keys};
  if (options.has_slots) files.push_back(paths.slots);
  return files;
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptExport(const CkptRequest& request,
                                          const CkptExportOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  LONGTAIL_ASSIGN_OR_RETURN(const Manifest manifest, server::ReadManifest(*store, options.name));
  LONGTAIL_ASSIGN_OR_RETURN(const std::size_t table, FindTable(manifest, options));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<checkpoint::TableFile> file,
                            CreateFile(manifest.tables[table].spec, options));
  LONGTAIL_ASSIGN_OR_RETURN(
      const std::uint64_t rows,
      checkpoint::ExportTable(*store, manifest, table, options.has_slots, *file));
  const std::string& name = manifest.tables[table].spec.name;
  const std::vector<std::string> files = FilesOf(options);
  if (request.form == OutputForm::kJson) {
    return CommandOutcome{.output = LineOf({{"table", name}, {"rows", rows}, {"files", files}})};
  }
  return CommandOutcome{.output =
                            SafeText(absl::StrCat("table ", name, ": ", CountedText(rows, "row"),
                                                  " to ", absl::StrJoin(files, ", "))) +
                            "\n"};
}

}  // namespace longtail::cli
