// The newest map of a process stays the newest.
#include "io/cluster_map_holder.h"

#include <catch2/catch.hpp>

namespace longtail {
namespace {

TEST_CASE("an older map that comes late replaces nothing", "[io][map]") {
  ClusterMap map;
  map.version = 2;
  ClusterMapHolder holder(map);
  const auto kept = holder.Current();

  map.version = 3;
  holder.Replace(map);
  CHECK(holder.Current()->version == 3);
  map.version = 2;
  holder.Replace(map);
  CHECK(holder.Current()->version == 3);
  CHECK(kept->version == 2);  // Who holds a map keeps it.
}

}  // namespace
}  // namespace longtail
