// `longtail ckpt`: the checkpoints of a store, without a cluster.
//
// Each function opens the store and gives all that the program is to print: text for people, or one
// JSON object and the end of its line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "checkpoint/log_checkpoint.h"
#include "checkpoint/retention.h"
#include "checkpoint/serving_export.h"
#include "cli/command_outcome.h"
#include "cli/end_signals.h"
#include "cli/exit_codes.h"
#include "cli/inspect.h"

namespace longtail::cli {

/// The exit status if what was looked at is damaged, or two checkpoints differ.
inline constexpr int kCkptFound = kNotWell;

struct CkptRequest {
  std::string store{};  ///< As OpenExistingStore takes it.
  OutputForm form = OutputForm::kText;
};

/// Every checkpoint, oldest first, and what has no manifest. Code kCkptFound: a manifest is
/// damaged.
///
/// Errors, of every function: as OpenExistingStore; what the store says.
absl::StatusOr<CommandOutcome> CkptLs(const CkptRequest& request);

struct CkptShowOptions {
  std::string name{};
  bool counts_rows = false;    ///< Of each table, by reading all objects.
  bool lists_objects = false;  ///< In text, too.
};

/// A checkpoint's manifest, and the entries of the trainer's state.
///
/// Errors: also NotFound (no such checkpoint), DataLoss, InvalidArgument.
absl::StatusOr<CommandOutcome> CkptShow(const CkptRequest& request, const CkptShowOptions& options);

/// Reads all of one checkpoint, or of every one if the name is empty. Code kCkptFound: damage.
///
/// Errors: also NotFound (no such checkpoint).
absl::StatusOr<CommandOutcome> CkptVerify(const CkptRequest& request, const std::string& name);

struct CkptDiffOptions {
  std::string first{};
  std::string second{};
  std::size_t keys_max = 0;  ///< Of each kind and table, to be named.
};

/// Code kCkptFound: they differ.
///
/// Errors: as CkptShow.
absl::StatusOr<CommandOutcome> CkptDiff(const CkptRequest& request, const CkptDiffOptions& options);

struct CkptGcOptions {
  checkpoint::RetentionPolicy policy{};
  bool is_dry_run = false;  ///< Says what would go, and removes nothing.
};

/// Removes checkpoints. After an error what went before it has gone.
///
/// Errors: also DataLoss (a manifest is damaged, so nothing is removed).
absl::StatusOr<CommandOutcome> CkptGc(const CkptRequest& request, const CkptGcOptions& options,
                                      absl::Time now);

struct CkptCompactOptions {
  std::string name{};
  std::string as{};  ///< Of the new one.
};

/// Writes a checkpoint's rows and the trainer's entries as a full one.
///
/// Errors: as CkptShow and checkpoint::Compact.
absl::StatusOr<CommandOutcome> CkptCompact(const CkptRequest& request,
                                           const CkptCompactOptions& options);

enum class ExportForm : std::uint8_t { kFlat, kNpy, kCsv };

struct CkptExportOptions {
  std::string name{};
  std::string table{};  ///< May be empty if there is one.
  std::string path{};   ///< Of the file; see NpyPathsOf.
  ExportForm form = ExportForm::kFlat;
  bool has_slots = false;  ///< Optimizer state, too.
};

/// Errors: as CkptShow, ExportTable and OutputFile; NotFound and InvalidArgument naming the tables
///         there are.
absl::StatusOr<CommandOutcome> CkptExport(const CkptRequest& request,
                                          const CkptExportOptions& options);

struct CkptExportServingOptions {
  std::string name{};  ///< Empty: the newest checkpoint.
  checkpoint::ServingExportOptions to{};
};

/// Brings a serving place up to a checkpoint: docs/SERVING.md.
///
/// Errors: as CkptShow and checkpoint::ExportServing; NotFound (no checkpoint in the store).
absl::StatusOr<CommandOutcome> CkptExportServing(const CkptRequest& request,
                                                 const CkptExportServingOptions& options);

/// The same for the newest checkpoint again and again: whenever there is another one, until a
/// signal ends the program (end_signals.h). Says each export on `out`, and on `err` what goes
/// wrong, after which it goes on.
void CkptFollowForServing(const CkptRequest& request, const CkptExportServingOptions& options,
                          absl::Duration every, const EndSignals& signals, std::ostream& out,
                          std::ostream& err);

struct CkptLogRequest {
  std::vector<std::string> logs{};  ///< As `serve --log` has them.
  OutputForm form = OutputForm::kText;
};

/// What servers' logs can be made again of: moments, records and steps of each lane.
///
/// Errors: as checkpoint::ReadKeptLogs.
absl::StatusOr<CommandOutcome> CkptLogRange(const CkptLogRequest& request);

struct CkptFromLogOptions {
  checkpoint::LogMoment moment{};
  std::string store{};  ///< Where the checkpoint goes, as OpenStore takes it.
  std::string as{};     ///< Its name.
};

/// Makes a checkpoint of what servers' logs have, as of a moment or the end of a step.
///
/// Errors: also as OpenStore and checkpoint::WriteLogCheckpoint.
absl::StatusOr<CommandOutcome> CkptFromLog(const CkptLogRequest& request,
                                           const CkptFromLogOptions& options);

/// A moment as people write it, with its offset from UTC: RFC 3339.
///
/// Errors: InvalidArgument, naming the text and what was wanted.
absl::StatusOr<absl::Time> ParseMoment(const std::string& text);

struct CkptRestoreOptions {
  std::string name{};
  std::string cluster{};                       ///< The coordinator's address, or a file with it.
  absl::Duration timeout = absl::Seconds(60);  ///< For the cluster to be there.
  std::vector<std::string> tables{};           ///< These alone; none: all.
};

/// Loads a checkpoint's tables, rows and step into a running cluster that is new; or some tables
/// into one that has none of those names, whatever else it has.
///
/// Errors: as CkptShow; as Cluster::Remote and Cluster::Load; FailedPrecondition if the cluster has
///         tables or workers.
absl::StatusOr<CommandOutcome> CkptRestore(const CkptRequest& request,
                                           const CkptRestoreOptions& options);

}  // namespace longtail::cli
