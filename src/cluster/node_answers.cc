#include "cluster/node_answers.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "io/zmq_network.h"

namespace longtail {
namespace {

constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(300);
// Of the second round: who answered a moment ago answers at once, or keeps its first answer.
constexpr absl::Duration kOverAgain = absl::Milliseconds(500);

// Asks those that are `wanted` and takes their answers until all are there or the time is over.
class Round {
 public:
  Round(ZmqEndpoint& endpoint, std::vector<NodeAnswer>& answers, std::vector<bool> wanted,
        std::uint64_t first_request)
      : endpoint_(endpoint),
        answers_(answers),
        wanted_(std::move(wanted)),
        first_request_(first_request),
        asked_(answers.size()) {}

  void Run(absl::Time deadline) {
    absl::Time ask_at = absl::InfinitePast();
    std::vector<Envelope> events;
    for (absl::Time now = absl::Now(); now < deadline && std::ranges::count(wanted_, true) != 0;
         now = absl::Now()) {
      if (now >= ask_at) {
        AskAll();
        ask_at = now + kAskAgainAfter;
      }
      events.clear();
      endpoint_.Receive(std::min(deadline, ask_at), events);
      const absl::Time received = absl::Now();
      for (const Envelope& event : events) Take(event, received);
    }
  }

 private:
  void AskAll() {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (!wanted_[i]) continue;
      asked_[i] = absl::Now();
      endpoint_.Send({endpoint_.node(), NodeId{static_cast<std::uint32_t>(i + 1)},
                      AboutRequest{first_request_ + i}});
    }
  }

  void Take(const Envelope& event, absl::Time received) {
    const auto i = std::size_t{static_cast<std::uint32_t>(event.source)} - 1;
    if (i >= wanted_.size() || !wanted_[i]) return;
    NodeAnswer& answer = answers_[i];
    if (const auto* about = std::get_if<AboutReply>(&event.body)) {
      if (about->request != first_request_ + i) return;
      answer.took = received - asked_[i];
      answer.clock_ahead = absl::FromUnixMicros(static_cast<std::int64_t>(about->time_us)) -
                           (asked_[i] + answer.took / 2);
      answer.about = *about;
    } else if (const auto* refusal = std::get_if<Acknowledgement>(&event.body);
               refusal != nullptr && !refusal->status.ok()) {
      answer.about = refusal->request != 0 ? refusal->status
                                           : absl::InvalidArgumentError(absl::StrCat(
                                                 "it and this program do not understand each "
                                                 "other: ",
                                                 refusal->status.message()));
    } else {
      return;
    }
    wanted_[i] = false;
  }

  ZmqEndpoint& endpoint_;
  std::vector<NodeAnswer>& answers_;
  std::vector<bool> wanted_;
  const std::uint64_t first_request_;
  std::vector<absl::Time> asked_;
};

}  // namespace

absl::StatusOr<std::vector<NodeAnswer>> AskNodes(std::span<const std::string> addresses,
                                                 absl::Duration timeout,
                                                 std::shared_ptr<Keyring> keys) {
  const absl::Time deadline = absl::Now() + timeout;
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<ZmqNetwork> network,
                            ZmqNetwork::Create({.keys = std::move(keys)}));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<ZmqEndpoint> endpoint,
                            network->Join(NodeId{0}, {}));
  std::vector<NodeAnswer> answers(addresses.size());
  std::vector<bool> wanted(addresses.size(), true);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const absl::Status connects =
        endpoint->Connect(NodeId{static_cast<std::uint32_t>(i + 1)}, addresses[i]);
    if (connects.ok()) continue;
    answers[i].about = connects;
    wanted[i] = false;
  }
  Round(*endpoint, answers, wanted, 1).Run(deadline);
  for (std::size_t i = 0; i < answers.size(); ++i) wanted[i] = answers[i].about.ok();
  Round(*endpoint, answers, wanted, 1 + addresses.size()).Run(absl::Now() + kOverAgain);
  return answers;
}

}  // namespace longtail
