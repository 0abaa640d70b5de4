// Blobs in Ceph that one process holds: who took them over has all that was acknowledged, and who
// had them before, and knows of nothing, can change nothing that counts.
#include "io/rados_hold.h"

#include <rados/librados.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "base/bytes.h"
#include "base/random.h"
#include "io/lane_log_writer.h"
#include "io/open_held_store.h"
#include "io/open_store.h"
#include "io/rados_operation.h"
#include "io/rados_store.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "server/cluster_fixture.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

using Names = std::vector<std::string>;

// So that a holder is not told soon that it has lost its lock: it finds out by itself or not at
// all.
constexpr const char* kLongLease = "lease=600";

const std::string kFiveMebi(std::size_t{5} << 20, 'f');
const std::string kLarge(std::size_t{9} << 20, 'x');

// A namespace with a connection of the test's own.
struct Ceph {
  explicit Ceph(std::unique_ptr<StorePlace> its)
      : place(std::move(its)),
        pool(Must(RadosPool::Connect(Must(ParseRadosAddress(place->address()))))) {}

  // As when its lease is over, and it stands still.
  void TakeLock() const { REQUIRE(rados_remove(pool->io(), "server-s~lock") == 0); }

  HeldStore Hold(StoreLock::OnLost on_lost = {}) const {
    return Must(OpenHeldStore(place->With(kLongLease), "s", std::move(on_lost)));
  }

  // But for the lock and the holder.
  int CountObjects() const {
    rados_list_ctx_t list = nullptr;
    REQUIRE(rados_nobjects_list_open(pool->io(), &list) == 0);
    int count = 0;
    const char* name = nullptr;
    while (rados_nobjects_list_next(list, &name, nullptr, nullptr) == 0) ++count;
    rados_nobjects_list_close(list);
    return count - 2;
  }

  const std::unique_ptr<StorePlace> place;
  const std::unique_ptr<RadosPool> pool;
};

std::unique_ptr<Ceph> MakeCeph() {
  auto place = StorePlace::Make("rados");
  return place == nullptr ? nullptr : std::make_unique<Ceph>(std::move(place));
}

void Fill(BlobStore& store) {
  Must(store.Write("s/a", "1"));
  Must(store.Write("s/large", kLarge));
  Must(store.Extend("s/log/0", 0, "abc"));
  Must(store.Extend("s/log/0", 3, "def"));
  Must(store.Extend("s/log/grown", 0, "g"));
  Must(store.Extend("s/log/grown", 1, kFiveMebi));
}

void CheckFilled(BlobStore& store) {
  CHECK(Must(store.List("")) == Names{"s/a", "s/large", "s/log/0", "s/log/grown"});
  CHECK(Must(store.Read("s/a")) == "1");
  CHECK((Must(store.Read("s/large")) == kLarge));  // In words, it would be long.
  CHECK(Must(store.Read("s/log/0")) == "abcdef");
  CHECK((Must(store.Read("s/log/grown")) == "g" + kFiveMebi));
}
constexpr int kFilledObjects = 1 + 3 + 1 + 2;

TEST_CASE("who had blobs that another has taken over can change nothing that counts",
          "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  struct Change {
    const char* what;
    std::function<absl::Status(BlobStore&)> make;
  };
  const std::vector<Change> changes = {
      {"appends", [](BlobStore& s) { return s.Extend("s/log/0", 6, "x"); }},
      {"cuts", [](BlobStore& s) { return s.Extend("s/log/0", 2, ""); }},
      {"begins anew", [](BlobStore& s) { return s.Extend("s/log/0", 0, "x"); }},
      {"appends and adds a part",
       [](BlobStore& s) { return s.Extend("s/log/grown", kFiveMebi.size() + 1, kLarge); }},
      {"adds a grown one", [](BlobStore& s) { return s.Extend("s/log/1", 0, "x"); }},
      {"adds one of parts", [](BlobStore& s) { return s.Extend("s/log/1", 0, kLarge); }},
      {"writes over", [](BlobStore& s) { return s.Write("s/a", "x"); }},
      {"writes over a large one", [](BlobStore& s) { return s.Write("s/large", kLarge + "x"); }},
      {"adds", [](BlobStore& s) { return s.Write("s/b", "x"); }},
      {"adds a large one", [](BlobStore& s) { return s.Write("s/b", kLarge + "x"); }},
      {"removes", [](BlobStore& s) { return s.Remove("s/large"); }},
      {"removes a grown one", [](BlobStore& s) { return s.Remove("s/log/grown"); }},
      {"tidies up", [](BlobStore& s) { return s.RemoveUnfinished("s/"); }},
  };
  for (const Change& change : changes) {
    const auto own = MakeCeph();
    CAPTURE(change.what);
    std::atomic<int> lost = 0;
    const HeldStore old = own->Hold([&](const absl::Status&) { ++lost; });
    Fill(*old.store);
    Must(old.check());
    own->TakeLock();
    const HeldStore now = own->Hold();
    CHECK(own->CountObjects() == kFilledObjects);

    const absl::Status refused = change.make(*old.store);

    CHECK(absl::IsFailedPrecondition(refused));
    CHECK(Says(refused, "another one has taken 's/' over"));
    CHECK(lost == 1);
    CHECK(absl::IsFailedPrecondition(old.check()));
    CHECK(absl::IsFailedPrecondition(old.store->Write("s/c", "x")));
    CheckFilled(*now.store);
    Must(now.check());
    // The new one is not in its way either, and what it added goes.
    Must(now.store->Extend("s/log/grown", kFiveMebi.size() + 1, kFiveMebi));
    Must(now.store->Extend("s/log/1", 0, "mine"));
    Must(now.store->Extend("s/log/1", 4, "!"));
    Must(now.store->Write("s/b", "mine"));
    own->TakeLock();
    const HeldStore last = own->Hold();
    CHECK(Must(last.store->List("s/")) ==
          Names{"s/a", "s/b", "s/large", "s/log/0", "s/log/1", "s/log/grown"});
    CHECK(Must(last.store->Read("s/log/1")) == "mine!");
    CHECK(Must(last.store->Read("s/b")) == "mine");
    CHECK((Must(last.store->Read("s/log/grown")) == "g" + kFiveMebi + kFiveMebi));
    for (const std::string& name : Must(last.store->List(""))) Must(last.store->Remove(name));
    CHECK(own->CountObjects() == 0);
    CHECK(lost == 1);
  }
}

