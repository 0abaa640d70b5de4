// What every blob store promises, on each of them: a program for each (CMakeLists.txt).
#include "io/blob_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "base/random.h"
#include "io/blob_name.h"
#include "io/open_store.h"
#include "protocol/format_limits.h"
#include "server/cluster_fixture.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

using Names = std::vector<std::string>;

// Nine mebibytes and some: three objects where blobs are cut at four.
constexpr std::size_t kLargeBytes = (std::size_t{9} << 20) + 12345;

// Bytes that repeat at no distance of a part's size.
std::string Large(char seed, std::size_t size = kLargeBytes) {
  std::string bytes(size, seed);
  for (std::size_t i = 0; i < size; i += 1021) bytes[i] = static_cast<char>(i / 1021);
  return bytes;
}

TEST_CASE("a store gives back what was written, to the byte", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  const std::string binary("a\0\n\xff z", 6);
  const std::string exact = Large('e', std::size_t{8} << 20);

  Must(store->Write("a", binary));
  Must(store->Write("step-1/part.2/b_3", Large('l')));
  Must(store->Write("exact", exact));
  Must(store->Write("empty", ""));

  CHECK(Must(store->Read("a")) == binary);
  CHECK(Must(store->Read("step-1/part.2/b_3")) == Large('l'));
  CHECK(Must(store->Read("exact")) == exact);
  CHECK(Must(store->Read("empty")).empty());
  CHECK(store->Describe() == place->described());
  CHECK(Must(Must(OpenExistingStore(place->address()))->Read("a")) == binary);
}

TEST_CASE("a write replaces the whole blob, a longer one too", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));

  for (const std::string& bytes : {Large('a'), std::string("short"), Large('b'),
                                   Large('c', std::size_t{5} << 20), std::string()}) {
    Must(store->Write("a", bytes));
    CHECK(Must(store->Read("a")) == bytes);
  }

  CHECK(Must(store->List("")) == Names{"a"});
}

TEST_CASE("a blob is extended, and a part of an extension is written over", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  Must(store->Extend("log/a", 0, "abc"));
  Must(store->Extend("log/a", 3, "defgh"));
  CHECK(Must(store->Read("log/a")) == "abcdefgh");
  Must(store->Extend("log/a", 5, "X"));  // As if "fgh" had been a part of what failed.
  CHECK(Must(store->Read("log/a")) == "abcdeX");
  Must(store->Extend("log/a", 0, "new"));
  CHECK(Must(store->Read("log/a")) == "new");

  const absl::Status hole = store->Extend("log/a", 4, "x");
  CHECK(absl::IsFailedPrecondition(hole));
  CHECK(Says(hole, "3 bytes: want at least 4"));
  CHECK(absl::IsNotFound(store->Extend("log/b", 1, "x")));
  CHECK(absl::IsInvalidArgument(store->Extend("../b", 0, "x")));
}

TEST_CASE("a blob grows over the sizes at which others are cut, also in one step",
          "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  auto store = Must(OpenStore(place->address()));
  constexpr std::size_t kMebi = std::size_t{1} << 20;
  // Some end where a part does, one has many parts.
  std::string want;
  char seed = 'a';
  for (const std::size_t size :
       {3 * kMebi, kMebi, std::size_t{1}, 7 * kMebi, kMebi - 1, 40 * kMebi + 7, std::size_t{5}}) {
    const std::string bytes = Large(seed++, size);
    Must(store->Extend("log/a", want.size(), bytes));
    want += bytes;
    CHECK((Must(store->Read("log/a")) == want));
    if (seed == 'd') store = Must(OpenStore(place->address()));  // Who goes on knows nothing of it.
  }
  CHECK(Must(store->List("")) == Names{"log/a"});
  Must(store->RemoveUnfinished(""));
  CHECK((Must(store->Read("log/a")) == want));

  // It is cut, and to where a part ends.
  want.resize(9 * kMebi);
  Must(store->Extend("log/a", want.size(), ""));
  CHECK((Must(store->Read("log/a")) == want));
  want.resize(8 * kMebi);
  Must(store->Extend("log/a", want.size(), ""));
  CHECK((Must(store->Read("log/a")) == want));
  Must(store->Extend("log/a", want.size(), "x"));
  CHECK((Must(store->Read("log/a")) == want + "x"));

  Must(store->Remove("log/a"));
  CHECK(absl::IsNotFound(store->Read("log/a").status()));
  CHECK(absl::IsNotFound(store->Extend("log/a", 1, "x")));
  Must(store->Extend("log/a", 0, "again"));
  CHECK(Must(store->Read("log/a")) == "again");
}

