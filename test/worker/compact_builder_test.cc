// What a lane makes of compact requests is what the worker was asked to send, whatever their form.
#include "worker/compact_builder.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "protocol/expand.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

constexpr NodeId kLaneA{3};
constexpr NodeId kLaneB{4};

struct Fixture {
  explicit Fixture(bool names_key_lists = true, std::size_t sent_bytes_max = kKeyListBytesMax)
      : builder({.names_key_lists = names_key_lists, .sent_bytes_max = sent_bytes_max}) {}

  PullRequest Pull() const {
    PullRequest pull;
    pull.request = 7;
    pull.epoch = 8;
    pull.step = 9;
    pull.wants_counts = true;
    pull.compact = WireValues::kBfloat16;
    pull.sections.push_back({PartitionId{1}, TableId{2}, 2, keys, {}});
    pull.sections.push_back({PartitionId{5}, TableId{3}, 1, few, {}});
    return pull;
  }
  PushRequest Push() const {
    PushRequest push;
    push.session = SessionId{6};
    push.request = 8;
    push.epoch = 9;
    push.step = 10;
    push.learning_rate_scale = 0.25F;
    push.compact = WireValues::kInt8;
    push.sections.push_back({PartitionId{1}, TableId{2}, 2, 77, keys, counts, gradients});
    push.sections.push_back({PartitionId{5}, TableId{3}, 1, 78, few, one, small});
    return push;
  }
  // Four keys that are far from one another, and one that is small.
  std::vector<Key> keys = {0x8123456789ABCDEF, 0x4444444444444444, 0xC023456789ABCDEF, 0x1111};
  std::vector<Key> few = {1000};
  std::vector<std::uint32_t> counts = {1, 2, 3, 300};
  std::vector<std::uint32_t> one = {5};
  std::vector<float> gradients = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> small = {-0.5F};
  CompactBuilder builder;
  KeyLists lists{1 << 20};
};

TEST_CASE("a push is expanded to what was asked for", "[worker][compact_builder]") {
  Fixture f(GENERATE(false, true));

  const auto sent = f.builder.Build(kLaneA, f.Push());
  const auto got = Expand(sent, f.lists);

  REQUIRE(got.ok());
  const PushRequest want = f.Push();
  CHECK((*got)->session == want.session);
  CHECK((*got)->request == want.request);
  CHECK((*got)->epoch == want.epoch);
  CHECK((*got)->step == want.step);
  CHECK((*got)->learning_rate_scale == want.learning_rate_scale);
  REQUIRE((*got)->sections.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const PushSection& a = (*got)->sections[i];
    const PushSection& b = want.sections[i];
    CHECK(a.partition == b.partition);
    CHECK(a.table == b.table);
    CHECK(a.dim == b.dim);
    CHECK(a.sequence == b.sequence);
    CHECK(std::ranges::equal(a.keys, b.keys));
    CHECK(std::ranges::equal(a.counts, b.counts));
    CHECK(std::ranges::equal(a.gradients, b.gradients));
  }
  CHECK(sent->sections[1].form == KeyForm::kDeltas);  // Two bytes in place of eight.
}

TEST_CASE_METHOD(Fixture, "the push after a pull sends no list of keys again, nor does the next",
                 "[worker][compact_builder]") {
  const auto pull = builder.Build(kLaneA, Pull());
  CHECK(pull->sections[0].form == KeyForm::kKeptPlain);
  CHECK(pull->wants_counts);
  CHECK(pull->values == WireValues::kBfloat16);
  const auto pulled = Expand(pull, lists);
  REQUIRE(pulled.ok());
  CHECK(std::ranges::equal((*pulled)->sections[0].keys, keys));

  for (int epoch = 0; epoch < 2; ++epoch) {
    const auto push = builder.Build(kLaneA, Push());
    CHECK(push->sections[0].form == KeyForm::kDigest);
    CHECK(push->keys.plain.empty());
    CHECK(push->keys.digests.size() == 1);
    const auto got = Expand(push, lists);
    REQUIRE(got.ok());
    CHECK(std::ranges::equal((*got)->sections[0].keys, keys));
  }
  CHECK(builder.lists_named() == 2);
}

TEST_CASE_METHOD(Fixture, "another lane has its own lists", "[worker][compact_builder]") {
  builder.Build(kLaneA, Pull());

  CHECK(builder.Build(kLaneB, Pull())->sections[0].form == KeyForm::kKeptPlain);
  CHECK(builder.Build(kLaneB, Pull())->sections[0].form == KeyForm::kDigest);
}

