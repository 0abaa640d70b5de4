#include "cli/ckpt_command.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/age_text.h"
#include "cli/ckpt.h"

namespace longtail::cli {
namespace {

constexpr std::size_t kKeepMax = 1'000'000;
constexpr std::size_t kDiffKeysMax = 10'000;
constexpr std::array<const char*, 3> kExportForms = {"flat", "npy", "csv"};  // As ExportForm.
// As WireValues.
constexpr std::array<const char*, 4> kValues = {"fp32", "bf16", "fp16", "int8"};

}  // namespace

struct CkptCommand::Arguments {
  CLI::App* ckpt = nullptr;
  CLI::App* ls = nullptr;
  CLI::App* show = nullptr;
  CLI::App* verify = nullptr;
  CLI::App* diff = nullptr;
  CLI::App* gc = nullptr;
  CLI::App* compact = nullptr;
  CLI::App* exports = nullptr;
  CLI::App* exports_serving = nullptr;
  CLI::App* restore = nullptr;
  CLI::App* log_range = nullptr;
  CLI::App* from_log = nullptr;

  std::string store;
  std::string name;
  std::string second;
  bool wants_json = false;
  CkptShowOptions shown;
  std::size_t keys = 0;
  CkptGcOptions removed;
  std::string older_than;
  CkptCompactOptions compacted;
  CkptExportOptions exported;
  std::string form = kExportForms[0];
  CkptExportServingOptions served;
  std::string values = kValues[0];
  double follow_seconds = 0;
  CkptRestoreOptions restored;
  double timeout_seconds = 60;
  std::vector<std::string> logs;
  std::string at;
  std::uint64_t step = 0;
  CkptFromLogOptions made;

  // What every subcommand has.
  CLI::App* Add(const char* command_name, const char* description) {
    CLI::App* const command = ckpt->add_subcommand(command_name, description);
    command
        ->add_option("store", store,
                     "Where the checkpoints are: a directory, or rados://POOL[/NAMESPACE]")
        ->required();
    command->add_flag("--json", wants_json, "One JSON object");
    return command;
  }
  CLI::App* AddNamed(const char* command_name, const char* description) {
    CLI::App* const command = Add(command_name, description);
    command->add_option("name", name, "The checkpoint, as ls names it")->required();
    return command;
  }

  CLI::App* AddOfLogs(const char* command_name, const char* description) {
    CLI::App* const command = ckpt->add_subcommand(command_name, description);
    command
        ->add_option("logs", logs,
                     "Where servers' logs are, as `serve --log` names it: those of all servers")
        ->required();
    command->add_flag("--json", wants_json, "One JSON object");
    return command;
  }

  void AddShow() {
    show = AddNamed("show", "What a checkpoint's manifest says");
    show->add_flag("--rows", shown.counts_rows, "Rows and bytes of each table: reads all objects");
    show->add_flag("--objects", shown.lists_objects, "Each object: rows, bytes, checksum");
  }
  void AddVerify() {
    verify = Add("verify",
                 "Read all of a checkpoint and say all that is damaged: exit status 3 if any is");
    verify->add_option("name", name, "The checkpoint; without it all of them");
  }
  void AddDiff() {
    diff = AddNamed("diff", "What differs between two checkpoints: exit status 3 if they do");
    diff->add_option("second", second, "The checkpoint to compare it with")->required();
    diff->add_option("--keys", keys, "How many keys of each kind and table to name")
        ->check(CLI::Range(std::size_t{0}, kDiffKeysMax))
        ->capture_default_str();
  }
  void AddGc() {
    gc = Add("gc", "Remove old checkpoints");
    gc->add_option("--keep", removed.policy.keep, "The newest ones, which stay however old")
        ->check(CLI::Range(std::size_t{1}, kKeepMax))
        ->capture_default_str();
    gc->add_option("--older-than", older_than,
                   "Of the others only those saved so long ago: 12h, 7d, 4w");
    gc->add_flag("--unfinished", removed.policy.removes_unfinished,
                 "Also what has no manifest: only while nobody saves here");
    gc->add_flag("--dry-run", removed.is_dry_run, "Say what would go, and remove nothing");
  }
  void AddCompact() {
    compact = AddNamed("compact", "Write an increment's rows as a full checkpoint");
    compact->add_option("--as", compacted.as, "The name of the new one")->required();
  }
  void AddExport() {
    exports = AddNamed("export", "Write a table to a file, by partition and key");
    exports->add_option("--table", exported.table, "The table; may be left out if there is one");
    exports->add_option("--out", exported.path, "The file; npy: FILE.npy and FILE.keys.npy")
        ->required();
    exports->add_option("--format", form, "flat (docs/FORMATS.md), npy (numpy's) or csv")
        ->check(CLI::IsMember(std::vector<std::string>(kExportForms.begin(), kExportForms.end())))
        ->capture_default_str();
    exports->add_flag("--slots", exported.has_slots, "Optimizer state, too");
  }
  void AddExportServing() {
    exports_serving =
        Add("export-serving", "Bring a directory that serving programs follow up to a checkpoint");
    exports_serving->add_option("name", name, "The checkpoint; without it the newest");
    exports_serving->add_option("--out", served.to.place, "The directory; made if need be")
        ->required();
    exports_serving->add_option("--table", served.to.tables,
                                "This table alone; may be given again; without it all");
    exports_serving
        ->add_option("--values", values, "What files have of weights: fp32, bf16, fp16 or int8")
        ->check(CLI::IsMember(std::vector<std::string>(kValues.begin(), kValues.end())))
        ->capture_default_str();
    exports_serving->add_flag("--full", served.to.in_full,
                              "All rows, also where what changed would do");
    exports_serving
        ->add_option("--changes-max", served.to.changes_share_max,
                     "All rows, too, if more than this share of them changed")
        ->check(CLI::Range(0.0, 100.0))
        ->capture_default_str();
    exports_serving
        ->add_option("--follow", follow_seconds,
                     "Look for a newer checkpoint every so many seconds, until SIGTERM")
        ->check(CLI::Range(0.05, 86400.0));
  }
  void AddRestore() {
    restore = AddNamed("restore", "Load a checkpoint into a running cluster");
    restore
        ->add_option("--cluster", restored.cluster,
                     "The coordinator's address, tcp://HOST:PORT, or a file that holds it")
        ->required();
    restore->add_option("--table", restored.tables,
                        "This table alone, without the step, into a cluster that has none of that "
                        "name; may be given again");
    restore->add_option("--timeout", timeout_seconds, "Seconds to wait for the cluster")
        ->capture_default_str();
  }
  void AddFromLog() {
    log_range =
        AddOfLogs("log-range", "Of which moments and steps servers' logs can make a checkpoint");
    from_log =
        AddOfLogs("from-log", "Make a checkpoint of servers' logs, as of a moment or a step");
    CLI::Option* const moment =
        from_log->add_option("--at", at, "The moment: 2026-11-23T14:05:00Z");
    from_log
        ->add_option("--step", step,
                     "The end of a step: so many have ended; not in asynchronous mode")
        ->excludes(moment);
    from_log->add_option("--store", made.store, "Where the checkpoint goes")->required();
    from_log->add_option("--as", made.as, "Its name")->required();
  }
};

CkptCommand::CkptCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.ckpt = app.add_subcommand("ckpt", "Look after the checkpoints of a store, without a cluster");
  a.ckpt->require_subcommand(1);
  a.ls = a.Add("ls", "The checkpoints, oldest first");
  a.AddShow();
  a.AddVerify();
  a.AddDiff();
  a.AddGc();
  a.AddCompact();
  a.AddExport();
  a.AddExportServing();
  a.AddRestore();
  a.AddFromLog();
}