TEST_CASE("a blob that was written is extended, and one that grew is written over",
          "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  for (const std::string& begin : {std::string("abc"), Large('w')}) {
    Must(store->Write("a", begin));
    Must(store->Extend("a", begin.size(), "defg"));
    CHECK((Must(store->Read("a")) == begin + "defg"));
    Must(store->Extend("a", begin.size() + 2, Large('x')));
    CHECK((Must(store->Read("a")) == begin + "de" + Large('x')));
    Must(store->Write("a", "new"));
    CHECK(Must(store->Read("a")) == "new");
    Must(store->Extend("a", 3, "er"));
    Must(store->Extend("a", 0, begin));
    CHECK((Must(store->Read("a")) == begin));
  }
  CHECK(Must(store->List("")) == Names{"a"});
}

TEST_CASE("whatever is appended, cut and written again, a blob is what it would be in memory",
          "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  auto store = Must(OpenStore(place->address()));
  Rng gen(11);
  std::string want;
  Must(store->Extend("a", 0, want));
  for (int step = 0; step < 60; ++step) {
    CAPTURE(step);
    std::size_t from = want.size();
    if (gen.Below(4) == 0) from -= gen.Below(std::min<std::uint64_t>(from, 5 << 20) + 1);
    if (gen.Below(6) == 0) from -= from % (std::size_t{4} << 20);
    std::size_t size = gen.Below(std::uint64_t{1} << (gen.Below(4) == 0 ? 24 : 14));
    if (gen.Below(6) == 0) size += (std::size_t{4} << 20) - (from + size) % (std::size_t{4} << 20);
    const std::string bytes = Large(static_cast<char>('a' + step % 26), size);
    Must(store->Extend("a", from, bytes));
    want.resize(from);
    want += bytes;
    if (gen.Below(3) == 0) REQUIRE((Must(store->Read("a")) == want));
    if (gen.Below(5) == 0) store = Must(OpenStore(place->address()));
    if (want.size() > (std::size_t{40} << 20)) want.resize(gen.Below(9 << 20));
  }
  const std::string bytes = Must(store->Read("a"));
  CHECK((bytes.substr(0, want.size()) == want));
}

TEST_CASE("blobs grow side by side", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  constexpr std::size_t kThreads = 4;
  std::vector<absl::Status> outcomes(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&store, &outcome = outcomes[t], t] {
        const std::string bytes = Large(static_cast<char>('a' + t), std::size_t{700} << 10);
        for (std::size_t i = 0; i < 20 && outcome.ok(); ++i) {
          outcome = store->Extend("log/" + std::to_string(t), i * bytes.size(), bytes);
        }
      });
    }
  }
  for (std::size_t t = 0; t < kThreads; ++t) {
    Must(outcomes[t]);
    std::string want;
    for (int i = 0; i < 20; ++i) {
      want += Large(static_cast<char>('a' + t), std::size_t{700} << 10);
    }
    CHECK((Must(store->Read("log/" + std::to_string(t))) == want));
  }
}

