// Which keys a connection is made with, while there is more than one.
#include "io/key_choice.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/time/clock.h"

namespace longtail {
namespace {

const KeyPair kNew{"new", "new secret"};
const KeyPair kOld{"old", "old secret"};

TEST_CASE("there is one choice of one key, and all of several are tried in order", "[keys]") {
  CHECK(AllCredentials({.cluster = {"a"}, .own = kNew}) == std::vector<Credentials>{{"a", kNew}});
  CHECK(AllCredentials({.cluster = {"a", "b"}, .own = kNew, .before = kOld}) ==
        std::vector<Credentials>{{"a", kNew}, {"b", kNew}, {"a", kOld}, {"b", kOld}});
}

TEST_CASE("who is refused goes to the next keys, at once and then ever more slowly", "[keys]") {
  const Keys keys{.cluster = {"a", "b"}, .own = kNew};
  KeyChoice choice(keys);
  absl::Time now = absl::Now();
  CHECK(choice.current().cluster_key == "a");
  CHECK(choice.due() == absl::InfiniteFuture());
  choice.OnRefused(keys, now);
  choice.OnLost();  // ZeroMQ says that, too, of what never was.
  CHECK(choice.due() == now);
  choice.Next(keys);
  CHECK(choice.current() == Credentials{"b", kNew});
  CHECK(choice.due() == absl::InfiniteFuture());
  std::vector<absl::Duration> waits;
  for (int i = 0; i < 8; ++i) {
    choice.OnRefused(keys, now);
    choice.OnRefused(keys, now + absl::Seconds(9));  // ZeroMQ's own attempts meanwhile.
    waits.push_back(choice.due() - now);
    choice.Next(keys);
    CHECK(choice.current().cluster_key == (i % 2 == 0 ? "a" : "b"));
  }
  CHECK(waits.front() == absl::Milliseconds(50));
  CHECK(waits[1] == absl::Milliseconds(100));
  CHECK(waits.back() == absl::Seconds(1));
  // Who was let in once begins anew.
  choice.OnLetIn(keys, now);
  CHECK(choice.due() == absl::InfiniteFuture());
  choice.OnRefused(keys, now);  // Of the connection before.
  CHECK(choice.due() == absl::InfiniteFuture());
  choice.OnLost();
  choice.OnRefused(keys, now);
  CHECK(choice.due() == now);
}

TEST_CASE("with one key nobody goes elsewhere", "[keys]") {
  const Keys keys{.cluster = {"a"}, .own = kNew};
  KeyChoice choice(keys);
  choice.OnRefused(keys, absl::Now());
  CHECK(choice.due() == absl::InfiniteFuture());
}

TEST_CASE("who hangs up shows another key, and who is silent does not know ours", "[keys]") {
  const Keys keys{.cluster = {"a", "b"}, .own = kNew, .before = kOld};
  KeyChoice choice(keys);
  absl::Time now = absl::Now();
  const auto refused_after = [&](absl::Duration duration) {
    choice.OnBegun(now);
    now += duration;
    choice.OnRefused(keys, now);
    choice.OnLost();
    choice.Next(keys);
    return choice.current();
  };
  for (int i = 0; i < 3; ++i) {  // However often: that its own is unknown was told by nobody.
    CHECK(refused_after(absl::Milliseconds(2)) == Credentials{"b", kNew});
    CHECK(refused_after(absl::Milliseconds(2)) == Credentials{"a", kNew});
  }
  CHECK(refused_after(absl::Seconds(5)) == Credentials{"a", kOld});
  CHECK(refused_after(absl::Milliseconds(2)) == Credentials{"b", kNew});
  CHECK(refused_after(absl::Seconds(5)) == Credentials{"b", kOld});
  CHECK(refused_after(absl::Seconds(5)) == Credentials{"a", kNew});
}

TEST_CASE("who is let in with its pair of before tries the newest again in time", "[keys]") {
  const Keys keys{.cluster = {"a", "b"}, .own = kNew, .before = kOld};
  KeyChoice choice(keys);
  const absl::Time now = absl::Now();
  choice.OnBegun(now);
  choice.OnRefused(keys, now + absl::Seconds(5));
  choice.Next(keys);
  CHECK(choice.current() == Credentials{"a", kOld});
  choice.OnLetIn(keys, now);
  CHECK(choice.due() == now + absl::Seconds(30));
  choice.Next(keys);
  CHECK(choice.current() == Credentials{"a", kNew});
  choice.OnLetIn(keys, now);
  CHECK(choice.due() == absl::InfiniteFuture());
}

TEST_CASE("other keys end a connection whose own they are not, or whom it trusts no more",
          "[keys]") {
  KeyChoice choice({.cluster = {"a"}, .own = kOld});
  const absl::Time now = absl::Now();
  choice.OnLetIn({.cluster = {"a"}, .own = kOld}, now);
  CHECK_FALSE(choice.Follow({.cluster = {"a", "b"}, .own = kOld}));
  CHECK_FALSE(choice.Follow({.cluster = {"b", "a"}, .own = kOld}));
  CHECK(choice.current() == Credentials{"a", kOld});
  CHECK(choice.Follow({.cluster = {"b", "a"}, .own = kNew, .before = kOld}));
  CHECK(choice.current() == Credentials{"a", kNew});  // What was shown there a moment ago.
  CHECK(choice.Follow({.cluster = {"b"}, .own = kNew}));
  CHECK(choice.current() == Credentials{"b", kNew});
}

}  // namespace
}  // namespace longtail
