#include "io/open_held_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/open_store.h"
#include "io/rados_stores.h"
#include "io/store_address.h"

namespace longtail {

absl::StatusOr<HeldStore> OpenHeldStore(const std::string& address, const std::string& name,
                                        StoreLock::OnLost on_lost) {
  LONGTAIL_ASSIGN_OR_RETURN(const StoreAddress parsed, ParseStoreAddress(address));
  if (parsed.scheme == "rados") return OpenHeldRadosStore(address, name, std::move(on_lost));
  HeldStore held{.lock = nullptr, .store = nullptr, .check = [] { return absl::OkStatus(); }};
  if (parsed.scheme == "file") {
    LONGTAIL_ASSIGN_OR_RETURN(
        held.lock, StoreLock::Acquire(address, absl::StrCat("server-", name), std::move(on_lost)));
  }
  LONGTAIL_ASSIGN_OR_RETURN(held.store, OpenStore(address));  // Says what is wrong with others.
  return held;
}

}  // namespace longtail
