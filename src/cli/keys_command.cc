#include "cli/keys_command.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/exit_codes.h"
#include "cli/key_check.h"
#include "cli/key_files.h"

namespace longtail::cli {

struct KeysCommand::Arguments {
  CLI::App* command = nullptr;
  CLI::App* make = nullptr;
  CLI::App* add = nullptr;
  CLI::App* remove = nullptr;
  CLI::App* list = nullptr;
  CLI::App* renew = nullptr;
  CLI::App* rotate = nullptr;
  CLI::App* check = nullptr;
  std::string directory;
  std::string role;
  std::string to;
  Client client;
  std::string step;
  std::vector<std::string> clients;
  std::string cluster;
  double seconds = 2;
  bool older = false;
  bool wants_json = false;
};

KeysCommand::KeysCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand("keys", "Make keys: of a cluster, and of those it lets in");
  a.command->require_subcommand(1);
  const auto directory = [&](CLI::App* command, const char* words) {
    command->add_option("directory", a.directory, words)->required();
  };
  a.make = a.command->add_subcommand("new", "Make a cluster's keys, and an empty list of clients");
  directory(a.make, "A directory, for `serve --keys` and `coordinator --keys`");
  a.add = a.command->add_subcommand(
      "add", "Make a client's keys and put it on the list; running servers take it at once");
  directory(a.add, "The directory of the cluster's keys");
  a.add->add_option("role", a.role, "What it may do: read, train, or move and roll back, too")
      ->check(CLI::IsMember(std::vector<std::string>(kRoleNames.begin(), kRoleNames.end() - 1)))
      ->required();
  a.add->add_option("name", a.client.name, "What messages call it")->required();
  a.add
      ->add_option("--to", a.to,
                   "A directory for its keys: the client says tcp://HOST:PORT?keys=DIRECTORY")
      ->required();
  a.add->add_option("--rows-per-second", a.client.rows_per_second,
                    "Rows that it may pull and push a second, of each lane; 0: any number");
  a.add->add_option("--bytes-per-second", a.client.bytes_per_second,
                    "Bytes of these, likewise; 0: any number");
  a.add->add_option("--tables", a.client.tables, "Whose rows it may pull and push; all by default")
      ->delimiter(',');
  a.remove = a.command->add_subcommand("remove", "Take a client off the list");
  directory(a.remove, "The directory of the cluster's keys");
  a.remove->add_option("name", a.client.name, "Its name")->required();
  a.remove->add_flag("--older", a.older, "Only its keys before the newest one: behind `renew`");
  a.renew = a.command->add_subcommand(
      "renew", "Make a client another pair of keys; the one of now is good until `remove --older`");
  directory(a.renew, "The directory of the cluster's keys");
  a.renew->add_option("name", a.client.name, "Its name")->required();
  a.renew->add_option("--to", a.to, "A directory for its keys; what is there is replaced")
      ->required();
  a.rotate = a.command->add_subcommand(
      "rotate", "Change the cluster's own key while all runs, in three steps");
  a.rotate
      ->add_option("step", a.step,
                   "begin: a new key is trusted; use: it is shown; end: it alone is trusted")
      ->check(CLI::IsMember(std::vector<std::string>{"begin", "use", "end"}))
      ->required();
  directory(a.rotate, "The directory of the cluster's keys");
  a.rotate
      ->add_option("--client", a.clients,
                   "A client's directory that gets the cluster's public keys, too; repeated")
      ->allow_extra_args(false);
  a.check = a.command->add_subcommand(
      "check",
      "Whether all processes of a cluster have taken a step; if not, the exit status is 3");
  directory(a.check, "The directory of the cluster's keys");
  a.check->add_option("--cluster", a.cluster, "The coordinator: tcp://HOST:PORT")->required();
  a.check->add_option("--timeout", a.seconds, "Seconds for each place to answer")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  a.check->add_flag("--json", a.wants_json, "For programs");
  a.list = a.command->add_subcommand("ls", "Who is let in");
  directory(a.list, "The directory of the cluster's keys");
  a.list->add_flag("--json", a.wants_json, "For programs");
}

KeysCommand::~KeysCommand() = default;

bool KeysCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> KeysCommand::Run() const {
  const Arguments& a = *arguments_;
  if (a.make->parsed()) {
    LONGTAIL_RETURN_IF_ERROR(MakeClusterKeys(a.directory));
    return CommandOutcome{.output = absl::StrCat("keys of a cluster are in ", a.directory,
                                                 "; nobody is let in yet: longtail keys add\n")};
  }
  if (a.add->parsed()) {
    Client client = a.client;
    while (RoleName(client.role) != a.role) {
      client.role = static_cast<Role>(static_cast<int>(client.role) + 1);
    }
    LONGTAIL_ASSIGN_OR_RETURN(const std::string key, AddClient(a.directory, client, a.to));
    return CommandOutcome{.output = absl::StrCat(a.role, " ", client.name, " has key ", key,
                                                 "; its keys are in ", a.to, "\n")};
  }
  if (a.remove->parsed()) {
    LONGTAIL_RETURN_IF_ERROR(
        RemoveClient(a.directory, a.client.name, a.older ? Removal::kOlderKeys : Removal::kClient));
    return CommandOutcome{.output =
                              absl::StrCat(a.client.name, a.older ? " has its newest key alone\n"
                                                                  : " is on the list no more\n")};
  }
  if (a.renew->parsed()) {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string key, RenewClient(a.directory, a.client.name, a.to));
    return CommandOutcome{
        .output = absl::StrCat(a.client.name, " also has key ", key, "; its keys are in ", a.to,
                               ": once servers and it have them, longtail keys remove --older\n")};
  }
  if (a.rotate->parsed()) return Rotate();
  if (a.check->parsed()) {
    LONGTAIL_ASSIGN_OR_RETURN(KeyCheck check,
                              CheckKeys(a.directory, a.cluster, absl::Seconds(a.seconds)));
    return CommandOutcome{.output = std::move(a.wants_json ? check.json : check.text),
                          .code = check.is_ready ? kDone : kNotWell};
  }
  LONGTAIL_ASSIGN_OR_RETURN(std::string output, ListClients(a.directory, a.wants_json));
  return CommandOutcome{.output = std::move(output)};
}

absl::StatusOr<CommandOutcome> KeysCommand::Rotate() const {
  const Arguments& a = *arguments_;
  if (a.step == "begin") {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string key, BeginRotation(a.directory, a.clients));
    return CommandOutcome{
        .output = absl::StrCat("the next key is ", key,
                               ": once all trust it (longtail keys check), clients among them, "
                               "longtail keys rotate use\n")};
  }
  if (a.step == "use") {
    LONGTAIL_ASSIGN_OR_RETURN(const std::string key, UseNextKey(a.directory, a.clients));
    return CommandOutcome{
        .output = absl::StrCat("the cluster shows ", key,
                               ": once all do (longtail keys check), longtail keys rotate end\n")};
  }
  LONGTAIL_ASSIGN_OR_RETURN(const std::string key, EndRotation(a.directory, a.clients));
  return CommandOutcome{.output = absl::StrCat("the cluster's key is ", key, " alone\n")};
}

}  // namespace longtail::cli
