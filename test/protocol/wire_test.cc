// Messages survive the wire whole, and nothing that is not one gets through.
#include "protocol/wire.h"

#include <catch2/catch.hpp>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "protocol/format_limits.h"
#include "protocol/frame.h"
#include "protocol/sample_messages.h"

namespace longtail {
namespace {

std::string Encoded(const Message& message) {
  std::string frame = "what was here before";
  Encode(message, frame);
  return frame;
}

bool Mentions(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

template <typename T>
std::string With(std::string bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
  return bytes;
}

Message Sample(const std::string& name) {
  for (const test::NamedMessage& sample : test::SampleMessages()) {
    if (sample.name == name) return sample.message;
  }
  FAIL("no sample " << name);
  return ImportStep{};
}

TEST_CASE("a message of any kind comes back as it was sent", "[protocol][wire][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  const Message message = test::RandomMessage(rng);

  const std::string frame = Encoded(message);
  const absl::StatusOr<Message> decoded = Decode(AsBytes(frame));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(test::InWords(*decoded) == test::InWords(message));
  CHECK(Encoded(*decoded) == frame);
}

TEST_CASE("a frame in pieces has the bytes of a whole one, and is read from any parts",
          "[protocol][wire][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  Rng rng(seed);
  const Message message = test::RandomMessage(rng);
  const std::string whole = Encoded(message);
  std::string text;
  std::vector<FramePiece> pieces;
  EncodeInPieces(message, 1 + rng.Below(40), text, pieces);

  std::string joined;
  std::vector<std::span<const std::byte>> parts;
  for (const FramePiece& piece : pieces) {
    const auto bytes = AsBytes(text).subspan(piece.begin, piece.size);
    joined.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    joined.append(reinterpret_cast<const char*>(piece.array.data()), piece.array.size());
    parts.push_back(bytes);
    if (!piece.array.empty()) parts.push_back(piece.array);
  }
  CHECK(joined == whole);

  const absl::StatusOr<Message> decoded = Decode(parts);
  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(Encoded(*decoded) == whole);

  parts.pop_back();  // Cut short.
  CHECK(absl::IsInvalidArgument(Decode(parts).status()));
  parts.insert(parts.begin(), AsBytes(whole).first(10));  // The fields are not in one part.
  CHECK(absl::IsInvalidArgument(Decode(parts).status()));
}

TEST_CASE("arrays stay in parts that are kept, wherever those are cut and lie",
          "[protocol][wire][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  Rng rng(seed);
  const Message message = test::RandomMessage(rng);
  const std::string whole = Encoded(message);
  std::string text;
  std::vector<FramePiece> pieces;
  EncodeInPieces(message, 1, text, pieces);
  // Each part lies behind up to eight other bytes.
  auto kept = std::make_shared<std::vector<std::string>>();
  std::vector<std::size_t> skips;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t size = at == 0 ? pieces[0].size : 1 + rng.Below(whole.size() - at);
    skips.push_back(rng.Below(9));
    kept->push_back(std::string(skips.back(), 'x') + whole.substr(at, size));
    at += size;
  }
  std::vector<std::span<const std::byte>> parts;
  for (std::size_t i = 0; i < kept->size(); ++i) {
    parts.push_back(AsBytes((*kept)[i]).subspan(skips[i]));
  }
  const std::weak_ptr<const void> watch = kept;

  absl::StatusOr<Message> decoded = Decode(parts, std::move(kept));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(Encoded(*decoded) == whole);
  decoded = Message(Acknowledgement{});
  CHECK(watch.expired());
}

TEST_CASE("an array that lies aligned in a kept part is not copied", "[protocol][wire]") {
  const auto sent = std::get<PullReply>(Sample("pull_reply"));
  std::string text;
  std::vector<FramePiece> pieces;
  EncodeInPieces(sent, 1, text, pieces);
  std::vector<std::span<const std::byte>> parts;
  for (const FramePiece& piece : pieces) {
    parts.push_back(AsBytes(text).subspan(piece.begin, piece.size));
    if (!piece.array.empty()) parts.push_back(piece.array);
  }
  const auto owner = std::make_shared<int>(0);

  const absl::StatusOr<Message> decoded = Decode(parts, owner);

  REQUIRE(decoded.ok());
  REQUIRE(!sent.values.empty());
  CHECK(std::get<PullReply>(*decoded).values.data() == sent.values.data());
  CHECK(owner.use_count() > 1);
}

TEST_CASE("arrays that follow one another in memory as on the wire are one piece",
          "[protocol][wire]") {
  const std::vector<Key> keys = {1, 2, 3, 4, 5};
  auto pull = std::make_shared<PullRequest>();
  for (const std::size_t at : {0U, 2U, 3U}) {
    pull->sections.push_back({.partition = PartitionId{static_cast<std::uint32_t>(at)},
                              .table = {},
                              .dim = 1,
                              .keys = std::span(keys).subspan(at, at == 2 ? 1 : 2),
                              .target = {}});
  }
  std::string text;
  std::vector<FramePiece> pieces;

  EncodeInPieces(std::shared_ptr<const PullRequest>(pull), sizeof(Key) * 5, text, pieces);

  REQUIRE(pieces.size() == 1);
  CHECK(pieces[0].array.data() == std::as_bytes(std::span(keys)).data());
  CHECK(pieces[0].array.size() == sizeof(Key) * 5);
}

TEST_CASE("the samples cover every kind of message", "[protocol][wire]") {
  const auto samples = test::SampleMessages();
  REQUIRE(samples.size() == std::variant_size_v<Message>);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CAPTURE(samples[i].name);
    CHECK(samples[i].message.index() == i);
    CHECK(Encoded(samples[i].message)[6] == static_cast<char>(i + 1));
  }
}

TEST_CASE("decoded bulk is aligned and outlives the frame", "[protocol][wire]") {
  const Message message = Sample("push_request");
  std::string shifted = "x" + Encoded(message);  // Odd on purpose, as frames from a socket are.

  const absl::StatusOr<Message> decoded = Decode(AsBytes(shifted).subspan(1));
  shifted.assign(shifted.size(), '\xEE');

  REQUIRE(decoded.ok());
  CHECK(test::InWords(*decoded) == test::InWords(message));
  for (const PushSection& section :
       std::get<std::shared_ptr<const PushRequest>>(*decoded)->sections) {
    CHECK(reinterpret_cast<std::uintptr_t>(section.keys.data()) % alignof(Key) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(section.gradients.data()) % alignof(float) == 0);
  }
}

TEST_CASE("targets and sink of a pull stay at home", "[protocol][wire]") {
  auto pull = std::make_shared<PullRequest>(
      *std::get<std::shared_ptr<const PullRequest>>(Sample("pull_request")));
  float rows = 0;
  pull->sections[0].target.rows = &rows;
  pull->sink = std::make_shared<PullSink>();

  const auto decoded = Decode(AsBytes(Encoded(std::shared_ptr<const PullRequest>(pull))));

  REQUIRE(decoded.ok());
  const auto& got = *std::get<std::shared_ptr<const PullRequest>>(*decoded);
  CHECK(got.sink == nullptr);
  CHECK(got.sections[0].target.rows == nullptr);
  CHECK(got.owners.size() == 1);
}

TEST_CASE("a frame cut short anywhere or with bytes after it is refused", "[protocol][wire]") {
  for (const test::NamedMessage& sample : test::SampleMessages()) {
    CAPTURE(sample.name);
    const std::string frame = Encoded(sample.message);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      CAPTURE(size);
      // A copy of just that size lets a sanitizer see a read past the end.
      const std::string cut(frame, 0, size);
      CHECK(absl::IsInvalidArgument(Decode(AsBytes(cut)).status()));
      if (size < kFrameHeaderBytes) continue;
      const std::string lying = With<std::uint64_t>(cut, kFrameSizeOffset, size);
      CHECK(absl::IsInvalidArgument(Decode(AsBytes(lying)).status()));
    }
    CHECK(absl::IsInvalidArgument(Decode(AsBytes(frame + '\0')).status()));
    const std::string longer =
        With<std::uint64_t>(frame + std::string(8, '\0'), kFrameSizeOffset, frame.size() + 8);
    CHECK(absl::IsInvalidArgument(Decode(AsBytes(longer)).status()));
  }
}

