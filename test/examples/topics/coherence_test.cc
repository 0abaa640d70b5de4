#include "examples/topics/coherence.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "examples/topics/small_model.h"

namespace longtail::examples {
namespace {

TEST_CASE("words that come together are coherent, those that never do are not",
          "[examples][topics][coherence]") {
  const TopicModel model = test::SmallModel();
  // 红酒 0 and 好 4 are always together in their documents; 好 4 and 汤 3 never are.
  const std::vector<std::vector<std::uint32_t>> documents = {{0, 4}, {4, 0, 0}, {3}, {3, 9}, {3}};

  const Coherence coherence = MeasureCoherence(model, documents, 2);

  REQUIRE(coherence.by_topic.size() == 2);
  CHECK(coherence.by_topic[0] == Approx(1));
  CHECK(coherence.by_topic[1] == Approx(-1));
  CHECK(coherence.mean == Approx(0).margin(1e-12));
}

TEST_CASE("words that are in no document say nothing", "[examples][topics][coherence]") {
  const Coherence coherence = MeasureCoherence(test::SmallModel(), {{{9}}}, 2);
  CHECK(std::isnan(coherence.mean));
}

}  // namespace
}  // namespace longtail::examples
