#include "examples/online/silence.h"

#include <catch2/catch.hpp>
#include <sstream>

namespace longtail::examples {
namespace {

TEST_CASE("a silence is said every ten seconds, and is over with what comes", "[online]") {
  std::ostringstream out;
  Silence silence(out);
  const absl::Time begin = absl::UnixEpoch();
  silence.Note("an event", "", begin);
  silence.Note("an event", "", begin + absl::Seconds(9));
  CHECK(silence.sentence().empty());
  silence.Note("an event", "the broker is away", begin + absl::Seconds(11));
  CHECK(silence.sentence() == "waits for an event, for 11s; the broker is away");
  CHECK(out.str() == silence.sentence() + "\n");
  silence.Note("an event", "", begin + absl::Seconds(20));
  CHECK(out.str() == silence.sentence() + "\n");
  silence.Note("an event", "", begin + absl::Seconds(21));
  CHECK(silence.sentence() == "waits for an event, for 21s");
  silence.End();
  CHECK(silence.sentence().empty());
  silence.Note("an event", "", begin + absl::Seconds(40));
  CHECK(silence.sentence().empty());
}

}  // namespace
}  // namespace longtail::examples
