#include "cli/key_check.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/key_files.h"
#include "cli/text_columns.h"
#include "cluster/coordinator_place.h"
#include "io/key_probe.h"

namespace longtail::cli {

std::vector<PlaceKeys> KeysShown(const ClusterStatus& status, const Keys& keys,
                                 const std::optional<KeyPair>& next, absl::Duration timeout) {
  std::vector<PlaceKeys> places = {{.who = "coordinator", .address = status.coordinator}};
  if (status.map != nullptr) {
    for (const ServerEntry& server : status.map->servers) {
      for (const LaneEntry& lane : server.lanes) {
        if (lane.addresses.empty()) continue;
        places.push_back({.who = server.name, .address = lane.addresses[0]});
      }
    }
  }
  for (PlaceKeys& place : places) {
    place.shown = KeyShownAt(keys, place.address, timeout);
    if (!place.shown || !next) continue;
    place.takes_next = IsLetIn({*place.shown, *next}, place.address, timeout);
  }
  return places;
}

absl::StatusOr<KeyCheck> CheckKeys(const std::string& directory, const std::string& place,
                                   absl::Duration timeout) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> keyring, Keyring::Open(directory));
  LONGTAIL_ASSIGN_OR_RETURN(const std::optional<KeyPair> next, NextPair(directory));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string with_keys, WithKeys(place, directory));
  LONGTAIL_ASSIGN_OR_RETURN(const ClusterStatus status, ReadClusterStatus(with_keys, timeout));
  const std::shared_ptr<const Keys> keys = keyring->keys();
  const std::vector<PlaceKeys> places = KeysShown(status, *keys, next, timeout);
  std::vector<std::vector<std::string>> rows = {{"place", "address", "shows", "next key"}};
  std::size_t ready = 0;
  nlohmann::json shown = nlohmann::json::array();
  for (const PlaceKeys& at : places) {
    const bool is_own = at.shown == keys->own.public_key;
    rows.push_back({at.who, at.address, at.shown.value_or("no key of ours"),
                    !next           ? "-"
                    : at.takes_next ? "trusted"
                                    : "not trusted"});
    const bool is_ready = is_own && (!next || at.takes_next);
    ready += is_ready ? 1 : 0;
    nlohmann::json one = {{"who", at.who}, {"address", at.address}, {"ready", is_ready}};
    one["shows"] = at.shown ? nlohmann::json(*at.shown) : nlohmann::json();
    if (next) one["trusts_next"] = at.takes_next;
    shown.push_back(std::move(one));
  }
  const nlohmann::json document = {{"own_key", keys->own.public_key},
                                   {"next_key", next ? nlohmann::json(next->public_key) : nullptr},
                                   {"ready", ready == places.size()},
                                   {"places", std::move(shown)}};
  KeyCheck check{.text = ColumnsText(rows, 0),
                 .json = document.dump(2) + "\n",
                 .is_ready = ready == places.size()};
  absl::StrAppend(&check.text, "\n", ready, " of ", places.size(), " places ",
                  next ? "trust the next key" : absl::StrCat("show ", keys->own.public_key), ": ");
  if (!check.is_ready) {
    absl::StrAppend(&check.text, "wait for the others, and look at their logs (keys_read)\n");
  } else if (next) {
    absl::StrAppend(&check.text, "longtail keys rotate use, once clients have it, too\n");
  } else if (keys->cluster.size() > 1) {
    absl::StrAppend(&check.text, "longtail keys rotate end\n");
  } else {
    absl::StrAppend(&check.text, "no rotation is under way\n");
  }
  return check;
}

}  // namespace longtail::cli