TEST_CASE("a frame with any bit flipped is refused or is another message", "[protocol][wire]") {
  for (const test::NamedMessage& sample : test::SampleMessages()) {
    CAPTURE(sample.name);
    const std::string frame = Encoded(sample.message);
    for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
      std::string flipped = frame;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      const absl::StatusOr<Message> decoded = Decode(AsBytes(flipped));
      if (!decoded.ok()) continue;
      CAPTURE(bit);
      REQUIRE(Encoded(*decoded) == flipped);  // No second encoding of one message.
    }
  }
}

TEST_CASE("what is wrong with a header is said", "[protocol][wire]") {
  const std::string frame = Encoded(Sample("push_request"));
  struct Case {
    std::string frame;
    std::string says;
  };
  const Case bad = GENERATE_COPY(values<Case>({
      {"", "magic"},
      {With<std::uint8_t>(frame, 0, 'X'), "no Longtail message"},
      {With<std::uint16_t>(frame, 4, 2), "version 2: this program reads version 1"},
      {With<std::uint16_t>(frame, 4, 0), "version 0"},
      {With<std::uint16_t>(frame, 6, 0), "kind 0: want 1..36"},
      {With<std::uint16_t>(frame, 6, 37), "kind 37: want 1..36"},
      {With<std::uint64_t>(frame, 8, ~std::uint64_t{0}), "frame size"},
      {With<std::uint32_t>(frame, 16, 0xFFFFFFFF), "field size 4294967295"},
      {With<std::uint32_t>(frame, 20, 1), "reserved"},
  }));

  const absl::Status status = Decode(AsBytes(bad.frame)).status();

  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(Mentions(status, bad.says));
  CHECK(Mentions(status, "at byte"));
}

