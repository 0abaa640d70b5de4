// Compact requests become the plain ones that they stand for, and what stands for none is refused
// by name.
#include "protocol/expand.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/varint.h"
#include "protocol/value_codec.h"

namespace longtail {
namespace {

bool Mentions(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

std::string Varints(const std::vector<std::uint64_t>& values) {
  std::string bytes;
  for (const std::uint64_t value : values) AppendVarint(value, bytes);
  return bytes;
}

// A push of a section in each form: plain keys 7, 8; deltas 100, 103; a digest of 1, 2, 3.
struct Fixture {
  Fixture() {
    lists.Add(DigestOf(named), named.size(), std::make_shared<const std::vector<Key>>(named));
  }

  std::shared_ptr<CompactPush> Push() {
    auto push = std::make_shared<CompactPush>();
    push->session = SessionId{5};
    push->request = 6;
    push->epoch = 7;
    push->step = 8;
    push->learning_rate_scale = 0.5F;
    push->values = WireValues::kInt8;
    push->sections = {{PartitionId{1}, TableId{0}, 2, 2, KeyForm::kKeptPlain, 40},
                      {PartitionId{2}, TableId{1}, 1, 2, KeyForm::kKeptDeltas, 41},
                      {PartitionId{3}, TableId{1}, 1, 3, KeyForm::kDigest, 42}};
    push->keys = {.plain = plain, .digests = digests, .deltas = AsBytes(deltas)};
    push->counts = AsBytes(counts);
    gradients.resize(2 * 3 + 2 * 2 + 3 * 2);
    PackRows(push->values, 2, std::vector<float>{1, 2, 3, 4}, gradients.data());
    PackRows(push->values, 1, std::vector<float>{5, 6, -7, -8, 9}, gradients.data() + 6);
    push->gradients = gradients;
    return push;
  }
  std::shared_ptr<CompactPull> Pull() {
    auto pull = std::make_shared<CompactPull>();
    pull->request = 6;
    pull->epoch = 7;
    pull->step = 8;
    pull->wants_counts = true;
    pull->values = WireValues::kFloat16;
    pull->sections = Push()->sections;
    pull->keys = Push()->keys;
    return pull;
  }
  absl::Status Refused(std::shared_ptr<const CompactPush> push) {
    return Expand(std::move(push), lists).status();
  }

  KeyLists lists{1 << 16};
  std::vector<Key> plain = {7, 8};
  std::vector<Key> named = {1, 2, 3};
  std::vector<KeyDigest> digests = {DigestOf(named)};
  std::string deltas = Varints({ZigZag(100), ZigZag(3)});
  std::string counts = Varints({1, 2, 3, 400, 5, 6, 0xFFFFFFFF});
  std::vector<std::byte> gradients;
};

TEST_CASE_METHOD(Fixture, "a compact push is the push that it stands for", "[protocol][expand]") {
  const auto push = Expand(std::shared_ptr<const CompactPush>(Push()), lists);

  INFO(push.status().ToString());
  REQUIRE(push.ok());
  const PushRequest& got = **push;
  CHECK(got.session == SessionId{5});
  CHECK(got.request == 6);
  CHECK(got.epoch == 7);
  CHECK(got.step == 8);
  CHECK(got.learning_rate_scale == 0.5F);
  REQUIRE(got.sections.size() == 3);
  const std::vector<std::vector<Key>> keys = {{7, 8}, {100, 103}, {1, 2, 3}};
  const std::vector<std::vector<std::uint32_t>> seen = {{1, 2}, {3, 400}, {5, 6, 0xFFFFFFFF}};
  const std::vector<std::vector<float>> floats = {{1, 2, 3, 4}, {5, 6}, {-7, -8, 9}};
  for (std::size_t i = 0; i < 3; ++i) {
    const PushSection& s = got.sections[i];
    CHECK(s.partition == PartitionId{static_cast<std::uint32_t>(i + 1)});
    CHECK(s.table == TableId{i == 0 ? 0U : 1U});
    CHECK(s.dim == (i == 0 ? 2 : 1));
    CHECK(s.sequence == 40 + i);
    CHECK(std::vector<Key>(s.keys.begin(), s.keys.end()) == keys[i]);
    CHECK(std::vector<std::uint32_t>(s.counts.begin(), s.counts.end()) == seen[i]);
    CHECK(std::vector<float>(s.gradients.begin(), s.gradients.end()) == floats[i]);
  }
}

TEST_CASE_METHOD(Fixture, "a compact pull is the pull that it stands for", "[protocol][expand]") {
  const auto pull = Expand(std::shared_ptr<const CompactPull>(Pull()), lists);

  INFO(pull.status().ToString());
  REQUIRE(pull.ok());
  const PullRequest& got = **pull;
  CHECK(got.request == 6);
  CHECK(got.epoch == 7);
  CHECK(got.step == 8);
  CHECK(got.wants_counts);
  CHECK(got.compact == WireValues::kFloat16);
  CHECK(got.sink == nullptr);
  REQUIRE(got.sections.size() == 3);
  CHECK(got.sections[1].dim == 1);
  CHECK(got.sections[1].keys[1] == 103);
  CHECK(got.sections[2].keys[2] == 3);
}

TEST_CASE_METHOD(Fixture, "without counts every one is 0", "[protocol][expand]") {
  const auto push = Push();
  push->counts = {};

  const auto got = Expand(std::shared_ptr<const CompactPush>(push), lists);

  REQUIRE(got.ok());
  CHECK((*got)->sections[2].counts[2] == 0);
}

TEST_CASE_METHOD(Fixture, "lists that are to be kept are there for the next request",
                 "[protocol][expand]") {
  REQUIRE(Expand(std::shared_ptr<const CompactPush>(Push()), lists).ok());

  REQUIRE(lists.size() == 3);
  REQUIRE(lists.Find(DigestOf(plain)) != nullptr);
  CHECK(**lists.Find(DigestOf(plain)) == plain);
  CHECK(**lists.Find(DigestOf(std::vector<Key>{100, 103})) == std::vector<Key>{100, 103});
}

TEST_CASE_METHOD(Fixture, "a list that is not held is missed, and what came is kept",
                 "[protocol][expand]") {
  lists.Clear();

  CHECK(absl::IsNotFound(Refused(Push())));
  CHECK(absl::IsNotFound(Expand(std::shared_ptr<const CompactPull>(Pull()), lists).status()));
  CHECK(lists.size() == 2);
}

TEST_CASE_METHOD(Fixture, "what was let go of stays with the requests that use it",
                 "[protocol][expand]") {
  const auto push = Expand(std::shared_ptr<const CompactPush>(Push()), lists);
  REQUIRE(push.ok());

  lists.Clear();

  CHECK((*push)->sections[2].keys[0] == 1);
  CHECK((*push)->sections[1].keys[0] == 100);
}

TEST_CASE_METHOD(Fixture, "what is wrong with keys is said", "[protocol][expand]") {
  const auto says = [&](const std::string& text, auto change) {
    const auto push = Push();
    change(*push);
    const absl::Status status = Refused(push);
    INFO(text);
    INFO(status.ToString());
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Mentions(status, text));
  };
  const std::string cut = deltas.substr(0, 2);
  const std::string longer = deltas + std::string(1, '\0');
  const std::string overlong = std::string("\x80\x00", 2) + deltas;

  says("keys of section 0: 3 of them, but 2 are left",
       [](CompactPush& push) { push.sections[0].key_count = 3; });
  says("1 keys, 0 digests and 0 bytes of deltas are left over",
       [](CompactPush& push) { push.sections[0].key_count = 1; });
  says("keys of section 1: delta 1 is cut short",
       [&](CompactPush& push) { push.keys.deltas = AsBytes(cut); });
  says("keys of section 1: delta 0 is cut short or longer than it needs to be",
       [&](CompactPush& push) { push.keys.deltas = AsBytes(overlong); });
  says("and 1 bytes of deltas are left over",
       [&](CompactPush& push) { push.keys.deltas = AsBytes(longer); });
  says("keys of section 1: 16777216 deltas in 3 bytes",
       [](CompactPush& push) { push.sections[1].key_count = 1 << 24; });
  says("keys of section 2: the digest is of 3 keys: want 4",
       [](CompactPush& push) { push.sections[2].key_count = 4; });
  says("keys of section 2: a digest, but none is left",
       [](CompactPush& push) { push.keys.digests = {}; });
}

TEST_CASE_METHOD(Fixture, "what is wrong with counts and gradients is said", "[protocol][expand]") {
  const auto says = [&](const std::string& text, auto change) {
    const auto push = Push();
    change(*push);
    const absl::Status status = Refused(push);
    INFO(text);
    INFO(status.ToString());
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Mentions(status, text));
  };
  const std::string few = Varints({1, 2, 3});
  const std::string large = Varints({1, 2, 3, 4, 5, 6, std::uint64_t{1} << 32});
  const std::string many = counts + std::string(1, '\1');
  auto no_scale = std::make_shared<std::vector<std::byte>>();

  says("counts are not as many as the keys, 7",
       [&](CompactPush& push) { push.counts = AsBytes(few); });
  says("counts are not as many", [&](CompactPush& push) { push.counts = AsBytes(large); });
  says("counts are not as many", [&](CompactPush& push) { push.counts = AsBytes(many); });
  says("15 bytes of gradients: want 16",
       [](CompactPush& push) { push.gradients = push.gradients.first(15); });
  says("gradients of section 1: a row's scale", [&](CompactPush& push) {
    no_scale->assign(push.gradients.begin(), push.gradients.end());
    (*no_scale)[6] = std::byte{126};
    push.gradients = *no_scale;
  });
}

}  // namespace
}  // namespace longtail
