#include "cli/manual_command.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/version.h"
#include "cli/bash_completion.h"
#include "cli/man_page.h"

namespace longtail::cli {
namespace {

// CLI11 writes the values of IsMember and Range into the type: "TEXT:{a,b}", "FLOAT:FLOAT in
// [1 - 5]".
void TakeType(const CLI::Option& option, OptionPage& page) {
  if (option.get_items_expected_max() == 0) return;  // A flag.
  page.value = option.get_type_name();
  const std::size_t colon = page.value.find(':');
  if (colon == std::string::npos) return;
  const std::string more = page.value.substr(colon + 1);
  page.value.resize(colon);
  if (more.starts_with('{') && more.ends_with('}')) {
    page.choices = std::vector<std::string>(absl::StrSplit(more.substr(1, more.size() - 2), ','));
  } else if (const std::size_t range = more.find('['); range != std::string::npos) {
    absl::StrAppend(&page.description, " ", more.substr(range));
  }
}

OptionPage OptionOf(const CLI::Option& option) {
  OptionPage page{.description = option.get_description(),
                  .by_default = option.get_default_str(),
                  .is_required = option.get_required()};
  for (const std::string& name : option.get_snames()) page.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) page.names.push_back("--" + name);
  if (page.names.empty()) {
    page.names.push_back(option.get_name(/*positional=*/true));
    page.is_argument = true;
  }
  TakeType(option, page);
  return page;
}

}  // namespace

struct ManualCommand::Arguments {
  const CLI::App* app = nullptr;
  CLI::App* manual = nullptr;
  CLI::App* completion = nullptr;
  std::string shell;
};

ManualCommand::ManualCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.app = &app;
  a.manual = app.add_subcommand("manual", "Print the man page: longtail manual | man -l -");
  a.completion = app.add_subcommand(
      "completion", "Print a shell's completions: source <(longtail completion bash)");
  a.completion->add_option("shell", a.shell, "The shell")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{"bash"}));
}

ManualCommand::~ManualCommand() = default;

bool ManualCommand::parsed() const {
  return arguments_->manual->parsed() || arguments_->completion->parsed();
}

absl::StatusOr<CommandOutcome> ManualCommand::Run() const {
  CommandPage page = PageOf(*arguments_->app);
  page.name = "longtail";
  return CommandOutcome{.output = arguments_->manual->parsed() ? ManPage(page, ProgramVersion())
                                                               : BashCompletion(page)};
}

CommandPage ManualCommand::PageOf(const CLI::App& app) {
  CommandPage page{.name = app.get_name(), .description = app.get_description()};
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    if (option != app.get_help_ptr()) page.options.push_back(OptionOf(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    page.commands.push_back(PageOf(*command));
  }
  return page;
}

}  // namespace longtail::cli