CkptCommand::~CkptCommand() = default;

bool CkptCommand::parsed() const {
  return arguments_->ckpt->parsed();
}

absl::StatusOr<CommandOutcome> CkptCommand::Run(absl::Time now) const {
  Arguments& a = *arguments_;
  const CkptRequest request{.store = a.store,
                            .form = a.wants_json ? OutputForm::kJson : OutputForm::kText};
  if (a.ls->parsed()) return CkptLs(request);
  if (a.verify->parsed()) return CkptVerify(request, a.name);
  if (a.show->parsed()) {
    a.shown.name = a.name;
    return CkptShow(request, a.shown);
  }
  if (a.diff->parsed()) {
    return CkptDiff(request, {.first = a.name, .second = a.second, .keys_max = a.keys});
  }
  if (a.compact->parsed()) {
    a.compacted.name = a.name;
    return CkptCompact(request, a.compacted);
  }
  if (a.exports->parsed()) {
    a.exported.name = a.name;
    for (std::size_t i = 0; i < kExportForms.size(); ++i) {
      if (a.form == kExportForms[i]) a.exported.form = static_cast<ExportForm>(i);
    }
    return CkptExport(request, a.exported);
  }
  if (a.exports_serving->parsed()) {
    a.served.name = a.name;
    for (std::size_t i = 0; i < kValues.size(); ++i) {
      if (a.values == kValues[i]) a.served.to.values = static_cast<WireValues>(i);
    }
    if (a.follow_seconds == 0) return CkptExportServing(request, a.served);
    if (!a.name.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "ckpt export-serving: --follow takes the newest checkpoint: want no name, not '", a.name,
          "'"));
    }
    const EndSignals signals;
    CkptFollowForServing(request, a.served, absl::Seconds(a.follow_seconds), signals, std::cout,
                         std::cerr);
    return CommandOutcome{};
  }
  if (a.restore->parsed()) {
    a.restored.name = a.name;
    a.restored.timeout = absl::Seconds(a.timeout_seconds);
    return CkptRestore(request, a.restored);
  }
  const CkptLogRequest of_logs{.logs = a.logs, .form = request.form};
  if (a.log_range->parsed()) return CkptLogRange(of_logs);
  if (a.from_log->parsed()) {
    if (!a.at.empty()) {
      LONGTAIL_ASSIGN_OR_RETURN(a.made.moment.at, ParseMoment(a.at));
    } else if (!a.from_log->get_option("--step")->empty()) {
      a.made.moment.step = a.step;
    } else {
      return absl::InvalidArgumentError(
          "ckpt from-log: says not of when: want --at MOMENT or --step N (`ckpt log-range` says "
          "what there is)");
    }
    return CkptFromLog(of_logs, a.made);
  }
  if (a.older_than.empty() && a.gc->get_option("--keep")->empty()) {
    return absl::InvalidArgumentError(
        "ckpt gc: says nothing of what is to stay: want --keep N, --older-than AGE, or both");
  }
  if (!a.older_than.empty()) {
    LONGTAIL_ASSIGN_OR_RETURN(a.removed.policy.older_than, ParseAge(a.older_than));
  }
  return CkptGc(request, a.removed, now);
}

}  // namespace longtail::cli
