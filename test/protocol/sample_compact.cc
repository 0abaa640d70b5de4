// The samples of compact pulls, pushes and their answers.
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/varint.h"
#include "protocol/sample_messages.h"
#include "protocol/value_codec.h"

namespace longtail::test {
namespace {

// What the spans of a message point at.
struct Kept {
  std::vector<Key> plain;
  std::vector<KeyDigest> digests;
  std::string deltas;
  std::string counts;
  std::string values;
};

std::string Varints(const std::vector<std::uint64_t>& values) {
  std::string bytes;
  for (const std::uint64_t value : values) AppendVarint(value, bytes);
  return bytes;
}

std::string Packed(WireValues format, std::size_t dim, const std::vector<float>& values) {
  std::string bytes(values.size() / dim * PackedRowBytes(format, dim), ' ');
  PackRows(format, dim, values, reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

CompactKeys KeysOf(const Kept& kept) {
  return {.plain = kept.plain, .digests = kept.digests, .deltas = AsBytes(kept.deltas)};
}

std::string RandomBytes(Rng& rng, std::size_t size) {
  std::string bytes(size, ' ');
  for (char& c : bytes) c = static_cast<char>(rng.Next());
  return bytes;
}

// Sections, what their keys are made of, and the bytes of their values.
std::size_t FillRandom(Rng& rng, WireValues format, std::vector<CompactSection>& sections,
                       Kept& kept) {
  std::size_t value_bytes = 0;
  sections.resize(rng.Below(6));
  for (CompactSection& section : sections) {
    section = {.partition = PartitionId{static_cast<std::uint32_t>(rng.Below(65536))},
               .table = TableId{static_cast<std::uint32_t>(rng.Below(1024))},
               .dim = static_cast<std::uint32_t>(1 + rng.Below(20)),
               .key_count = static_cast<std::uint32_t>(rng.Below(12)),
               .form = static_cast<KeyForm>(rng.Below(5))};
    value_bytes += section.key_count * PackedRowBytes(format, section.dim);
    if (section.form == KeyForm::kDigest) kept.digests.push_back({rng.Next(), rng.Next()});
    if (!IsPlain(section.form)) continue;
    for (std::uint32_t i = 0; i < section.key_count; ++i) kept.plain.push_back(rng.Next());
  }
  kept.deltas = RandomBytes(rng, rng.Below(40));
  return value_bytes;
}

Message RandomPull(Rng& rng) {
  auto pull = std::make_shared<CompactPull>();
  const auto kept = std::make_shared<Kept>();
  pull->request = rng.Next();
  pull->epoch = rng.Next();
  pull->step = rng.Next() >> (2 + rng.Below(62));
  pull->wants_counts = rng.Below(2) == 0;
  pull->values = static_cast<WireValues>(rng.Below(4));
  FillRandom(rng, pull->values, pull->sections, *kept);
  pull->keys = KeysOf(*kept);
  pull->owner = kept;
  return std::shared_ptr<const CompactPull>(pull);
}

Message RandomPush(Rng& rng) {
  auto push = std::make_shared<CompactPush>();
  const auto kept = std::make_shared<Kept>();
  push->session = SessionId{rng.Next()};
  push->request = rng.Next();
  push->epoch = rng.Next();
  push->step = rng.Next() >> (2 + rng.Below(62));
  push->learning_rate_scale = rng.Uniform(-8, 8);
  push->values = static_cast<WireValues>(rng.Below(4));
  kept->values = RandomBytes(rng, FillRandom(rng, push->values, push->sections, *kept));
  for (CompactSection& section : push->sections) section.sequence = rng.Next();
  kept->counts = RandomBytes(rng, rng.Below(30));
  push->keys = KeysOf(*kept);
  push->counts = AsBytes(kept->counts);
  push->gradients = AsBytes(kept->values);
  push->owner = kept;
  return std::shared_ptr<const CompactPush>(push);
}

Message RandomReply(Rng& rng) {
  const auto kept = std::make_shared<Kept>();
  kept->values = RandomBytes(rng, rng.Below(90));
  kept->counts = RandomBytes(rng, rng.Below(30));
  return CompactPullReply{.request = rng.Next(),
                          .step = rng.Next() >> (2 + rng.Below(62)),
                          .epoch = rng.Next(),
                          .values = static_cast<WireValues>(rng.Below(4)),
                          .rows = AsBytes(kept->values),
                          .counts = AsBytes(kept->counts),
                          .owner = kept};
}

}  // namespace

std::shared_ptr<const CompactPull> SampleCompactPull() {
  auto pull = std::make_shared<CompactPull>();
  const auto kept = std::make_shared<Kept>();
  pull->request = 145;
  pull->epoch = 146;
  pull->step = 147;
  pull->wants_counts = true;
  pull->values = WireValues::kBfloat16;
  pull->sections = {{PartitionId{5}, TableId{2}, 3, 2, KeyForm::kPlain},
                    {PartitionId{6}, TableId{3}, 4, 300, KeyForm::kDigest},
                    {PartitionId{7}, TableId{4}, 5, 4, KeyForm::kKeptDeltas}};
  kept->plain = {0x0102030405060708, 0xFFFFFFFFFFFFFFFF};
  kept->digests = {{.low = 0x1112131415161718, .high = 0x2122232425262728}};
  kept->deltas = Varints({ZigZag(1000), ZigZag(5), ZigZag(1), ZigZag(0 - std::uint64_t{300})});
  pull->keys = KeysOf(*kept);
  pull->owner = kept;
  return pull;
}

std::shared_ptr<const CompactPush> SampleCompactPush() {
  auto push = std::make_shared<CompactPush>();
  const auto kept = std::make_shared<Kept>();
  push->session = SessionId{148};
  push->request = 149;
  push->epoch = 150;
  push->step = 151;
  push->learning_rate_scale = 0.75F;
  push->values = WireValues::kInt8;
  push->sections = {{PartitionId{5}, TableId{2}, 3, 2, KeyForm::kKeptPlain, 152},
                    {PartitionId{6}, TableId{3}, 2, 1, KeyForm::kDeltas, 153},
                    {PartitionId{7}, TableId{4}, 1, 4, KeyForm::kDigest, 154}};
  kept->plain = {0x0102030405060708, 0xFFFFFFFFFFFFFFFF};
  kept->digests = {{.low = 0x3132333435363738, .high = 0x4142434445464748}};
  kept->deltas = Varints({ZigZag(77)});
  kept->counts = Varints({1, 2, 300, 1, 1, 1, 5'000'000});
  kept->values = Packed(push->values, 3, {1, -2, 127, 0.5F, 0.25F, -0.125F}) +
                 Packed(push->values, 2, {0, 1e-3F}) + Packed(push->values, 1, {3, -4, 5, -6});
  push->keys = KeysOf(*kept);
  push->counts = AsBytes(kept->counts);
  push->gradients = AsBytes(kept->values);
  push->owner = kept;
  return push;
}

CompactPullReply SampleCompactPullReply() {
  const auto kept = std::make_shared<Kept>();
  kept->values = Packed(WireValues::kFloat16, 3, {1.5F, -2.5F, 65504, 1e-7F, 0, -0.0F});
  kept->counts = Varints({7, 130});
  return {.request = 155,
          .step = 156,
          .epoch = 193,
          .values = WireValues::kFloat16,
          .rows = AsBytes(kept->values),
          .counts = AsBytes(kept->counts),
          .owner = kept};
}

Message RandomCompact(Rng& rng) {
  switch (rng.Below(4)) {
    case 0:
      return RandomPull(rng);
    case 1:
      return RandomPush(rng);
    case 2:
      return RandomReply(rng);
    default:
      return KeysWanted{rng.Next()};
  }
}

}  // namespace longtail::test
