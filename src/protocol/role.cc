#include "protocol/role.h"

#include <memory>
#include <type_traits>
#include <variant>

namespace longtail {
namespace {

template <typename T, typename... Ts>
constexpr bool kIsOneOf = (std::is_same_v<T, Ts> || ...);

template <typename T>
using Pointed = std::shared_ptr<const T>;

}  // namespace

Role RoleToSend(const Message& message) {
  return std::visit(
      []<typename T>(const T& m) {
        if constexpr (kIsOneOf<T, Pointed<PullRequest>, Pointed<CompactPull>, MapRequest,
                               MembersRequest, AboutRequest>) {
          return Role::kReader;
        } else if constexpr (kIsOneOf<T, Pointed<PushRequest>, Pointed<CompactPush>,
                                      Pointed<BarrierRequest>, OpenSession, StatisticsRequest,
                                      SnapshotRequest, ImportRows, ImportStep, JoinWorker,
                                      LeaveWorker, DefineTable, EnterBarrier>) {
          return Role::kWorker;
        } else if constexpr (std::is_same_v<T, Heartbeat>) {
          // Without a session it is a server that speaks.
          return m.session == SessionId{} ? Role::kServer : Role::kWorker;
        } else if constexpr (kIsOneOf<T, RollBack, PlaceLanes>) {
          return Role::kOperator;
        } else {
          return Role::kServer;
        }
      },
      message);
}

}  // namespace longtail