TEST_CASE("what is wrong with a field is said: which, its value, what was wanted, where",
          "[protocol][wire]") {
  // Offsets as docs/FORMATS.md has them: fields begin at byte 24.
  const std::string push = Encoded(Sample("push_request"));
  const std::string pull = Encoded(Sample("pull_request"));
  const std::string reply = Encoded(Sample("pull_reply"));
  const std::string barrier = Encoded(Sample("barrier_request"));
  const std::string import = Encoded(Sample("import_rows"));
  const std::string create = Encoded(Sample("create_table"));
  const std::string acknowledgement = Encoded(Sample("acknowledgement"));
  const std::string statistics = Encoded(Sample("statistics_reply"));
  const std::string counts = Encoded(test::SampleCounts()[1].message);
  const std::string counts_reply = Encoded(test::SampleCounts()[2].message);
  const std::string import_counts = Encoded(test::SampleCounts()[3].message);
  constexpr std::uint32_t kHuge = 0xFFFFFFFF;
  struct Case {
    std::string frame;
    std::string says;
  };
  const Case bad = GENERATE_COPY(values<Case>({
      {With<std::uint64_t>(push, 48, kStepMax + 1),
       "PushRequest: step 4611686018427387905: want 0.."},
      {With<float>(push, 56, std::numeric_limits<float>::infinity()), "learning_rate_scale"},
      {With<std::uint32_t>(push, 60, kHuge),
       "section count 4294967295: want 0..1048576 at byte 60"},
      {With<std::uint32_t>(push, 60, 1000), "section count 1000: needs at least 24000 bytes"},
      {With<std::uint32_t>(push, 64, 65536), "partition 65536: want 0..65535 at byte 64"},
      {With<std::uint32_t>(push, 68, 1024), "table 1024: want 0..1023 at byte 68"},
      {With<std::uint32_t>(push, 72, 4097), "dim 4097: want 0..4096 at byte 72"},
      {With<std::uint32_t>(counts, 76, 0), "columns 0: want 1..1048576 at byte 76"},
      {With<std::uint32_t>(counts, 76, 1'048'577), "columns 1048577: want 1..1048576"},
      {With<std::uint32_t>(counts, 80, kHuge), "key count"},
      {With<std::uint64_t>(counts, 92, std::uint64_t{1} << 62), "bulk array rows of counts"},
      {With<std::uint64_t>(counts_reply, 72, ~std::uint64_t{0}), "bulk array rows of counts"},
      {With<std::uint64_t>(import_counts, 44, ~std::uint64_t{0}), "bulk array rows of counts"},
      {With<std::uint32_t>(import_counts, 80, 7), "ends of rows"},
      {With<std::uint32_t>(push, 76, kHuge), "key count"},
      {With<std::uint32_t>(push, 76, kKeysPerRequestMax), "bulk array keys of 16777216 elements"},
      {With<std::uint32_t>(push, 72, 4096), "bulk array gradients"},
      {With<std::uint8_t>(pull, 48, 2), "wants_counts 2: want 0..1 at byte 48"},
      {With<std::uint64_t>(reply, 40, kStepMax + 1), "step 4611686018427387905: want 0.."},
      {With<std::uint64_t>(reply, 56, ~std::uint64_t{0}), "bulk array values"},
      {With<std::uint64_t>(reply, 64, std::uint64_t{1} << 62), "bulk array counts"},
      {With<std::uint32_t>(reply, 32, 17), "status code 17: want 0..16 at byte 32"},
      {With<std::uint32_t>(barrier, 56, 3), "section count 3: needs"},
      {With<std::uint32_t>(import, 36, 16'385), "value count 16385: want 0..16384"},
      {With<std::uint32_t>(import, 40, kKeysPerRequestMax + 1), "row count"},
      {With<std::uint32_t>(import, 40, 3), "bulk array counts"},
      {With<std::uint32_t>(create, 36, 4097), "table spec 4097: want 0..4096"},
      {With<std::uint16_t>(create, 40, 4), "version 4: this program reads versions 1 to 3"},
      {With<std::uint32_t>(acknowledgement, 32, 0), "status message with code 0"},
      {With<std::uint32_t>(acknowledgement, 36, 4097), "status message 4097: want 0..4096"},
      {With<std::uint32_t>(statistics, 248, 65), "hot_keys count 65: want 0..64 at byte 248"},
      {With<std::uint32_t>(statistics, 248, 30), "hot_keys count 30: needs at least 720 bytes"},
  }));

  const absl::Status status = Decode(AsBytes(bad.frame)).status();

  INFO(bad.says);
  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(Mentions(status, bad.says));
}

TEST_CASE("what is wrong with a compact message is said", "[protocol][wire]") {
  const std::string push = Encoded(Sample("compact_push"));
  const std::string pull = Encoded(Sample("compact_pull"));
  const std::string reply = Encoded(Sample("compact_pull_reply"));
  struct Case {
    std::string frame;
    std::string says;
  };
  const Case bad = GENERATE_COPY(values<Case>({
      {With<float>(push, 56, std::numeric_limits<float>::infinity()), "learning_rate_scale"},
      {With<std::uint64_t>(push, 60, 1 << 20), "bulk array counts of 1048576 elements"},
      {With<std::uint8_t>(push, 68, 4), "CompactPush: values 4: want a format of 0..3"},
      {With<std::uint64_t>(push, 69, ~std::uint64_t{0}), "bulk array deltas"},
      {With<std::uint32_t>(push, 77, 1000), "section count 1000: needs at least 25000 bytes"},
      {With<std::uint32_t>(push, 81, 65536), "partition 65536: want 0..65535 at byte 81"},
      {With<std::uint32_t>(push, 89, 4097), "dim 4097: want 1..4096 at byte 89"},
      {With<std::uint32_t>(push, 89, 4096), "bulk array gradients"},
      {With<std::uint32_t>(push, 93, kKeysPerRequestMax + 1), "key count brings the message to"},
      {With<std::uint32_t>(push, 93, 1000), "bulk array keys of 1000 elements"},
      {With<std::uint8_t>(push, 97, 5), "key form 5: want 0..4"},
      {With<std::uint8_t>(pull, 48, 2), "CompactPull: wants_counts 2: want 0..1"},
      {With<std::uint8_t>(pull, 49, 9), "values 9: want a format of 0..3"},
      {With<std::uint32_t>(pull, 58, 1000), "section count 1000: needs at least 17000 bytes"},
      {With<std::uint8_t>(pull, 78, 255), "key form 255: want 0..4"},
      {With<std::uint8_t>(reply, 48, 7), "CompactPullReply: values 7: want a format of 0..3"},
      {With<std::uint64_t>(reply, 49, 1 << 20), "bulk array rows of 1048576 elements"},
      {With<std::uint64_t>(reply, 57, 1 << 20), "bulk array counts of 1048576 elements"},
  }));

  const absl::Status status = Decode(AsBytes(bad.frame)).status();

  INFO(bad.says);
  INFO(status.ToString());
  CHECK(absl::IsInvalidArgument(status));
  CHECK(Mentions(status, bad.says));
}

TEST_CASE("a status message longer than the limit is cut, not refused", "[protocol][wire]") {
  const Message message =
      Acknowledgement{1, absl::InternalError(std::string(kStatusMessageSizeMax + 9, 'm')), 2};

  const absl::StatusOr<Message> decoded = Decode(AsBytes(Encoded(message)));

  REQUIRE(decoded.ok());
  CHECK(std::get<Acknowledgement>(*decoded).status.message().size() == kStatusMessageSizeMax);
}

TEST_CASE("a kind's number and name are those of its place among the messages", "[protocol]") {
  CHECK(kMessageKindNames.size() == std::variant_size_v<Message> + 1);
  for (const auto& [name, message] : test::SampleMessages()) {
    CAPTURE(name);
    std::string frame;
    Encode(message, frame);
    std::uint16_t kind = 0;
    std::memcpy(&kind, frame.data() + 6, sizeof(kind));
    CHECK(kind == message.index() + 1);
    // "PullRequest" of "pull_request".
    std::string words = name;
    std::erase(words, '_');
    std::string lower(kMessageKindNames[kind]);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    CHECK(lower == words);
  }
}

}  // namespace
}  // namespace longtail