TEST_CASE("what was added too late is no blob, now or later, and goes", "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  const HeldStore old = ceph->Hold();
  Fill(*old.store);
  ceph->TakeLock();
  const HeldStore now = ceph->Hold();
  CHECK_FALSE(old.store->Write("s/late", kLarge).ok());
  CHECK(ceph->CountObjects() == kFilledObjects + 3);

  CheckFilled(*now.store);
  CHECK(absl::IsNotFound(now.store->Read("s/late").status()));
  CHECK(absl::IsNotFound(now.store->Remove("s/late")));
  CHECK(absl::IsNotFound(now.store->Extend("s/late", 1, "x")));
  ceph->TakeLock();
  const HeldStore last = ceph->Hold();
  CheckFilled(*last.store);
  CHECK(ceph->CountObjects() == kFilledObjects);
}

TEST_CASE("who came no further than to say that it holds blobs is in nobody's way", "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  std::vector<HeldStore> before;
  std::vector<std::unique_ptr<RadosHold>> half;
  before.push_back(ceph->Hold());
  Fill(*before.back().store);
  for (int i = 0; i < 3; ++i) {
    ceph->TakeLock();
    half.push_back(Must(RadosHold::Acquire(ceph->place->With(kLongLease), "s", {})));
    // It made one of them its own.
    RadosWrite write;
    write.SetHolder(half.back()->id());
    write.Start(*ceph->pool, "s/a");
    REQUIRE(write.Wait() == 0);
  }
  ceph->TakeLock();
  const HeldStore now = ceph->Hold();
  CheckFilled(*now.store);
  CHECK(absl::IsFailedPrecondition(before[0].store->Extend("s/log/0", 6, "x")));
  CHECK(absl::IsFailedPrecondition(half[0]->Finish()));
  CheckFilled(*now.store);
}

TEST_CASE("what was there before anybody held it is taken over, and of others nothing",
          "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  const auto plain = Must(OpenStore(ceph->place->address()));
  Fill(*plain);
  Must(plain->Write("t/a", kLarge));
  const HeldStore now = ceph->Hold();
  CheckFilled(*now.store);
  CHECK((Must(plain->Read("s/log/grown")) == "g" + kFiveMebi));
  const absl::Status other = now.store->Write("t/a", "x");
  CHECK(absl::IsInvalidArgument(other));
  CHECK(Says(other, "blob 't/a': want a name that begins with 's/'"));
  CHECK(absl::IsInvalidArgument(now.store->Write("s/holder", "x")));
  CHECK((Must(plain->Read("t/a")) == kLarge));
  // Each has its own.
  const HeldStore beside = Must(OpenHeldStore(ceph->place->With(kLongLease), "t", {}));
  CHECK(Must(beside.store->List("")) == Names{"t/a"});
  Must(now.check());
}

TEST_CASE("a process that lives keeps another out, which is told of it", "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  const HeldStore held = Must(OpenHeldStore(ceph->place->With("lease=2"), "s", {}));
  const absl::Status second = OpenHeldStore(ceph->place->With("lease=2"), "s", {}).status();
  CHECK(absl::IsFailedPrecondition(second));
  CHECK(Says(second, "is in use by another server-s, process "));
  Must(held.check());
}

