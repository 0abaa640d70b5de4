#include "cli/inspect_command.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "cli/inspect.h"
#include "cli/key_text.h"

namespace longtail::cli {
namespace {

constexpr std::size_t kTopMax = 1'000'000;

}  // namespace

struct InspectCommand::Arguments {
  CLI::App* inspect = nullptr;
  CLI::App* table = nullptr;
  CLI::App* key = nullptr;
  CLI::App* hot = nullptr;
  CLI::App* hist = nullptr;

  std::string checkpoint;
  std::string table_name;
  std::vector<std::string> keys;
  std::size_t top = 20;
  bool wants_all_values = false;
  bool wants_json = false;

  // What every subcommand has.
  CLI::App* Add(const char* name, const char* description) {
    CLI::App* const command = inspect->add_subcommand(name, description);
    command
        ->add_option("checkpoint", checkpoint,
                     "Directory of the checkpoint, the one with MANIFEST.json, or a statistics "
                     "file of a running cluster")
        ->required();
    return command;
  }
  void AddOptions(CLI::App& command) {
    command.add_option("--table", table_name, "Only the table of this name");
    command.add_flag("--json", wants_json, "One JSON object");
  }
};

InspectCommand::InspectCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.inspect = app.add_subcommand(
      "inspect", "Show what a checkpoint or a statistics file holds, without a cluster");
  a.inspect->require_subcommand(1);
  a.table = a.Add("table", "What each table is, its rows and how they were trained");
  a.AddOptions(*a.table);
  a.key = a.Add("key", "What each table has of given keys");
  a.key->add_option("keys", a.keys, "Keys, in decimal digits or as 0x and hexadecimal ones")
      ->required();
  a.AddOptions(*a.key);
  a.key->add_flag("--all", a.wants_all_values, "All values of a row, not only the first");
  a.hot = a.Add("hot", "The keys that were trained most");
  a.AddOptions(*a.hot);
  a.hot->add_option("--top", a.top, "How many keys of each table")
      ->check(CLI::Range(std::size_t{1}, kTopMax))
      ->capture_default_str();
  a.hist = a.Add("hist", "How many rows were trained how often, and how often by rank");
  a.AddOptions(*a.hist);
}

InspectCommand::~InspectCommand() = default;

bool InspectCommand::parsed() const {
  return arguments_->inspect->parsed();
}

absl::StatusOr<std::string> InspectCommand::Run(BarStyle bars) const {
  const Arguments& a = *arguments_;
  const InspectRequest request{.checkpoint = a.checkpoint,
                               .table = a.table_name,
                               .form = a.wants_json ? OutputForm::kJson : OutputForm::kText,
                               .bars = bars};
  if (a.hot->parsed()) return InspectHot(request, a.top);
  if (a.hist->parsed()) return InspectHist(request);
  if (a.table->parsed()) return InspectTable(request);
  LONGTAIL_ASSIGN_OR_RETURN(std::vector<Key> keys, ParseKeys(a.keys));
  return InspectKey(request, {.keys = std::move(keys), .wants_all_values = a.wants_all_values});
}

}  // namespace longtail::cli
