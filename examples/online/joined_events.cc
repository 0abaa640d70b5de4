#include "examples/online/joined_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples {

absl::StatusOr<std::unique_ptr<JoinedEvents>> JoinedEvents::Open(const std::string& brokers,
                                                                 const LogTopics& topics,
                                                                 const LogJoinerOptions& joiner,
                                                                 absl::Duration timeout,
                                                                 std::ostream& out) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<EventStream> events,
                            EventStream::Open(brokers, topics, timeout, out));
  return std::unique_ptr<JoinedEvents>(new JoinedEvents(std::move(events), joiner));
}

void JoinedEvents::Save(TrainerState& state) const {
  state["joiner"] = joiner_.Save();
  state["logs"] = events_->Save();
}

absl::Status JoinedEvents::Restore(const TrainerState& state, const std::string& of) {
  const auto joiner = state.find("joiner");
  const auto logs = state.find("logs");
  if (joiner == state.end() || logs == state.end()) {
    return absl::FailedPreconditionError(absl::StrCat(
        of, " has no joiner and places in logs: it is of another program, or of a trainer that ",
        "reads the examples of a joiner (--examples)"));
  }
  LONGTAIL_ASSIGN_OR_RETURN(joiner_, LogJoiner::Load(options_, joiner->second));
  return events_->Restore(logs->second, of);
}

absl::StatusOr<NextExamples> JoinedEvents::Next() {
  LONGTAIL_ASSIGN_OR_RETURN(std::optional<Event> event, events_->Next());
  NextExamples next;
  if (!event) return next;
  joiner_.Add(*std::move(event), next.examples);
  next.now_ms = joiner_.now_ms();
  return next;
}

std::optional<JoinerReport> JoinedEvents::joiner_report() const {
  return JoinerReport{.counts = joiner_.counts(),
                      .unreadable = events_->unreadable(),
                      .waiting = joiner_.waiting(),
                      .now_ms = joiner_.now_ms()};
}

}  // namespace longtail::examples
