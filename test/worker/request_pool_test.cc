// Requests that are used again.
#include "worker/request_pool.h"

#include <catch2/catch.hpp>
#include <memory>

#include "protocol/messages.h"

namespace longtail {
namespace {

TEST_CASE("a request that nobody holds is used again, with nothing in it", "[worker]") {
  RequestPool<PullRequest> pool;
  const auto owned = std::make_shared<int>(1);
  const PullRequest* first = nullptr;
  {
    const std::shared_ptr<PullRequest> request = pool.Take();
    first = request.get();
    request->sections.emplace_back();
    request->owners.push_back(owned);
    request->sink = std::make_shared<PullSink>();
  }

  const std::shared_ptr<PullRequest> again = pool.Take();

  CHECK(again.get() == first);
  CHECK(again->sections.empty());
  CHECK(again->owners.empty());
}

TEST_CASE("a request that somebody holds is not given to another", "[worker]") {
  RequestPool<PushRequest> pool;
  const std::shared_ptr<PushRequest> held = pool.Take();
  held->sections.emplace_back();

  const std::shared_ptr<PushRequest> other = pool.Take();

  CHECK(other != held);
  CHECK(held->sections.size() == 1);
}

TEST_CASE("idle requests let go of what they kept alive, held ones do not", "[worker]") {
  RequestPool<PullRequest> pool;
  const auto idle_owned = std::make_shared<int>(1);
  const auto held_owned = std::make_shared<int>(2);
  const auto sink = std::make_shared<PullSink>();
  const std::shared_ptr<PullRequest> held = pool.Take();
  held->owners.push_back(held_owned);
  {
    const std::shared_ptr<PullRequest> idle = pool.Take();
    idle->owners.push_back(idle_owned);
    idle->sink = sink;
  }

  pool.ReleaseOwners();

  CHECK(idle_owned.use_count() == 1);
  CHECK(sink.use_count() == 1);
  CHECK(held_owned.use_count() == 2);
}

}  // namespace
}  // namespace longtail