TEST_CASE("a holder that is no holder's is told", "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  Must(Must(OpenStore(ceph->place->address()))->Write("s/holder", "somebody\n"));
  const absl::Status status = OpenHeldStore(ceph->place->With("lease=2"), "s", {}).status();
  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, "'s/holder' in " + ceph->place->described() + ": want 'longtail holder' and"));
  // Its size stays the same from one to the next: so it is taken by a pool without room.
  Must(Must(OpenStore(ceph->place->address()))->Remove("s/holder"));
  const HeldStore first = ceph->Hold();
  const auto plain = Must(OpenStore(ceph->place->address()));
  const std::string text = Must(plain->Read("s/holder"));
  ceph->TakeLock();
  const HeldStore next = ceph->Hold();
  CHECK(Must(plain->Read("s/holder")).size() == text.size());
  CHECK(Must(plain->Read("s/holder")) != text);
}

// --- A lane's log that one after the other writes, while those before go on ----------------------

constexpr const char* kPrefix = "s/lane-0/1";

// What is in the log, by entry.
std::vector<std::uint64_t> Entries(BlobStore& store) {
  std::vector<std::uint64_t> entries;
  const Names names = Must(store.List(""));
  for (const std::uint64_t first : FindLaneLog(names, kPrefix).segments) {
    const std::string name = LaneLogName(kPrefix, first);
    const std::string bytes = Must(store.Read(name));
    auto reader = LaneLogReader::Open(name, AsBytes(bytes), first);
    if (absl::IsNotFound(reader.status())) continue;
    Must(reader.status());
    REQUIRE(first == entries.size());
    for (;;) {
      const auto message = Must(reader->Next());
      if (!message) break;
      entries.push_back(static_cast<std::uint64_t>(std::get<CloseSession>(*message).session));
    }
  }
  return entries;
}

// Writes entries that name it, as fast as they are durable.
class Writer {
 public:
  Writer(HeldStore held, std::uint64_t id)
      : held_(std::move(held)),
        first_(Entries(*held_.store).size()),
        writer_({.store = held_.store.get(),
                 .segment_bytes_max = 3000,
                 .retry_after = absl::Milliseconds(5)}) {
    writer_.Begin({.log = 1, .prefix = kPrefix, .header = {.first = first_}, .is_whole = true});
    durable_ = first_;
    writer_.Start([this](std::uint64_t, std::uint64_t end) { durable_ = end; });
    thread_ = std::jthread([this, id](const std::stop_token& stop) {
      for (std::uint64_t number = first_; !stop.stop_requested();) {
        if (number > durable_ + 20) {
          absl::SleepFor(absl::Microseconds(300));
          continue;
        }
        std::vector<LogEntry> entries;
        entries.push_back({.number = number, .message = CloseSession{id, SessionId{id}}});
        writer_.Append(entries);
        ++number;
      }
    });
  }

  std::uint64_t first() const { return first_; }
  std::uint64_t durable() const { return durable_; }

 private:
  const HeldStore held_;
  const std::uint64_t first_;
  std::atomic<std::uint64_t> durable_ = 0;
  LaneLogWriter writer_;
  std::jthread thread_;
};

TEST_CASE("a log goes from one to the next while those before still write: what was durable stays",
          "[io][rados]") {
  const auto ceph = MakeCeph();
  if (ceph == nullptr) return;
  const char* const text = std::getenv("LONGTAIL_KILLS");
  const std::uint64_t takings = text == nullptr ? 20 : std::strtoull(text, nullptr, 10);
  struct Stretch {
    std::uint64_t first = 0;
    std::uint64_t durable = 0;  // As its writer has it in the end.
  };
  std::vector<Stretch> stretches;
  std::deque<std::unique_ptr<Writer>> writers;  // The last ones: each has connections and threads.
  const auto end_oldest = [&] {
    stretches.push_back({writers.front()->first(), writers.front()->durable()});
    writers.pop_front();
  };
  Rng gen(5);
  writers.push_back(std::make_unique<Writer>(ceph->Hold(), 0));
  for (std::uint64_t id = 1; id <= takings; ++id) {
    absl::SleepFor(absl::Milliseconds(gen.Below(60)));
    ceph->TakeLock();
    writers.push_back(std::make_unique<Writer>(ceph->Hold(), id));
    if (writers.size() > 5) end_oldest();
  }
  absl::SleepFor(absl::Milliseconds(200));
  ceph->TakeLock();
  const HeldStore last = ceph->Hold();
  const std::vector<std::uint64_t> entries = Entries(*last.store);
  while (!writers.empty()) end_oldest();
  stretches.push_back({entries.size(), entries.size()});
  for (std::uint64_t id = 0; id <= takings; ++id) {
    CAPTURE(id);
    REQUIRE(stretches[id].durable <= stretches[id + 1].first);
    for (std::uint64_t i = stretches[id].first; i < stretches[id].durable; ++i) {
      REQUIRE(entries[i] == id);
    }
  }
  WARN(takings << " times, " << entries.size() << " entries");
}

}  // namespace
}  // namespace longtail
