// Where a coordinator is, as people say it.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/log.h"
#include "io/keyring.h"

namespace longtail {

struct CoordinatorPlace {
  std::string address;  ///< tcp://HOST:PORT
  std::string keys;     ///< The directory of the keys to speak to it with; empty: none.

  /// Those keys; null: none.
  ///
  /// Errors: as Keyring::Open.
  absl::StatusOr<std::shared_ptr<Keyring>> OpenKeys(const Log& log = {}) const;
};

/// `place`: an address ("tcp://HOST:PORT", or "tcp://HOST:PORT?keys=DIRECTORY"), or a file whose
/// first line is one.
///
/// Errors: NotFound, InvalidArgument naming the file or the address.
absl::StatusOr<CoordinatorPlace> FindCoordinator(const std::string& place);

/// The same place, to be spoken to with these keys; empty: as it was.
///
/// Errors: as FindCoordinator.
absl::StatusOr<std::string> WithKeys(const std::string& place, const std::string& keys);

/// Whether a process may listen there: with keys anywhere; without, where other machines do not
/// reach it, unless `is_plain` says that this is meant, which is logged.
///
/// Errors: FailedPrecondition naming the address and what to do.
absl::Status CheckListening(const std::string& listen, bool has_keys, bool is_plain,
                            const Log& log);

}  // namespace longtail
