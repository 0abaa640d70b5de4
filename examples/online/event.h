// What an app writes to its logs: what it showed, and what was clicked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace longtail::examples {

enum class EventKind : std::uint8_t {
  kImpression,  ///< Something was shown: its features are what a model sees.
  kClick,       ///< The impression of that id was clicked.
  kTick,        ///< Nothing but the time. Every partition wants one now and then: see EventMerge.
};

struct Event {
  EventKind kind = EventKind::kTick;
  std::string id{};                     ///< Of the impression; empty for a tick.
  std::int64_t at_ms = 0;               ///< When it happened, by the app's clock, since 1970.
  std::vector<std::string> features{};  ///< Of an impression, such as "city=Zürich".
  std::int64_t written_ms = 0;  ///< When it came into the log, by the broker: for lag alone.
};

/// The value of an event in Kafka; its id is the key: at_ms, then features, with tabs between.
std::string EncodeValue(const Event& event);

/// `kind`: of the topic; what has no key is a tick.
///
/// Errors: InvalidArgument (no such time, an empty feature, bytes that are no UTF-8 or control
///         characters, more than 1,000 features or 64 KiB).
absl::StatusOr<Event> DecodeEvent(EventKind kind, std::string_view key, std::string_view value);

}  // namespace longtail::examples
