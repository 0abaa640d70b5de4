#include "server/barriers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/coordination.h"

namespace longtail::server {
namespace {

constexpr std::size_t kPassedBarriersKept = 1024;
constexpr std::size_t kBarrierCountMax = 2 * kPassedBarriersKept;

}  // namespace

void Barriers::Enter(NodeId source, const EnterBarrier& m, Effects& effects) {
  const Asker asker{source, m.request};
  if (!barriers_.contains(m.name) && barriers_.size() >= kBarrierCountMax) {
    return Answer(asker,
                  absl::ResourceExhaustedError(absl::StrCat(
                      "barrier '", m.name, "': ", barriers_.size(),
                      " others are open or remembered: want at most ", kBarrierCountMax)),
                  effects);
  }
  Barrier& barrier = barriers_[m.name];
  if (barrier.is_passed) {
    // Who asks again did not get the answer; anybody else begins the barrier anew.
    if (barrier.here.contains(m.participant)) return Answer(asker, absl::OkStatus(), effects);
    barrier = {};
    std::erase(passed_, m.name);
  }
  if (barrier.count == 0) barrier.count = m.count;
  if (barrier.count != m.count) {
    return Answer(asker,
                  absl::InvalidArgumentError(absl::StrCat("barrier '", m.name, "' of ", m.count,
                                                          " participants: another came to it for ",
                                                          barrier.count)),
                  effects);
  }
  barrier.here[m.participant] = asker;
  if (barrier.here.size() < barrier.count) return;
  for (const auto& [participant, other] : barrier.here) Answer(other, absl::OkStatus(), effects);
  barrier.is_passed = true;
  passed_.push_back(m.name);
  if (passed_.size() > kPassedBarriersKept) {
    barriers_.erase(passed_.front());
    passed_.pop_front();
  }
}

void Barriers::Answer(const Asker& asker, absl::Status status, Effects& effects) {
  effects.sends.push_back(
      {kCoordinatorNode, asker.source, Acknowledgement{asker.request, std::move(status), 0}});
}

}  // namespace longtail::server
