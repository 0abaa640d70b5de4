#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "checkpoint/store_listing.h"
#include "checkpoint/verification.h"
#include "cli/ckpt.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "io/open_store.h"

namespace longtail::cli {
namespace {

using checkpoint::Damage;
using checkpoint::Verification;
using nlohmann::json;

// "step-8/p00002-0000.snapshot: partition 2: tables item, user: byte 1234, bit 5: its checksum …"
std::string TextOf(const Damage& damage) {
  std::string text = damage.object;
  if (damage.partition) absl::StrAppend(&text, ": partition ", *damage.partition);
  if (!damage.tables.empty()) {
    absl::StrAppend(&text, damage.tables.size() == 1 ? ": table " : ": tables ",
                    absl::StrJoin(damage.tables, ", "));
  }
  if (damage.bit) {
    absl::StrAppend(&text, ": byte ", damage.bytes->begin, ", bit ", *damage.bit);
  } else if (damage.bytes) {
    absl::StrAppend(&text, ": bytes ", damage.bytes->begin, "..", damage.bytes->end);
  }
  return SafeText(absl::StrCat(text, ": ", damage.problem));
}

std::string TextOf(const Verification& result) {
  std::string text = absl::StrCat(
      "checkpoint ", SafeText(result.name), ": ",
      result.is_whole() ? "whole"
                        : absl::StrCat("damaged in ", CountedText(result.damages.size(), "place")),
      "; ", CountedText(result.objects, "object"), ", ", CountedText(result.bytes, "byte"), " and ",
      CountedText(result.rows, "row"), " read\n");
  for (const Damage& damage : result.damages) absl::StrAppend(&text, "  ", TextOf(damage), "\n");
  return text;
}

json JsonOf(const Damage& damage) {
  json document = {
      {"object", damage.object}, {"tables", damage.tables}, {"problem", damage.problem}};
  if (damage.partition) document["partition"] = *damage.partition;
  if (damage.bytes) {
    document["byte_begin"] = damage.bytes->begin;
    document["byte_end"] = damage.bytes->end;
  }
  if (damage.bit) document["bit"] = *damage.bit;
  return document;
}

json JsonOf(const Verification& result) {
  json damages = json::array();
  for (const Damage& damage : result.damages) damages.push_back(JsonOf(damage));
  return {{"name", result.name},       {"is_whole", result.is_whole()},
          {"objects", result.objects}, {"bytes", result.bytes},
          {"rows", result.rows},       {"damages", std::move(damages)}};
}

}  // namespace

absl::StatusOr<CommandOutcome> CkptVerify(const CkptRequest& request, const std::string& name) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<BlobStore> store,
                            OpenExistingStore(request.store));
  std::vector<std::string> names = {name};
  if (name.empty()) {
    names.clear();
    LONGTAIL_ASSIGN_OR_RETURN(const checkpoint::StoreListing listing,
                              checkpoint::ListStore(*store));
    for (const checkpoint::ListedCheckpoint& listed : listing.checkpoints) {
      names.push_back(listed.name);
    }
  }
  CommandOutcome outcome;
  json results = json::array();
  for (const std::string& one : names) {
    LONGTAIL_ASSIGN_OR_RETURN(const Verification result, checkpoint::VerifyCheckpoint(*store, one));
    if (!result.is_whole()) outcome.code = kCkptFound;
    if (request.form == OutputForm::kText) {
      outcome.output += TextOf(result);
    } else {
      results.push_back(JsonOf(result));
    }
  }
  if (request.form == OutputForm::kJson) {
    outcome.output = LineOf({{"store", store->Describe()}, {"checkpoints", std::move(results)}});
  } else if (names.empty()) {
    outcome.output = absl::StrCat("no checkpoint in ", SafeText(store->Describe()), "\n");
  }
  return outcome;
}

}  // namespace longtail::cli
