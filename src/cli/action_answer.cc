#include "cli/action_answer.h"

#include <nlohmann/json.hpp>

#include "cli/inspect_answer.h"

namespace longtail::cli {

std::string ActionJson(const Action& action) {
  nlohmann::json document = {{"done", action.done},
                             {"seconds", absl::ToDoubleSeconds(action.took)}};
  for (const auto& [name, text] : action.texts) document[name] = text;
  for (const auto& [name, number] : action.numbers) document[name] = number;
  return LineOf(document);
}

}  // namespace longtail::cli
