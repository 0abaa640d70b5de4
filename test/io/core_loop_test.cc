// The shell of a core: the order of effects, the clock, callers' threads, stopping.
#include "io/core_loop.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "io/loopback.h"
#include "support/passing_store.h"

namespace longtail {
namespace {

// What happened, in order. Thread: any.
class Diary {
 public:
  void Note(std::string what) {
    const MutexLock lock(&mutex_);
    lines_.push_back(std::move(what));
    noted_.SignalAll();
  }
  void WaitForLine() {
    const MutexLock lock(&mutex_);
    while (lines_.empty()) noted_.Wait(&mutex_);
  }
  std::vector<std::string> lines() const {
    const MutexLock lock(&mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  CondVar noted_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class NotingStore final : public BlobStore {
 public:
  explicit NotingStore(Diary& diary) : diary_(diary) {}
  absl::Status Write(std::string_view name, std::string_view bytes) override {
    diary_.Note(absl::StrCat("write ", std::string(name), "=", std::string(bytes)));
    return name == "bad" ? absl::UnavailableError("away") : absl::OkStatus();
  }
  absl::Status Extend(std::string_view name, std::uint64_t, std::string_view) override {
    diary_.Note(absl::StrCat("extend ", std::string(name)));
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> Read(std::string_view) override {
    return absl::NotFoundError("no reads");
  }
  absl::StatusOr<std::vector<std::string>> List(std::string_view) override {
    return std::vector<std::string>{};
  }
  absl::Status Remove(std::string_view) override { return absl::OkStatus(); }
  absl::Status RemoveUnfinished(std::string_view) override { return absl::OkStatus(); }
  std::string Describe() const override { return "notes"; }

 private:
  Diary& diary_;
};

// A store that lets no write through before it is opened.
class Gate final : public test::PassingStore {
 public:
  using PassingStore::PassingStore;

  void Open() {
    const MutexLock lock(&mutex_);
    is_open_ = true;
    changed_.SignalAll();
  }
  // Until a write stands before it.
  void AwaitOne() {
    const MutexLock lock(&mutex_);
    while (!is_asked_) changed_.Wait(&mutex_);
  }
  absl::Status Write(std::string_view name, std::string_view bytes) override {
    {
      const MutexLock lock(&mutex_);
      is_asked_ = true;
      changed_.SignalAll();
      while (!is_open_) changed_.Wait(&mutex_);
    }
    return PassingStore::Write(name, bytes);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool is_open_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_asked_ ABSL_GUARDED_BY(mutex_) = false;
};

class NotingTransport final : public Transport {
 public:
  NotingTransport(Diary& diary, Transport& under) : diary_(diary), under_(under) {}
  NodeId node() const override { return under_.node(); }
  void Send(Envelope envelope) override {
    diary_.Note(absl::StrCat("send ", std::get<ImportStep>(envelope.body).request));
    under_.Send(std::move(envelope));
  }
  void Receive(absl::Time until, std::vector<Envelope>& events) override {
    under_.Receive(until, events);
  }
  void Wake() override { under_.Wake(); }

 private:
  Diary& diary_;
  Transport& under_;
};

// Notes its events.
class NotingCore final : public Core {
 public:
  explicit NotingCore(Diary& diary) : diary_(diary) {}
  void Step(const Envelope& event, absl::Time, Effects&) override {
    diary_.Note(absl::StrCat("step ", std::get<ImportStep>(event.body).request));
  }
  void OnStored(const StoreAnswer& answer, absl::Time, Effects& effects) override {
    diary_.Note(absl::StrCat("stored ", answer.ticket, " ", answer.status.ToString()));
    if (answer.ticket == 1) effects.writes.push_back({5, "more", "m"});
  }
  void Tick(absl::Time now, Effects&) override {
    ticked_at = now;
    diary_.Note("tick");
  }

  absl::Time ticked_at = absl::InfinitePast();

 private:
  Diary& diary_;
};

struct Fixture {
  std::unique_ptr<CoreLoop> Start(BlobStore* blobs) {
    return std::make_unique<CoreLoop>(
        core, transport,
        CoreLoop::Options{.name = "a name longer than a thread's may be",
                          .store = blobs,
                          .on_completion = [this](const Completion& completion) {
                            diary.Note(absl::StrCat("complete ", completion.call));
                          }});
  }

  Diary diary;
  LoopbackNetwork network;
  std::unique_ptr<Transport> endpoint = network.Join();
  std::unique_ptr<Transport> peer = network.Join();
  NotingTransport transport{diary, *endpoint};
  NotingStore store{diary};
  NotingCore core{diary};
};

TEST_CASE_METHOD(Fixture, "writes are durable before anything is sent or completed",
                 "[io][core_loop]") {
  const auto loop = Start(&store);

  loop->Do([&](absl::Time, Effects& effects) {
    effects.completions.push_back({9, absl::OkStatus()});
    effects.sends.push_back({endpoint->node(), peer->node(), ImportStep{8, 0}});
    effects.writes.push_back({1, "first", "a"});
    effects.writes.push_back({2, "second", "b"});
  });

  CHECK(diary.lines() == std::vector<std::string>{"write first=a", "stored 1 OK", "write second=b",
                                                  "stored 2 OK", "write more=m", "stored 5 OK",
                                                  "send 8", "complete 9"});
}

TEST_CASE_METHOD(Fixture, "a failed write is answered with its error", "[io][core_loop]") {
  const auto loop = Start(&store);

  loop->Do([](absl::Time, Effects& effects) { effects.writes.push_back({4, "bad", "b"}); });

  CHECK(diary.lines() == std::vector<std::string>{"write bad=b", "stored 4 UNAVAILABLE: away"});
}

TEST_CASE_METHOD(Fixture, "without a store every write is refused", "[io][core_loop]") {
  const auto loop = Start(nullptr);

  loop->Do([](absl::Time, Effects& effects) { effects.writes.push_back({4, "cut", "b"}); });

  CHECK(diary.lines() ==
        std::vector<std::string>{"stored 4 FAILED_PRECONDITION: blob 'cut': this cluster was "
                                 "started without a store"});
}

TEST_CASE_METHOD(Fixture, "who asks for a write in the background does not wait for it",
                 "[io][core_loop]") {
  Gate gate(store);
  auto loop = Start(&gate);
  loop->Do([](absl::Time, Effects& effects) {
    effects.writes.push_back({.ticket = 7, .name = "slow", .bytes = "s", .is_background = true});
    effects.completions.push_back({3, absl::OkStatus()});
  });
  loop->Do([](absl::Time, Effects& effects) {
    effects.completions.push_back({4, absl::OkStatus()});
  });
  CHECK(diary.lines() == std::vector<std::string>{"complete 3", "complete 4"});

  gate.Open();

  const absl::Time until = absl::Now() + absl::Seconds(20);
  while (diary.lines().size() < 4 && absl::Now() < until) absl::SleepFor(absl::Milliseconds(1));
  CHECK(diary.lines() ==
        std::vector<std::string>{"complete 3", "complete 4", "write slow=s", "stored 7 OK"});
}

TEST_CASE_METHOD(Fixture, "a loop ends after the background's write that is under way",
                 "[io][core_loop]") {
  Gate gate(store);
  auto loop = Start(&gate);
  loop->Do([](absl::Time, Effects& effects) {
    for (const char* name : {"a", "b", "c"}) {
      effects.writes.push_back({.ticket = 7, .name = name, .bytes = "s", .is_background = true});
    }
  });
  gate.AwaitOne();
  std::thread opener([&] {
    absl::SleepFor(absl::Milliseconds(20));
    gate.Open();
  });
  loop.reset();
  opener.join();
  REQUIRE(!diary.lines().empty());
  CHECK(diary.lines()[0] == "write a=s");
  CHECK(diary.lines().size() <= 2);
}

TEST_CASE_METHOD(Fixture, "what arrives is stepped", "[io][core_loop]") {
  const auto loop = Start(nullptr);

  peer->Send({peer->node(), endpoint->node(), ImportStep{3, 0}});
  diary.WaitForLine();

  CHECK(diary.lines() == std::vector<std::string>{"step 3"});
}

TEST_CASE_METHOD(Fixture, "the core ticks at the time it asked for, once", "[io][core_loop]") {
  auto loop = Start(nullptr);
  const absl::Time when = absl::Now() + absl::Milliseconds(10);

  loop->Do([&](absl::Time, Effects& effects) {
    effects.WakeAt(when + absl::Hours(1));
    effects.WakeAt(when);
  });
  diary.WaitForLine();
  loop.reset();

  CHECK(core.ticked_at >= when);
  CHECK(core.ticked_at < when + absl::Milliseconds(800));  // Not when it looks around.
  CHECK(diary.lines() == std::vector<std::string>{"tick"});
}

TEST_CASE_METHOD(Fixture, "callers of Do take turns and their effects are carried out",
                 "[io][core_loop]") {
  const auto loop = Start(nullptr);
  int calls = 0;  // Guarded by the loop.
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        loop->Do([&](absl::Time, Effects& effects) {
          ++calls;
          effects.completions.push_back({1, absl::OkStatus()});
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(calls == 2000);
  CHECK(diary.lines().size() == 2000);
}

TEST_CASE_METHOD(Fixture, "an idle loop stops at once", "[io][core_loop]") {
  auto loop = Start(nullptr);
  const absl::Time before = absl::Now();

  loop.reset();

  CHECK(absl::Now() - before < absl::Milliseconds(900));  // It would look around after a second.
}

}  // namespace
}  // namespace longtail
