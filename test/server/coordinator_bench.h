// A coordinator, event by event: no threads, no sockets, a clock of the test's own.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/coordinator_core.h"

namespace longtail::test {

/// A coordinator whose writes succeed, or fail, as the test says.
class CoordinatorBench {
 public:
  static constexpr NodeId kAsker{0x80000001};

  static ServerEntry Server(const std::string& name, std::uint64_t incarnation = 1,
                            std::size_t lanes = 1) {
    ServerEntry server{.name = name, .incarnation = incarnation, .host = "h", .lanes = {}};
    for (std::size_t i = 0; i < lanes; ++i) {
      server.lanes.push_back({NodeId{}, {"tcp://" + name + ":" + std::to_string(i)}});
    }
    return server;
  }

  explicit CoordinatorBench(const server::CoordinatorCore::Options& options)
      : core(*server::CoordinatorCore::Make(options)) {}
  explicit CoordinatorBench(std::unique_ptr<server::CoordinatorCore> resumed)
      : core(std::move(resumed)) {}

  // Everything sent because of a message.
  std::vector<Envelope> Say(NodeId source, Message message) {
    core->Step({source, kCoordinatorNode, std::move(message)}, now, effects_);
    return CarryOut();
  }
  std::vector<Envelope> Tick() {
    core->Tick(now, effects_);
    return CarryOut();
  }
  template <typename Reply>
  Reply Ask(NodeId source, Message message) {
    for (const Envelope& sent : Say(source, std::move(message))) {
      if (sent.target != source) continue;
      if (const auto* reply = std::get_if<Reply>(&sent.body)) return *reply;
    }
    FAIL("no answer");
    return {};
  }
  void Form(std::uint32_t servers, std::size_t lanes = 1) {
    for (std::uint32_t i = 0; i < servers; ++i) {
      Say(kAsker, JoinServer{1, Server("s" + std::to_string(i), 1, lanes)});
    }
    REQUIRE(core->is_formed());
  }
  // All lanes acknowledge what they were sent.
  std::vector<Envelope> AcknowledgeAll(const std::vector<Envelope>& sent,
                                       absl::Status status = {}) {
    std::vector<Envelope> answers;
    for (const Envelope& envelope : sent) {
      std::uint64_t request = 0;
      if (const auto* create = std::get_if<CreateTable>(&envelope.body)) request = create->request;
      if (const auto* close = std::get_if<CloseSession>(&envelope.body)) request = close->request;
      if (request == 0) continue;
      for (Envelope& answer : Say(envelope.target, Acknowledgement{request, status, 0})) {
        answers.push_back(std::move(answer));
      }
    }
    return answers;
  }

  std::unique_ptr<server::CoordinatorCore> core;
  absl::Time now = absl::UnixEpoch();
  bool store_works = true;
  std::size_t writes = 0;

 private:
  std::vector<Envelope> CarryOut() {
    while (!effects_.writes.empty()) {
      std::vector<StoreWrite> writing = std::move(effects_.writes);
      effects_.writes.clear();
      for (const StoreWrite& write : writing) {
        ++writes;
        // Nothing may be said before what it rests on is written.
        CHECK(write.name == server::kCoordinatorStateName);
        core->OnStored({write.ticket,
                        store_works ? absl::OkStatus() : absl::ResourceExhaustedError("disk full")},
                       now, effects_);
      }
    }
    std::vector<Envelope> sends = std::move(effects_.sends);
    effects_.Clear();
    return sends;
  }

  Effects effects_;
};

}  // namespace longtail::test
