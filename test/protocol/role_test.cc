// What each role may send: every kind of message, written down once more.
#include "protocol/role.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "protocol/sample_messages.h"

namespace longtail {
namespace {

TEST_CASE("each kind of message has the role that may send it", "[role]") {
  const std::map<std::string, Role> want = {
      {"pull_request", Role::kReader},       {"compact_pull", Role::kReader},
      {"map_request", Role::kReader},        {"members_request", Role::kReader},
      {"push_request", Role::kWorker},       {"compact_push", Role::kWorker},
      {"barrier_request", Role::kWorker},    {"open_session", Role::kWorker},
      {"statistics_request", Role::kWorker}, {"snapshot_request", Role::kWorker},
      {"import_rows", Role::kWorker},        {"import_step", Role::kWorker},
      {"join_worker", Role::kWorker},        {"heartbeat", Role::kWorker},
      {"leave_worker", Role::kWorker},       {"define_table", Role::kWorker},
      {"enter_barrier", Role::kWorker},      {"roll_back", Role::kOperator},
      {"place_lanes", Role::kOperator},      {"join_server", Role::kServer},
      {"create_table", Role::kServer},       {"close_session", Role::kServer},
      {"follow_lane", Role::kServer},        {"lane_entries", Role::kServer},
      {"pull_reply", Role::kServer},         {"compact_pull_reply", Role::kServer},
      {"acknowledgement", Role::kServer},    {"statistics_reply", Role::kServer},
      {"snapshot_reply", Role::kServer},     {"worker_place", Role::kServer},
      {"map_reply", Role::kServer},          {"table_reply", Role::kServer},
      {"members_reply", Role::kServer},      {"keys_wanted", Role::kServer},
      {"about_request", Role::kReader},      {"about_reply", Role::kServer},
  };
  std::size_t seen = 0;
  for (const auto& [name, message] : test::SampleMessages()) {
    CAPTURE(name);
    REQUIRE(want.contains(name));
    CHECK(RoleToSend(message) == want.at(name));
    ++seen;
  }
  CHECK(seen == want.size());
}

TEST_CASE("a pulse without a session is a server's", "[role]") {
  Heartbeat heartbeat{.request = 1, .session = SessionId{}, .server = "server-0"};
  CHECK(RoleToSend(heartbeat) == Role::kServer);
}

}  // namespace
}  // namespace longtail