TEST_CASE("a list is sorted and holds the names with the prefix alone", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  CHECK(Must(store->List("")).empty());
  for (const char* name : {"s-2/b", "s-1/c", "s-1/a", "s-10/a", "t", "s-1.x", "s/deep/er/q"}) {
    Must(store->Write(name, "x"));
  }
  Must(store->Write("s-1/large", Large('l')));

  CHECK(Must(store->List("")) ==
        Names{"s-1.x", "s-1/a", "s-1/c", "s-1/large", "s-10/a", "s-2/b", "s/deep/er/q", "t"});
  CHECK(Must(store->List("s-1")) == Names{"s-1.x", "s-1/a", "s-1/c", "s-1/large", "s-10/a"});
  CHECK(Must(store->List("s-1/")) == Names{"s-1/a", "s-1/c", "s-1/large"});
  CHECK(Must(store->List("s-1/c")) == Names{"s-1/c"});
  CHECK(Must(store->List("s/deep/e")) == Names{"s/deep/er/q"});
  CHECK(Must(store->List("none")).empty());
  CHECK(Must(store->List("../")).empty());
}

TEST_CASE("stores do not see one another's blobs", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  const auto other_place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr || other_place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  const auto other = Must(OpenStore(other_place->address()));

  Must(store->Write("a", "mine"));

  CHECK(Must(other->List("")).empty());
  CHECK(absl::IsNotFound(other->Read("a").status()));
}

TEST_CASE("a name that is not a plain relative path is refused", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  for (const std::string& name : {std::string(),
                                  std::string("/"),
                                  std::string("/etc/passwd"),
                                  std::string(".."),
                                  std::string("../secret"),
                                  std::string("a/../../secret"),
                                  std::string("a/./b"),
                                  std::string("."),
                                  std::string("a//b"),
                                  std::string("a/"),
                                  std::string("a b"),
                                  std::string("a~"),
                                  std::string("a~0123456789abcdef.1"),
                                  std::string("a\\b"),
                                  std::string("\xc3\xa9"),
                                  std::string("a\0b", 3),
                                  std::string("a\nb"),
                                  std::string("*"),
                                  std::string(kBlobNamePartSizeMax + 1, 'n'),
                                  std::string(kBlobNameSizeMax + 1, 'n')}) {
    CAPTURE(name);
    CHECK(absl::IsInvalidArgument(store->Write(name, "x")));
    CHECK(absl::IsInvalidArgument(store->Read(name).status()));
    CHECK(absl::IsInvalidArgument(store->Remove(name)));
    CHECK(absl::IsInvalidArgument(ValidateBlobName(name)));
  }
  CHECK(Must(store->List("")).empty());
}

TEST_CASE("a name as long as the limits allow is accepted", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  const std::string part(kBlobNamePartSizeMax, 'n');
  std::string name = part + '/' + part + '/' + part + '/' + part + '/' + part;
  name += '/' + std::string(kBlobNameSizeMax - name.size() - 1, 'm');

  Must(store->Write(name, Large('n')));

  CHECK(Must(store->Read(name)) == Large('n'));
  CHECK(Must(store->List("")) == Names{name});
  Must(store->Write("...", "x"));
}

TEST_CASE("a blob that is not there is NotFound, by name", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  Must(store->Write("d/a", "x"));
  for (const std::string name : {"b", "d", "d/b", "d/a/c", "x/y"}) {
    CAPTURE(name);
    const absl::Status read = store->Read(name).status();
    const absl::Status removed = store->Remove(name);

    CHECK(absl::IsNotFound(read));
    CHECK(Says(read, name));
    CHECK(absl::IsNotFound(removed));
    CHECK(Says(removed, name));
  }
  CHECK(Must(store->Read("d/a")) == "x");
}

TEST_CASE("a blob that was removed is gone, and its neighbours are not", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  Must(store->Write("s-1/p/a", Large('a')));
  Must(store->Write("s-1/b", "2"));

  Must(store->Remove("s-1/p/a"));

  CHECK(absl::IsNotFound(store->Read("s-1/p/a").status()));
  CHECK(absl::IsNotFound(store->Remove("s-1/p/a")));
  CHECK(Must(store->List("")) == Names{"s-1/b"});
  Must(store->Write("s-1/p/a", "again"));
  CHECK(Must(store->Read("s-1/p/a")) == "again");
}

