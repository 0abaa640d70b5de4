// The transport within a process: order, waking, nodes that are gone.
#include "io/loopback.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/clock.h"

namespace longtail {
namespace {

Envelope Numbered(const Transport& from, const Transport& to, std::uint64_t number) {
  return {from.node(), to.node(), ImportStep{number, 0}};
}

std::uint64_t NumberOf(const Envelope& envelope) {
  return std::get<ImportStep>(envelope.body).request;
}

TEST_CASE("nodes are numbered in the order of joining", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  const auto b = network.Join();

  CHECK(a->node() == NodeId{0});
  CHECK(b->node() == NodeId{1});
}

TEST_CASE("envelopes arrive in the order they were sent", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  const auto b = network.Join();
  for (std::uint64_t i = 0; i < 5; ++i) a->Send(Numbered(*a, *b, i));
  std::vector<Envelope> events;

  b->Receive(absl::InfinitePast(), events);

  REQUIRE(events.size() == 5);
  for (std::uint64_t i = 0; i < 5; ++i) {
    CHECK(NumberOf(events[i]) == i);
    CHECK(events[i].source == a->node());
  }
}

TEST_CASE("what arrives is added to what is there", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  std::vector<Envelope> events;
  a->Send(Numbered(*a, *a, 1));
  a->Receive(absl::InfinitePast(), events);
  a->Send(Numbered(*a, *a, 2));

  a->Receive(absl::InfinitePast(), events);

  REQUIRE(events.size() == 2);
  CHECK(NumberOf(events[0]) == 1);
  CHECK(NumberOf(events[1]) == 2);
}

TEST_CASE("a receive of nothing returns at its time", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  std::vector<Envelope> events;
  const absl::Time until = absl::Now() + absl::Milliseconds(5);

  a->Receive(until, events);

  CHECK(events.empty());
  CHECK(absl::Now() >= until);
}

TEST_CASE("a wake ends one receive, also one that comes after it", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  std::vector<Envelope> events;
  a->Wake();
  a->Receive(absl::InfiniteFuture(), events);  // Would not return.
  CHECK(events.empty());

  std::thread waker([&] { a->Wake(); });
  a->Receive(absl::InfiniteFuture(), events);
  waker.join();

  CHECK(events.empty());
  const absl::Time until = absl::Now() + absl::Milliseconds(2);
  a->Receive(until, events);
  CHECK(absl::Now() >= until);  // The wake is used up.
}

TEST_CASE("a waiting receive returns when something arrives", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  const auto b = network.Join();
  std::vector<Envelope> events;

  std::thread sender([&] { a->Send(Numbered(*a, *b, 9)); });
  b->Receive(absl::InfiniteFuture(), events);
  sender.join();

  REQUIRE(events.size() == 1);
  CHECK(NumberOf(events[0]) == 9);
}

TEST_CASE("what is sent to nobody, or to a node that is gone, is dropped", "[io][loopback]") {
  LoopbackNetwork network;
  const auto a = network.Join();
  auto gone = network.Join();
  const auto held = std::make_shared<const RowBlock>();
  gone->Send({gone->node(), gone->node(), ImportRows{1, held}});
  const NodeId number = gone->node();
  gone.reset();
  a->Send({a->node(), number, ImportRows{2, held}});
  a->Send({a->node(), NodeId{77}, ImportRows{3, held}});

  CHECK(held.use_count() == 1);
  CHECK(network.Join()->node() == NodeId{2});  // A number is not given twice.
}

TEST_CASE("many senders lose nothing and keep their own order", "[io][loopback]") {
  constexpr std::size_t kSenders = 4;
  constexpr std::uint64_t kEach = 2000;
  LoopbackNetwork network;
  const auto target = network.Join();
  std::vector<std::unique_ptr<Transport>> senders;
  for (std::size_t i = 0; i < kSenders; ++i) senders.push_back(network.Join());
  std::vector<std::thread> threads;
  for (const auto& sender : senders) {
    threads.emplace_back([&] {
      for (std::uint64_t i = 0; i < kEach; ++i) sender->Send(Numbered(*sender, *target, i));
    });
  }

  std::vector<Envelope> events;
  while (events.size() < kSenders * kEach) target->Receive(absl::InfiniteFuture(), events);
  for (std::thread& thread : threads) thread.join();

  std::vector<std::uint64_t> next(kSenders + 1, 0);
  bool is_ordered = true;
  for (const Envelope& event : events) {
    is_ordered &= NumberOf(event) == next[static_cast<std::size_t>(event.source)]++;
  }
  CHECK(is_ordered);
  CHECK(events.size() == kSenders * kEach);
}

}  // namespace
}  // namespace longtail
