// Memory of replies that is used again.
#include "server/reply_pool.h"

#include <catch2/catch.hpp>
#include <memory>

namespace longtail::server {
namespace {

TEST_CASE("memory that nobody holds is used again, for as much or less", "[server]") {
  ReplyPool pool;
  const float* const first = pool.Take(1000, 10)->values.get();

  CHECK(pool.Take(1000, 0)->values.get() == first);
  CHECK(pool.Take(10, 1000)->values.get() == first);
  CHECK(pool.Take(0, 0) != nullptr);
}

TEST_CASE("memory that somebody holds is not given to another", "[server]") {
  ReplyPool pool;
  const std::shared_ptr<ReplyRows> held = pool.Take(1000, 10);

  const std::shared_ptr<ReplyRows> other = pool.Take(500, 10);

  CHECK(other != held);
  CHECK(other->value_capacity >= 500);
  CHECK(other->counts.size() >= 10);
}

TEST_CASE("memory grows to what is asked for", "[server]") {
  ReplyPool pool;
  pool.Take(1, 1);

  const std::shared_ptr<ReplyRows> rows = pool.Take(5000, 6000);

  CHECK(rows->value_capacity >= 5000);
  CHECK(rows->counts.size() >= 6000);
}

TEST_CASE("no more memory is kept than is said", "[server]") {
  ReplyPool pool;
  const std::weak_ptr<ReplyRows> kept = pool.Take(ReplyPool::kValuesKeptMax - 5, 0);
  const std::shared_ptr<ReplyRows> held = kept.lock();
  const std::weak_ptr<ReplyRows> beyond = pool.Take(6, 0);

  CHECK(!kept.expired());
  CHECK(beyond.expired());
}

}  // namespace
}  // namespace longtail::server