TEST_CASE("calls on different names may overlap", "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  constexpr int kThreads = 4;
  constexpr int kRounds = 15;
  std::vector<absl::Status> outcomes(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&store, &outcome = outcomes[static_cast<std::size_t>(t)], t] {
        const std::string name = "shared/" + std::to_string(t);
        for (int i = 0; i < kRounds && outcome.ok(); ++i) {
          outcome.Update(store->Write(name, std::to_string(i)));
          if (outcome.ok() && store->Read(name).value() != std::to_string(i)) {
            outcome = absl::DataLossError(name);
          }
          if (i % 2 == 1) outcome.Update(store->Remove(name));
        }
      });
    }
  }

  for (const absl::Status& outcome : outcomes) Must(outcome);
}

TEST_CASE("while a blob is replaced, a reader sees the old one or the new one",
          "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto store = Must(OpenStore(place->address()));
  const std::vector<std::string> versions = {Large('a'), "short", Large('b'),
                                             Large('c', std::size_t{6} << 20)};
  Must(store->Write("a", versions[0]));
  std::atomic<bool> stop = false;
  absl::Status written;
  std::size_t reads = 0;
  {
    std::jthread writer([&] {
      for (std::size_t i = 0; !stop && written.ok(); ++i) {
        written = store->Write("a", versions[i % versions.size()]);
      }
    });
    const absl::Time until = absl::Now() + absl::Seconds(2);
    while (absl::Now() < until) {
      const absl::StatusOr<std::string> bytes = store->Read("a");
      stop = !bytes.ok();
      Must(bytes.status());
      const bool is_whole = std::ranges::find(versions, *bytes) != versions.end();
      stop = !is_whole;
      REQUIRE(is_whole);
      ++reads;
    }
    stop = true;
  }

  Must(written);
  CHECK(reads > 2);
}

TEST_CASE("what a writer leaves that is killed is no blob, and can be removed",
          "[io][blob_store]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  // A process of its own from the start: threads of a library do not live through a fork.
  const pid_t writer = fork();
  if (writer == 0) {
    const auto store = OpenStore(place->address());
    const std::string bytes = Large('w', std::size_t{48} << 20);
    while (store.ok() && (*store)->Write("s-1/whole", "1").ok() &&
           (*store)->Write("s-1/cut", bytes).ok() && (*store)->Remove("s-1/cut").ok()) {
    }
    _exit(1);
  }
  const auto store = Must(OpenStore(place->address()));
  const absl::Time until = absl::Now() + absl::Seconds(60);
  while (absl::Now() < until && Must(store->List("s-1/whole")).empty()) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  absl::SleepFor(absl::Milliseconds(40));
  kill(writer, SIGKILL);
  int status = 0;
  REQUIRE(waitpid(writer, &status, 0) == writer);
  REQUIRE(WIFSIGNALED(status));

  const Names names = Must(store->List(""));
  CHECK((names == Names{"s-1/whole"} || names == Names{"s-1/cut", "s-1/whole"}));
  if (names.size() == 2) CHECK(Must(store->Read("s-1/cut")).size() == std::size_t{48} << 20);
  Must(store->Write("s-2/other", Large('o')));
  Must(store->RemoveUnfinished("s-1/"));
  CHECK(Must(store->List("")) == (names.size() == 2 ? Names{"s-1/cut", "s-1/whole", "s-2/other"}
                                                    : Names{"s-1/whole", "s-2/other"}));
  CHECK(Must(store->Read("s-1/whole")) == "1");
  CHECK(Must(store->Read("s-2/other")) == Large('o'));
}

}  // namespace
}  // namespace longtail