TEST_CASE("lists are named only if that was asked for", "[worker][compact_builder]") {
  Fixture f(false);
  for (int i = 0; i < 3; ++i) {
    const auto pull = f.builder.Build(kLaneA, f.Pull());
    CHECK(pull->sections[0].form == KeyForm::kPlain);
    CHECK(pull->sections[1].form == KeyForm::kDeltas);
  }
}

TEST_CASE("what a lane has probably let go of is sent again", "[worker][compact_builder]") {
  Fixture f(true, 2 * (128 + 4 * 8));
  std::vector<PullRequest> pulls(3, f.Pull());
  std::vector<std::vector<Key>> others(3, f.keys);
  for (std::size_t i = 0; i < 3; ++i) {
    others[i][0] = i;
    pulls[i].sections[0].keys = others[i];
    f.builder.Build(kLaneA, pulls[i]);
  }
  CHECK(f.builder.Build(kLaneA, pulls[2])->sections[0].form == KeyForm::kDigest);
  CHECK(f.builder.Build(kLaneA, pulls[1])->sections[0].form == KeyForm::kDigest);
  CHECK(IsKept(f.builder.Build(kLaneA, pulls[0])->sections[0].form));
}

TEST_CASE_METHOD(Fixture, "a lane that wants all keys gets them, and every other list anew",
                 "[worker][compact_builder]") {
  std::vector<Key> other_keys = keys;
  other_keys[0] = 5;
  PullRequest other = Pull();
  other.sections[0].keys = other_keys;
  builder.Build(kLaneA, Pull());
  builder.Build(kLaneA, other);
  const auto pull = builder.Build(kLaneA, Pull());
  auto push = builder.Build(kLaneA, Push());
  REQUIRE(absl::IsNotFound(Expand(push, lists).status()));

  const auto whole_pull = builder.WithAllKeys(kLaneA, *pull);
  REQUIRE(whole_pull != nullptr);
  CHECK(whole_pull->request == 7);
  CHECK(whole_pull->sections[0].form == KeyForm::kKeptPlain);
  auto whole = builder.WithAllKeys(kLaneA, push);
  push.reset();  // The new one keeps what it has of it.
  REQUIRE(whole != nullptr);
  CHECK(whole->sections[0].sequence == 77);
  const auto got = Expand(whole, lists);
  REQUIRE(got.ok());
  CHECK(std::ranges::equal((*got)->sections[0].keys, keys));
  CHECK(std::ranges::equal((*got)->sections[0].gradients, gradients));
  CHECK(std::ranges::equal((*got)->sections[0].counts, counts));

  CHECK(builder.WithAllKeys(kLaneA, whole) == nullptr);
  CHECK(builder.Build(kLaneA, Push())->sections[0].form == KeyForm::kDigest);
  CHECK(IsKept(builder.Build(kLaneA, other)->sections[0].form));
}

TEST_CASE_METHOD(Fixture, "counts that are all 0 are not sent", "[worker][compact_builder]") {
  counts.assign(4, 0);
  one = {0};

  const auto push = builder.Build(kLaneA, Push());
  CHECK(push->counts.empty());
  const auto got = Expand(push, lists);
  REQUIRE(got.ok());
  CHECK(std::ranges::equal((*got)->sections[0].counts, counts));
}

TEST_CASE_METHOD(Fixture, "what rounding takes from a push is in the next one",
                 "[worker][compact_builder]") {
  gradients = {127, 0.25F, 1, 2, 3, 4, 5, 6};
  const auto second = [&] {
    const auto got = Expand(builder.Build(kLaneA, Push()), lists);
    return got.ok() ? (*got)->sections[0].gradients[1] : -1;
  };
  const std::vector<float> sent = {second(), second(), second(), second()};

  CHECK(sent[0] + sent[1] + sent[2] + sent[3] == 1);
}

TEST_CASE_METHOD(Fixture, "a message keeps what it points at", "[worker][compact_builder]") {
  const auto owned = std::make_shared<std::vector<Key>>(keys);
  const std::weak_ptr<std::vector<Key>> watch = owned;
  PullRequest request = Pull();
  request.owners = {owned};
  auto pull = builder.Build(kLaneA, request);

  request.owners.clear();
  CHECK(watch.use_count() == 2);
  pull.reset();
  CHECK(watch.use_count() == 1);
}

}  // namespace
}  // namespace longtail
